import type { PodRef, WorkloadRef } from '../lib/workload.ts';

/** The three answers. `unknown` is neither of the others, and no effect follows from it. */
export type HealthState = 'healthy' | 'unhealthy' | 'unknown';

export type DetectorName =
  'own-history' | 'seasonal' | 'shape' | 'trend' | 'peers' | 'limit' | 'saturation' | 'status' | 'vector';

/** How anomalous one series is, and why: the same object goes to REST, evidence, log and command line. */
export interface Score {
  readonly kind: 'score';
  /** 0 (ordinary) to 1; calibrated so that 0.85 is rare on normal data. */
  readonly score: number;
  readonly detector: DetectorName;
  /** The feature that fired, e.g. `level-12`, `range`, `peer-z`. */
  readonly feature: string;
  readonly observed: number;
  /** What was expected, with its band (low, high); absent where a detector knows only a limit. */
  readonly expected?: number | undefined;
  readonly band?: readonly [number, number] | undefined;
  /** Share of past values at least as extreme; never below 1/(n+1). */
  readonly p?: number | undefined;
  /** Samples learnt from. */
  readonly samples: number;
  /** Of them, seen only by predecessors of the pod (`inheritance.ts`); absent: none. */
  readonly inherited?: number | undefined;
  readonly modelAgeMs?: number | undefined;
  /** Milliseconds until the series meets its limit at its present slope: an early warning. */
  readonly timeToLimitMs?: number | undefined;
  /** Change per second over the recent window, in the metric's unit; for slopes and onset. */
  readonly slopePerSecond?: number | undefined;
}

/**
 * A score, made in one place so that all are objects of one shape: thousands a second are read by code that would else meet
 * a dozen. What a detector does not say is undefined.
 */
export const newScore = (said: Omit<Score, 'kind'>): Score => ({
  kind: 'score',
  score: said.score,
  detector: said.detector,
  feature: said.feature,
  observed: said.observed,
  expected: said.expected,
  band: said.band,
  p: said.p,
  samples: said.samples,
  inherited: said.inherited,
  modelAgeMs: said.modelAgeMs,
  timeToLimitMs: said.timeToLimitMs,
  slopePerSecond: said.slopePerSecond,
});

export type NoVerdictReason =
  'InsufficientData' | 'StaleData' | 'Gap' | 'NotFinite' | 'Absent' | 'Partial' | 'SourceError';

export interface NoVerdict {
  readonly kind: 'no-verdict';
  readonly reason: NoVerdictReason;
  readonly samples: number;
}

export type Verdict = Score | NoVerdict;

/** What one learnt model of a series says of an anomaly: models of several ages must agree before anything is done. */
export interface ModelView {
  /** `recent`: the last 60 samples; `past`: all since the level was accepted; `day`, `week`: the profile of that period. */
  readonly model: 'recent' | 'past' | 'day' | 'week';
  readonly samples: number;
  readonly expected: number;
  /** The newest samples lie harmfully far from what it expects. */
  readonly agrees: boolean;
}

export interface MetricVerdict {
  readonly metric: string;
  readonly verdict: Verdict;
  /** Every detector that spoke, the decisive one first. */
  readonly detectors: readonly Score[];
  /**
   * Anomalous, but no fault of this pod, so it does not count for its state: more load (`LoadIsNoFault`), or a rise no
   * greater than that of the load it follows (`ExplainedByLoad`). Absent: it counts.
   */
  readonly discounted?: 'LoadIsNoFault' | 'ExplainedByLoad';
  /** The series' models, youngest first; on anomalous metrics that count. See `model-agreement.ts`. */
  readonly models?: readonly ModelView[];
  /** Last finite value and its time; absent when there is none. */
  readonly value?: number;
  readonly atMs?: number;
}

/** Facts from the pod's status that alone make it unhealthy, e.g. `CrashLoopBackOff` (severity 0-1). */
export interface StatusFinding {
  readonly reason: string;
  readonly message: string;
  readonly severity: number;
  /** When the cluster says it began. */
  readonly sinceMs?: number;
}

export interface VectorScore {
  readonly score: number;
  readonly samples: number;
  /** Share of the score that each metric carries; sums to 1. */
  readonly contributions: Readonly<Record<string, number>>;
}

export interface PodVerdict {
  readonly pod: PodRef;
  readonly state: HealthState;
  readonly score: number;
  readonly metrics: readonly MetricVerdict[];
  readonly status: readonly StatusFinding[];
  readonly vector?: VectorScore;
}

export interface WorkloadVerdict {
  readonly workload: WorkloadRef;
  readonly atMs: number;
  readonly state: HealthState;
  readonly score: number;
  readonly pods: readonly PodVerdict[];
  /** Metrics without a pod label, judged for the workload as a whole. */
  readonly workloadMetrics: readonly MetricVerdict[];
  /** What speaks against the workload itself, whatever its pods are; absent: nothing. */
  readonly status?: readonly StatusFinding[];
  /** Time of the oldest sample that the verdict rests on; absent: status alone. */
  readonly oldestSampleMs?: number;
}
