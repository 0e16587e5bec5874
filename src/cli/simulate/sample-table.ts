import type { WorkloadKind } from '../../lib/workload.ts';
import { identityOf, type RecordedSeries } from './recorded-series.ts';

/** One sample as a line of a file gives it. */
export interface Sample {
  readonly metric: string;
  readonly namespace: string;
  readonly pod?: string;
  readonly workload?: string;
  readonly workloadKind?: WorkloadKind;
  readonly container?: string;
  readonly atMs: number;
  readonly value: number;
}

interface Growing {
  readonly of: Omit<Sample, 'atMs' | 'value'>;
  readonly times: number[];
  readonly values: number[];
  isOrdered: boolean;
}

/** Gathers samples in whatever order they stand in a file. */
export class SampleTable {
  readonly #series = new Map<string, Growing>();

  add({ atMs, value, ...of }: Sample): void {
    const key = identityOf(of);
    const known = this.#series.get(key) ?? { of, times: [], values: [], isOrdered: true };
    this.#series.set(key, known);
    known.isOrdered &&= atMs > (known.times.at(-1) ?? -Infinity);
    known.times.push(atMs);
    known.values.push(value);
  }

  /** Each series in order of time; of two samples of one moment the later line holds. */
  series(): readonly RecordedSeries[] {
    return [...this.#series.values()].map(({ of, times, values, isOrdered }) => {
      if (isOrdered) return { ...of, timesMs: Float64Array.from(times), values: Float64Array.from(values) };
      const byTime = new Map(times.map((atMs, i) => [atMs, values[i] ?? NaN]));
      const ordered = [...byTime].sort(([a], [b]) => a - b);
      return {
        ...of,
        timesMs: Float64Array.from(ordered, ([atMs]) => atMs),
        values: Float64Array.from(ordered, ([, value]) => value),
      };
    });
  }
}
