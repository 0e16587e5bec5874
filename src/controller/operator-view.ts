/**
 * What the operator shows of itself to readers who are not in the cluster. Without a cluster there is nothing to show:
 * `EMPTY_VIEW`.
 */
export interface IncidentView {
  readonly id: string;
  readonly namespace: string;
  readonly workload: string;
  readonly policy: string;
  readonly failureType: string;
  readonly severity: 'low' | 'medium' | 'high' | 'critical';
  readonly score: number;
  readonly metrics: readonly string[];
  readonly pods: readonly string[];
  readonly openedAtMs: number;
  readonly updatedAtMs: number;
  readonly resolvedAtMs?: number;
  /** What was decided last, and why. */
  readonly decision: string;
  readonly reason: string;
}

export interface ActionView {
  readonly name: string;
  readonly namespace: string;
  readonly workload: string;
  readonly policy: string;
  readonly action: string;
  readonly failureType: string;
  readonly state: string;
  readonly reason: string;
  readonly message: string;
  readonly decidedAtMs: number;
  readonly executedAtMs?: number;
  readonly endedAtMs?: number;
  readonly dryRun: boolean;
}

export interface PolicyView {
  readonly name: string;
  readonly namespace: string;
  readonly mode: string;
  readonly conditions: readonly {
    readonly type: string;
    readonly status: 'True' | 'False' | 'Unknown';
    readonly reason: string;
    readonly message: string;
  }[];
  readonly targets: { readonly matched: number; readonly anomalous: number; readonly unknown: number };
}

/** The question of the policy exchange, taken apart. */
export interface PolicyQuestionView {
  readonly action: string;
  readonly kind: string;
  readonly name: string;
  /** Absent: the caller named none. */
  readonly namespace?: string;
  readonly context: Readonly<Record<string, unknown>>;
}

export interface PolicyAnswerView {
  readonly allowed: boolean;
  readonly reason: string;
  readonly appliedPolicies: readonly string[];
}

/** Reads only: nothing behind it has an effect. */
export interface OperatorView {
  incidents(limit: number): Promise<readonly IncidentView[]>;
  actions(limit: number): Promise<readonly ActionView[]>;
  policies(limit: number): Promise<readonly PolicyView[]>;
  evaluate(question: PolicyQuestionView): Promise<PolicyAnswerView>;
}

/** The view of a server without a cluster: no policy covers anything. */
export const EMPTY_VIEW: OperatorView = {
  incidents: () => Promise.resolve([]),
  actions: () => Promise.resolve([]),
  policies: () => Promise.resolve([]),
  evaluate: ({ kind, namespace, name }) =>
    Promise.resolve({
      allowed: false,
      reason: `No policy covers ${kind}:${namespace === undefined ? '' : `${namespace}/`}${name}`,
      appliedPolicies: [],
    }),
};
