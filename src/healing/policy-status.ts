/** The status of a policy as the domain sees it; the api room makes it into the wire form. */
export interface PolicyCondition {
  readonly type: 'Accepted' | 'Ready' | 'MetricsAvailable' | 'Learned' | 'Healthy' | 'Paused' | 'Conflict' | 'Limited';
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  readonly lastTransitionMs: number;
}

export interface IncidentSummary {
  readonly id: string;
  readonly workload: string;
  readonly failureType: string;
  readonly severity: 'low' | 'medium' | 'high' | 'critical';
  readonly sinceMs: number;
  readonly step: number;
  readonly decision: 'act' | 'hold' | 'ignore';
  readonly reason: string;
}

export interface PolicyStatus {
  readonly observedGeneration: number;
  readonly conditions: readonly PolicyCondition[];
  readonly targets: { readonly matched: number; readonly anomalous: number; readonly unknown: number };
  readonly incidents: readonly IncidentSummary[];
  readonly lastAction?: {
    readonly name: string;
    readonly action: string;
    readonly target: string;
    readonly outcome: string;
    readonly atMs: number;
  };
}
