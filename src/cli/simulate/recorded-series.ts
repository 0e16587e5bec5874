import type { WorkloadKind } from '../../lib/workload.ts';

/** One series as it was recorded, whatever it was read from: the form that the replay works on. */
export interface RecordedSeries {
  /** A metric's name, or a fact of the cluster (`FACTS`). */
  readonly metric: string;
  readonly namespace: string;
  /** Absent: of the workload as a whole. */
  readonly pod?: string;
  /**
   * The workload that the pod belongs to, where the record says so; else it is read off the pod's name. Without a pod: the
   * one that the series is of.
   */
  readonly workload?: string;
  /** Its kind, where the record says so: then no workload of the same name and another kind is meant. */
  readonly workloadKind?: WorkloadKind;
  /** Facts may come container by container; those of a pod are added up. */
  readonly container?: string;
  /** Ascending. */
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
}

/** What a record may tell of the cluster besides metrics, under the names of kube-state-metrics. */
export const FACTS = {
  /** Cores, summed over the pod's containers. */
  cpuLimit: 'cpu_limit',
  /** Bytes, summed over the pod's containers. */
  memoryLimit: 'memory_limit',
  /** 1 while the pod is Ready. */
  ready: 'ready',
  /** Restarts of the pod's containers since it was made. */
  restarts: 'restarts_total',
  /** Epoch seconds. */
  created: 'created',
  /** Desired replicas of the workload. */
  replicas: 'replicas',
} as const;

/** `waiting:CrashLoopBackOff`, 1 while a container of the pod waits for that reason. */
export const WAITING = 'waiting:';
/** `terminated:OOMKilled`, 1 while that is why a container of the pod ended last. */
export const TERMINATED = 'terminated:';

/** What tells the series of a record apart. */
export const identityOf = (series: Omit<RecordedSeries, 'timesMs' | 'values'>): string => {
  const { namespace, workload, workloadKind, pod, container, metric } = series;
  return [namespace, workloadKind, workload, pod, container, metric].map((part) => part ?? '').join('\n');
};

const FACT_NAMES: ReadonlySet<string> = new Set(Object.values(FACTS));

export const isFact = (metric: string): boolean =>
  FACT_NAMES.has(metric) || metric.startsWith(WAITING) || metric.startsWith(TERMINATED);

/** The newest sample at a moment. Moments must not go back by much: the place of the last look is kept. */
export class Cursor {
  readonly series: RecordedSeries;
  #index = -1;

  constructor(series: RecordedSeries) {
    this.series = series;
  }

  /** Index of the newest sample that is not after `atMs`; -1: there is none yet. */
  seek(atMs: number): number {
    const { timesMs } = this.series;
    while (this.#index >= 0 && (timesMs[this.#index] ?? Infinity) > atMs) this.#index -= 1;
    while ((timesMs[this.#index + 1] ?? Infinity) <= atMs) this.#index += 1;
    return this.#index;
  }

  valueAt(atMs: number): number | undefined {
    return this.series.values[this.seek(atMs)];
  }
}
