import type { Incident } from '../detection/incident.ts';
import type { WorkloadVerdict } from '../detection/verdict.ts';
import type { Diagnosis } from '../diagnosis/diagnosis.ts';
import type { Reason } from '../lib/reasons.ts';
import type { NodeSnapshot, PodRef, WorkloadSnapshot } from '../lib/workload.ts';
import type { ActionName, ActionParameters, EffectName, Step } from './action.ts';
import type { EnabledEffects, Guardrail, HealingPolicy } from './healing-policy.ts';
import type { ActionRecord } from './ledger.ts';
import type { ThrottlePath } from './throttle-path.ts';

/** An action that is about to be decided or written: what the guards judge. */
export interface Proposal {
  readonly action: ActionName;
  readonly step: Step;
  readonly stepIndex: number;
  readonly attempt: number;
  readonly pods: readonly PodRef[];
  readonly parameters: ActionParameters;
  /** Absent: `diagnosis`. A policy's own `anomaly:<metric>` rule acts on the metric and needs no failure type. */
  readonly basis?: 'diagnosis' | 'anomaly-rule';
}

/**
 * Everything a guard may look at, gathered before by the shell. `undefined` where a source could not be read:
 * a guard that cannot see holds.
 */
export interface GuardInput {
  readonly nowMs: number;
  readonly proposal: Proposal;
  readonly policy: HealingPolicy;
  /** Guardrails that select the policy's namespace; `undefined`: unreadable. */
  readonly guardrails: readonly Guardrail[] | undefined;
  readonly workload: WorkloadSnapshot;
  readonly incident: Incident;
  readonly verdict: WorkloadVerdict;
  readonly diagnosis: Diagnosis;
  /** All actions that the ledger remembers for the last 24 h, cluster-wide; `undefined`: the store is not available. */
  readonly ledger: readonly ActionRecord[] | undefined;
  readonly enabledEffects: EnabledEffects;
  readonly leader: boolean;
  /** Age of the caches since they were last confirmed. */
  readonly cacheAgeMs: number;
  readonly scrapeIntervalMs: number;
  /** Longest look-back of the policy's queries. */
  readonly lookBackMs: number;
  readonly storm: StormState;
  readonly nodes: readonly NodeSnapshot[];
  /** Names of alerts firing now; `undefined`: could not be read. */
  readonly firingAlerts: readonly string[] | undefined;
  /** UID of the policy that acts on this workload when several select it. */
  readonly actingPolicyUid: string;
  /** Answer of the external engine, where one is configured and was asked. */
  readonly engineAnswer?: EngineAnswer;
  /** The operator's own configuration names an engine for the whole cluster (`POLICY_ENGINE_URL`). */
  readonly policyEngineConfigured?: boolean;
  /** Name of the action that is being gated: its own ledger row does not count against it. Absent: not yet an object. */
  readonly selfName?: string;
  /** Labels by namespace, for budgets that a guardrail shares over the namespaces it selects; a missing one counts. */
  readonly namespaces?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Ids of the incidents open on this workload, by any policy; absent: not known. */
  readonly openIncidents?: readonly string[];
  /** Since when every metric of every pod was present and fresh without a break; absent: it is not so now. */
  readonly completeSinceMs?: number;
  /** Ways to limit this workload's traffic, each of which carries it; absent: they could not be looked at. */
  readonly throttlePaths?: readonly ThrottlePath[];
  /** Requests per second before onset, while healthy; absent: never observed. */
  readonly healthyRequestRate?: number;
  /** State of what stands behind the cache; absent: no store behind it is known. */
  readonly backingStore?: 'healthy' | 'anomalous' | 'unknown';
}

export type EngineAnswer =
  | { readonly kind: 'allowed'; readonly policies: readonly string[] }
  | { readonly kind: 'denied'; readonly reason: string; readonly policies: readonly string[] }
  | { readonly kind: 'unavailable'; readonly message: string; readonly failurePolicy: 'Deny' | 'Allow' };

/** Share of watched workloads that turned anomalous lately, for one namespace or the cluster. */
export interface StormState {
  readonly active: boolean;
  readonly scope: string;
  readonly anomalous: number;
  readonly watched: number;
  /** Names of some of the anomalous ones; absent: none is known by name. */
  readonly workloads?: readonly string[];
  /** When the share last fell under the limit; the brake stays on for the cooldown after it. */
  readonly endsAtMs?: number;
}

export interface Hold {
  readonly reason: Reason;
  /** A sentence with the numbers. */
  readonly message: string;
  /** When it is worth looking again; absent: at the next poll. */
  readonly retryAtMs?: number;
}

/** A guard says what it forbids. `undefined` lets pass. */
export interface Guard {
  readonly name: string;
  /** Effects that it can refuse; absent: all of them. What is left out is explained beside the list. */
  readonly appliesTo?: readonly EffectName[];
  check(input: GuardInput): Hold | undefined;
}
