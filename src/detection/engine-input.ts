import type { PodRef, WorkloadRef } from '../lib/workload.ts';
import type { MetricReading, MetricSpec, Reading } from './sample.ts';
import type { MetricVerdict, StatusFinding, WorkloadVerdict } from './verdict.ts';

/** What the engine needs to know of the policy. */
export interface DetectionSettings {
  /** A score from here on is anomalous. */
  readonly anomalyThreshold: number;
  /** Below so many samples only limits, status and peers judge. */
  readonly minSamples: number;
  /** Older samples are stale. */
  readonly maxSampleAgeMs: number;
  /** Expected distance of samples; a longer silence is a gap. */
  readonly intervalMs: number;
}

export interface PodObservation {
  readonly pod: PodRef;
  readonly templateHash?: string;
  readonly ageMs: number;
  readonly ready: boolean;
  readonly readings: readonly MetricReading[];
  /** Metric -> the container limit in the metric's own unit, where one is set. */
  readonly saturation: Readonly<Record<string, number>>;
  readonly status: readonly StatusFinding[];
}

export interface JudgeInput {
  readonly workload: WorkloadRef;
  /** By the clock that stamps the samples. */
  readonly nowMs: number;
  readonly settings: DetectionSettings;
  readonly metrics: readonly MetricSpec[];
  readonly pods: readonly PodObservation[];
  readonly workloadReadings: readonly MetricReading[];
  /** What speaks against the workload itself; absent: nothing. */
  readonly workloadStatus?: readonly StatusFinding[];
}

/**
 * One engine for the operator, the REST API, the backtest and the benchmarks. It holds the learnt state, but no
 * clock and no randomness of its own: the same calls in the same order give the same verdicts.
 */
export interface Engine {
  /** Scores every pod of a workload, then learns from what was normal. */
  judge(input: JudgeInput): WorkloadVerdict;
  /** One reading of one series; `seriesKey` is stable for its identity (workload, pod or label set, metric). */
  judgeSeries(
    seriesKey: string,
    spec: MetricSpec,
    reading: Reading,
    settings: DetectionSettings,
    nowMs: number,
  ): MetricVerdict;
  /** Teaches past values without judging them (back-fill), oldest first; returns how many were taken. */
  teach(seriesKey: string, spec: MetricSpec, timesMs: Float64Array, values: Float64Array): number;
  /** Samples learnt for a series; 0 if it is not known. */
  samples(seriesKey: string): number;
  /** Forgets series that were not seen since then; returns how many. */
  evict(notSeenSinceMs: number): number;
  seriesCount(): number;
  /** Whether anything is remembered of a series. */
  knows(seriesKey: string): boolean;
  snapshot(): Uint8Array;
  /** Replaces the state; throws `SnapshotError` with a reason for an unknown version or a damaged snapshot. */
  restore(bytes: Uint8Array): void;
  /**
   * Takes from a snapshot what it knows better: series by series and workload by workload, whichever has learnt more
   * stays. Throws as `restore` does, and then leaves the state as it was.
   */
  merge(bytes: Uint8Array): void;
}

/** The identity of a pod's series. A pod's history goes with its workload and template, not with its name alone. */
export function podSeriesKey(workload: WorkloadRef, pod: PodRef, metric: string): string {
  return `${workload.uid}/${pod.uid}/${metric}`;
}
