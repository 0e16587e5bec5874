import type { HealthState, WorkloadVerdict } from '../detection/verdict.ts';
import type { ClusterEvent, NodeSnapshot, WorkloadRef, WorkloadSnapshot } from '../lib/workload.ts';
import type { CallGraph } from './call-graph.ts';
import type { LogLine } from './diagnosis.ts';
import type { RankedMetric } from './rank.ts';
import type { SuspectEvidence } from './root-cause.ts';
import type { RemedyAction } from './rung.ts';

/** Something that was changed, by whom ever: evidence second only to Kubernetes status. */
export interface Change {
  readonly kind:
    | 'template'
    | 'image'
    | 'config'
    | 'secret'
    | 'service'
    | 'network-policy'
    | 'node'
    | 'scale'
    | 'certificate'
    | 'aegis';
  /** Name of the changed object. */
  readonly name: string;
  readonly atMs: number;
}

/** A series from before and after the onset, where the caller keeps one. Non-finite fields count as absent. */
export interface SeriesSummary {
  readonly metric: string;
  /** Absent: the workload as a whole. */
  readonly pod?: string;
  /** Median and inter-quartile range before the onset minus a guard of 60 s. */
  readonly baselineMedian?: number;
  readonly baselineIqr?: number;
  readonly current?: number;
  readonly onsetAtMs?: number;
  /** Change per second over the recent window, in the metric's unit. */
  readonly slopePerSecond?: number;
  /** Successive windows in which the series climbed, up to now. */
  readonly climbingWindows?: number;
  readonly timeToLimitMs?: number;
}

/** Another workload that is anomalous at this instant. */
interface AnomalousWorkload {
  readonly name: string;
  readonly onsetAtMs: number;
  readonly nodes?: readonly string[];
}

/** Something that this workload calls, from traffic metrics or a declared `dependsOn`. */
export interface DependencyState {
  readonly name: string;
  readonly kind: 'workload' | 'external' | 'dns';
  readonly state: HealthState;
  /** Names of callees of this dependency that are anomalous themselves: then it is not the deepest. */
  readonly anomalousCallees: readonly string[];
  readonly onsetAtMs?: number;
}

/** An effect of Aegis on this workload; dry runs are left out. */
interface RecentAction {
  readonly action: RemedyAction;
  readonly executedAtMs: number;
}

/** Status of a cert-manager Certificate or an external-secrets ExternalSecret that this workload uses. */
export interface CredentialState {
  readonly kind: 'certificate' | 'secret';
  readonly name: string;
  readonly ready: boolean;
  readonly notAfterMs?: number;
  /** Last time that it was renewed or refreshed. */
  readonly renewedAtMs?: number;
}

/** A claim mounted by the workload's pods. */
export interface VolumeState {
  readonly claim: string;
  readonly pod?: string;
  /** Share of bytes free, 0-1. */
  readonly freeRatio?: number;
  readonly timeToFullMs?: number;
  /** The declared cache lives there. */
  readonly holdsCache: boolean;
}

/** Ready endpoints behind a Service of this workload. */
export interface EndpointState {
  readonly service: string;
  readonly readyEndpoints: number;
}

/**
 * Everything that a diagnosis may look at, gathered before by the shell. What is absent is not known, and speaks
 * neither for nor against anything.
 */
export interface DiagnosisInput {
  readonly nowMs: number;
  readonly onsetAtMs: number;
  /** Absent where only text or status is known. */
  readonly verdict?: WorkloadVerdict;
  readonly workload?: WorkloadSnapshot;
  readonly logs: readonly LogLine[];
  /** May hold events of the whole namespace: those of other workloads are sorted out here. */
  readonly events: readonly ClusterEvent[];
  readonly nodes: readonly NodeSnapshot[];
  /** Known changes; those of the pod template are found in `workload.revisions` as well. */
  readonly changes?: readonly Change[];
  readonly series?: readonly SeriesSummary[];
  readonly otherAnomalous?: readonly AnomalousWorkload[];
  /** Absent: no call graph is known, which lowers the confidence of shared causes. */
  readonly dependencies?: readonly DependencyState[];
  /** The call graph around this workload, with what moved in each service that it names; absent: none is known. */
  readonly calls?: {
    /** Name of this workload in the graph. */
    readonly self: string;
    readonly graph: CallGraph;
    readonly suspects: readonly SuspectEvidence[];
    /** False: how far its own metrics moved cannot be told any more, so that a score of 0 says nothing. */
    readonly isOwnMeasured: boolean;
  };
  /** The metrics that moved most since the onset, the first one most; absent: not known. */
  readonly moved?: readonly RankedMetric[];
  readonly recentActions?: readonly RecentAction[];
  readonly credentials?: readonly CredentialState[];
  readonly volumes?: readonly VolumeState[];
  readonly endpoints?: readonly EndpointState[];
  /** What could not be looked at, and why: sentences for people. Nothing is concluded from it. */
  readonly missing?: readonly string[];
  /** Workload without snapshot (REST): its name for sentences. */
  readonly subject?: Pick<WorkloadRef, 'kind' | 'namespace' | 'name'>;
  readonly settings?: {
    /** A score from here on is anomalous; default 0.85. */
    readonly anomalyThreshold?: number;
    /** Longest look-back of the queries: within it after an effect the metrics mix old and new; default 300 s. */
    readonly lookBackMs?: number;
    /** Metric evidence older than this is stale; default 300 s. */
    readonly maxEvidenceAgeMs?: number;
  };
}

export const DEFAULT_SETTINGS = { anomalyThreshold: 0.85, lookBackMs: 300_000, maxEvidenceAgeMs: 300_000 } as const;

/** A change counts as a possible cause if it happened so long before the onset, or since. */
export const CHANGE_WINDOW_MS = 15 * 60_000;
