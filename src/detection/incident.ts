import type { PodRef, WorkloadRef } from '../lib/workload.ts';

/** N of M polls open an incident, and `closeAfter` polls back in band close it; unknown polls do neither. */
export interface TriggerSettings {
  readonly breaches: number;
  readonly polls: number;
  readonly closeAfter: number;
}

/** A workload's trouble from its first breach to its recovery. Immutable: each poll yields the next value. */
export interface Incident {
  /** Deterministic: a hash of policy UID, workload UID and the time it opened. */
  readonly id: string;
  readonly policyUid: string;
  readonly workload: WorkloadRef;
  readonly openedAtMs: number;
  /** First breach of the run that opened it. */
  readonly onsetAtMs: number;
  readonly updatedAtMs: number;
  readonly resolvedAtMs?: number;
  /** Worst score since it opened, 0-1. */
  readonly peakScore: number;
  readonly score: number;
  /** Pods unhealthy in the last judged poll. */
  readonly pods: readonly PodRef[];
  /** Metrics that carry the anomaly, most anomalous first. */
  readonly metrics: readonly string[];
  readonly goodPolls: number;
  /** Requests per second of the whole workload before the onset, while it was well; absent: never observed. */
  readonly usualRequestRate?: number;
}
