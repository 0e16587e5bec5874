import { MINUTE } from '../lib/duration.ts';
import type { PodRef, WorkloadRef } from '../lib/workload.ts';

/** Polls in band that close an incident. */
export const CLOSE_AFTER = 3;

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
  /** Polls in band in a row. */
  readonly goodPolls: number;
  /** How often it came back after it had been in band for long enough to be over; absent: never. */
  readonly returns?: number;
  /** Requests per second of the whole workload before the onset, while it was well; absent: never observed. */
  readonly usualRequestRate?: number;
}

/**
 * What comes back within this time after its end, with nothing having healed it, is the same incident, and then stays open
 * until it has been well for as long. Longer than the quiet half of a load that swings every twenty minutes; people who are told that it is
 * over hear so that much later.
 */
export const SAME_INCIDENT_MS = 15 * MINUTE;

/** Pods' own status tells of these, and is either so or not: it does not swing about a line. */
const OF_STATUS: ReadonlySet<string> = new Set(['restarts']);

/** The metrics of an incident that can swing about their lines. */
export const swinging = ({ metrics }: Pick<Incident, 'metrics'>): readonly string[] =>
  metrics.filter((metric) => !OF_STATUS.has(metric));

/** Until when an incident that is over may come back as the same one; `undefined`: it cannot. */
export function mayReturnUntilMs(incident: Incident): number | undefined {
  const { resolvedAtMs, returns = 0 } = incident;
  // One that has come back was held open until it was well for long enough.
  if (resolvedAtMs === undefined || returns > 0 || swinging(incident).length === 0) return undefined;
  return resolvedAtMs + SAME_INCIDENT_MS;
}

/** An incident that flaps and is in band at present: open, while nobody has anything to do about it. */
export const isResting = ({ returns = 0, goodPolls }: Incident): boolean => returns > 0 && goodPolls >= CLOSE_AFTER;
