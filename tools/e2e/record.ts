import type { SeenAction } from '../demo/observer.ts';
import type { Alert } from './alerts.ts';
import type { Second } from './load/tally.ts';

export type FaultName = 'leak' | 'overload' | 'release';

/** One fault, from its beginning to the end of what is counted for it. */
export interface Chapter {
  readonly fault: FaultName;
  readonly workload: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** UID of the pod that was told to leak. */
  readonly podUid?: string;
}

/** A pod, as it was seen last. */
export interface PodRecord {
  readonly workload: string;
  readonly name: string;
  readonly uid: string;
  readonly restarts: number;
  /** When a container of it was ended for its memory; the newest time. */
  readonly oomKilledMs?: number;
  readonly firstSeenMs: number;
  /** When it was first seen to be leaving. */
  readonly leavingMs?: number;
}

/** A change of a Deployment's replicas. */
export interface ReplicaRecord {
  readonly workload: string;
  readonly atMs: number;
  readonly desired: number;
  readonly ready: number;
}

/** What a person did because an alert said so. */
export interface Rollback {
  readonly command: string;
  readonly atMs: number;
}

/** Everything that one run is judged by. Plain data: the isolated program writes it, the one outside reads it. */
export interface RunRecord {
  readonly withAegis: boolean;
  readonly chapters: readonly Chapter[];
  readonly seconds: readonly Second[];
  readonly pods: readonly PodRecord[];
  readonly replicas: readonly ReplicaRecord[];
  readonly actions: readonly SeenAction[];
  readonly alerts: readonly Alert[];
  readonly rollback?: Rollback;
  /** Highest share of its memory limit that the leaking pod was seen at, 0 to 1. */
  readonly leakPeakShare?: number;
}
