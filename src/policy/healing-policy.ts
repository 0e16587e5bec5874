import type { MetricSpec } from '../detection/sample.ts';
import type { WorkloadKind } from '../lib/workload.ts';
import type { ActionName, EffectName, Step } from './action.ts';

export type Mode = 'Observe' | 'Approve' | 'Auto';

export interface LabelSelector {
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly matchExpressions: readonly {
    readonly key: string;
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
    readonly values: readonly string[];
  }[];
}

export interface TargetSelection {
  readonly kind: WorkloadKind;
  /** Exactly one of the two. */
  readonly name?: string;
  readonly selector?: LabelSelector;
}

/** A metric to watch: a preset by name, or a query of the policy's author. */
export interface WatchedMetric extends MetricSpec {
  readonly query?: string;
}

export interface Window {
  readonly schedule: string;
  readonly durationSeconds: number;
  readonly timeZone: string;
  readonly effect: 'Allow' | 'Deny';
}

export interface Rule {
  readonly name: string;
  readonly expression: string;
  readonly effect: 'Deny' | 'RequireApproval';
  readonly message?: string;
}

/** `on`: failure types, categories, `anomaly:<metric>` or `any` (all but unknown). */
export interface Remedy {
  readonly on: readonly string[];
  readonly minSeverity: 'low' | 'medium' | 'high' | 'critical';
  readonly steps: readonly Step[];
}

/** A share of the desired replicas (`percent`) or a count; at least 1 either way. */
export type DisruptionLimit = { readonly percent: number } | { readonly count: number };

export type TrafficSource = 'Auto' | 'OpenTelemetry' | 'Istio' | 'Envoy' | 'IngressNginx' | 'HttpRequestsTotal';

/** The domain form of an AegisHealingPolicy: every default filled in, every number a number. */
export interface HealingPolicy {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly generation: number;
  readonly createdAtMs: number;
  /** Hash of the spec: an approval is pinned to it. */
  readonly hash: string;
  readonly mode: Mode;
  readonly priority: number;
  readonly pauseRequests: readonly { readonly name: string; readonly reason: string }[];
  readonly target: TargetSelection;
  readonly detection: {
    readonly intervalSeconds: number;
    /** Empty: every preset for which series exist. */
    readonly metrics: readonly WatchedMetric[];
    readonly trafficSource: TrafficSource;
    readonly anomalyThreshold: number;
    readonly minSamples: number;
    readonly trigger: { readonly breaches: number; readonly polls: number };
  };
  readonly diagnosis: {
    readonly windowSeconds: number;
    readonly logs: { readonly source: 'Kubernetes' | 'Loki' | 'None'; readonly maxLinesPerPod: number };
  };
  readonly remedies: readonly Remedy[];
  readonly limits: {
    readonly cooldownSeconds: number;
    readonly maxActionsPerHour: number;
    readonly maxDisrupted: DisruptionLimit;
    readonly minReplicas?: number;
    readonly maxReplicas?: number;
    readonly minPodAgeSeconds: number;
    readonly progressive: 'OneThenRest' | 'All';
  };
  readonly windows: readonly Window[];
  readonly holdWhileAlertsFiring: readonly string[];
  readonly rules: readonly Rule[];
  readonly verification: {
    readonly stabilizationSeconds: number;
    readonly timeoutSeconds: number;
    readonly onIneffective: 'RollBack' | 'Keep';
  };
  readonly approval: { readonly timeoutSeconds: number };
  readonly notifications: readonly { readonly sink: string; readonly minSeverity: Remedy['minSeverity'] }[];
}

/** The domain form of an AegisGuardrail. */
export interface Guardrail {
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly namespaceSelector: LabelSelector;
  readonly suspended: boolean;
  readonly maxMode: Mode;
  readonly allowedActions: readonly ActionName[];
  readonly budget: {
    readonly maxActionsPerMinute: number;
    readonly maxActionsPerHour: number;
    readonly maxConcurrent: number;
  };
  readonly storm: { readonly unhealthyPercent: number; readonly minTargets: number; readonly cooldownSeconds: number };
  readonly windows: readonly Window[];
  readonly rules: readonly Rule[];
  readonly holdWhileAlertsFiring: readonly string[];
  readonly customQueries: 'Allow' | 'Deny';
  readonly execCommands: readonly (readonly string[])[];
  readonly policyEngine?: {
    readonly url: string;
    readonly type: 'Aegis' | 'OPA';
    readonly timeoutSeconds: number;
    readonly failurePolicy: 'Deny' | 'Allow';
  };
}

/** Effects that this installation was given the rights for. */
export type EnabledEffects = ReadonlySet<EffectName>;
