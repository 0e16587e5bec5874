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
  /** What was decided last, and why; `none` once it is resolved. */
  readonly decision: string;
  readonly reason: string;
  /** For `OperatorView.decision`; absent: nothing was decided, or it is not known any more. */
  readonly decisionId?: string;
}

/** The incidents, and whether the resolved ones are among them: the store may be away. */
export interface IncidentList {
  readonly incidents: readonly IncidentView[];
  readonly isComplete: boolean;
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
  /** Unsent, or unanswered where it awaits approval, it ends here. */
  readonly expiresAtMs: number;
  /** An approval is pinned to it. */
  readonly policyHash: string;
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

/** Why something was done, or was not: one decision with what it was based on and what became of it. */
export interface DecisionView {
  /** Of a decision to act: the name of its action. */
  readonly id: string;
  readonly kind: 'act' | 'hold' | 'ignore';
  readonly decidedAtMs: number;
  readonly incidentId?: string;
  readonly namespace: string;
  readonly workload: string;
  readonly policy: string;
  readonly action: string;
  /** Rung of the ladder, counted from 0. */
  readonly step?: number;
  readonly attempt?: number;
  readonly failureType?: string;
  readonly confidence?: number;
  /** One word of the table of reasons; absent: there was nothing to hold it up. */
  readonly reason?: string;
  readonly message: string;
  readonly evidence: readonly { readonly source: string; readonly what: string; readonly weight: number }[];
  /** The rungs that were passed over, each with the reason. */
  readonly whyNot: readonly {
    readonly step: number;
    readonly action: string;
    readonly reason: string;
    readonly message: string;
  }[];
  /** What became of it, oldest first. */
  readonly outcome: readonly { readonly atMs: number; readonly what: string; readonly message: string }[];
  /** State of the action, where one was made and is still there. */
  readonly state?: string;
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
  /** What a covered resource is denied for: the guard's reason and message. */
  readonly because?: string;
}

/** Reads only: nothing behind it has an effect. */
export interface OperatorView {
  incidents(limit: number): Promise<IncidentList>;
  actions(limit: number): Promise<readonly ActionView[]>;
  policies(limit: number): Promise<readonly PolicyView[]>;
  /** `undefined`: there is no such decision. Rejects if the store cannot be read and nobody else knows it. */
  decision(id: string): Promise<DecisionView | undefined>;
  evaluate(question: PolicyQuestionView): Promise<PolicyAnswerView>;
}

/** The view of a server without a cluster: no policy covers anything. */
export const EMPTY_VIEW: OperatorView = {
  incidents: () => Promise.resolve({ incidents: [], isComplete: true }),
  actions: () => Promise.resolve([]),
  policies: () => Promise.resolve([]),
  decision: () => Promise.resolve(undefined),
  evaluate: ({ kind, namespace, name }) =>
    Promise.resolve({
      allowed: false,
      reason: `No policy covers ${kind}:${namespace === undefined ? '' : `${namespace}/`}${name}`,
      appliedPolicies: [],
    }),
};
