import type { Cause, Evidence } from '../diagnosis/diagnosis.ts';
import type { FailureType } from '../diagnosis/failure-type.ts';
import type { PodRef, WorkloadRef } from '../lib/workload.ts';

export const ACTIONS = [
  'restart_pod',
  'scale_up',
  'scale_down',
  'throttle_api',
  'clear_cache',
  'alert_admin',
  'no_action',
] as const;
export type ActionName = (typeof ACTIONS)[number];

/** Actions that change the cluster; the other two change nothing. */
export const EFFECTS = ['restart_pod', 'scale_up', 'scale_down', 'throttle_api', 'clear_cache'] as const;
export type EffectName = (typeof EFFECTS)[number];

export const isEffect = (action: ActionName): action is EffectName => (EFFECTS as readonly string[]).includes(action);

export interface ScaleParameters {
  readonly percent: number;
  readonly returnAfterSeconds: number;
  readonly autoscaler: 'Leave' | 'RaiseMinimum';
}

export interface ThrottleParameters {
  readonly provider: 'Auto' | 'EnvoyGateway' | 'Istio' | 'IngressNginx' | 'Hook';
  readonly percentOfBaseline: number;
  readonly minPerSecond?: number;
  readonly ttlSeconds: number;
}

export type CacheParameters =
  | { readonly http: { readonly port: number; readonly path: string } }
  | { readonly exec: { readonly container: string; readonly command: readonly string[] } };

/** One rung of a ladder. */
export interface Step {
  readonly action: ActionName;
  readonly attempts: number;
  readonly timeoutSeconds: number;
  /** Steps next to each other with the same group are alternatives: what helped most is tried first. */
  readonly group?: string;
  readonly scale?: ScaleParameters;
  readonly throttle?: ThrottleParameters;
  readonly cache?: CacheParameters;
  readonly notify?: { readonly sinks: readonly string[] };
}

/** What the effect needs to be carried out, fixed when it is decided. */
export type ActionParameters =
  | { readonly kind: 'restart'; readonly how: 'evict' | 'rollout' }
  | {
      readonly kind: 'scale';
      readonly from: number;
      readonly to: number;
      readonly returnAfterSeconds: number;
      /** Name of the HPA whose minimum is written instead of the replicas (`RaiseMinimum`); absent: the replicas. */
      readonly autoscaler?: string;
    }
  | {
      readonly kind: 'throttle';
      readonly throttle: ThrottleParameters;
      readonly limitPerSecond: number;
      /** HTTPRoutes or the Ingress that carry the traffic; empty: the workload's own pods, or the hook. */
      readonly routes: readonly string[];
    }
  | { readonly kind: 'cache'; readonly cache: CacheParameters }
  | { readonly kind: 'alert'; readonly sinks: readonly string[] };

/** What is needed to undo, and to tell afterwards whether it helped. */
export interface Baseline {
  readonly podUids: readonly string[];
  readonly desiredReplicas: number;
  readonly readyReplicas: number;
  readonly templateHash?: string;
  /** Triggering metric -> value at decision time, over the treated pods. */
  readonly metrics: Readonly<Record<string, number>>;
  /** The same over the untreated pods: what recovers there as well was not helped by the action. */
  readonly peerMetrics?: Readonly<Record<string, number>>;
  /** Untreated pods that were unhealthy when it was decided. */
  readonly unhealthyPeerUids?: readonly string[];
  /** Annotations of the Ingress before it is limited; null: absent. */
  readonly annotations?: Readonly<Record<string, string | null>>;
}

/** A decided action: the domain form of an AegisHealingAction's spec. */
export interface Intent {
  /** Deterministic object name; see `intentName`. */
  readonly name: string;
  readonly namespace: string;
  readonly policy: { readonly name: string; readonly uid: string; readonly generation: number };
  readonly incidentId: string;
  readonly step: number;
  readonly attempt: number;
  readonly action: ActionName;
  readonly target: WorkloadRef;
  readonly pods: readonly PodRef[];
  readonly parameters: ActionParameters;
  readonly baseline: Baseline;
  readonly diagnosis: {
    readonly failureType: FailureType;
    readonly confidence: number;
    readonly evidence: readonly Evidence[];
    readonly cause: Cause;
    readonly advice: string;
  };
  readonly severityScore: number;
  /** The triggering metrics that must return to their band. */
  readonly metrics: readonly string[];
  readonly reason: string;
  readonly decidedAtMs: number;
  readonly expiresAtMs: number;
  readonly execution: 'Enforce' | 'DryRun';
  readonly policyHash: string;
  readonly approvalRequired: boolean;
}
