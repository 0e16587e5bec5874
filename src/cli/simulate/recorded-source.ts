import type { MetricSource, MetricWish, PolledReading, PollReply, RangeSeries } from '../../controller/ports.ts';
import { isPreset, PRESETS } from '../../detection/presets.ts';
import { ok, type Result } from '../../lib/result.ts';
import { Cursor, FACTS, isFact, type RecordedSeries } from './recorded-series.ts';

export interface RecordedSourceOptions {
  readonly series: readonly RecordedSeries[];
  /** A sample older than this is no answer any more, as in Prometheus. */
  readonly lookBackMs: number;
  /** What the live source would look back over to compute a rate: cooldowns wait for it. */
  readonly rateWindowMs: number;
}

interface Wanted {
  readonly cursor: Cursor;
  readonly unit: string;
  readonly owner: Pick<PolledReading, 'pod' | 'workload'>;
}

/** The pod, or the workload that a series without a pod is of, as the live source tells of them. */
function ownerOf({ pod, workload: name, workloadKind: kind }: RecordedSeries): Wanted['owner'] {
  if (pod !== undefined) return { pod };
  return name === undefined ? {} : { workload: { name, ...(kind !== undefined && { kind }) } };
}

/** A Prometheus that answers out of the record, with what it would have known at each moment and nothing later. */
export class RecordedSource implements MetricSource {
  readonly #byNamespace: ReadonlyMap<string, readonly Cursor[]>;
  readonly #byPolicy = new Map<string, readonly Wanted[]>();
  readonly #limited: ReadonlySet<string>;
  readonly #options: RecordedSourceOptions;
  polls = 0;
  /** When it was asked last. */
  polledAtMs: number | undefined;

  constructor(options: RecordedSourceOptions) {
    this.#options = options;
    const measured = options.series.filter(({ metric }) => !isFact(metric));
    this.#byNamespace = Map.groupBy(
      measured.map((series) => new Cursor(series)),
      (cursor) => cursor.series.namespace,
    );
    this.#limited = new Set(
      options.series.flatMap(({ metric, namespace, pod }) =>
        metric === FACTS.cpuLimit || metric === FACTS.memoryLimit ? `${namespace}/${pod}/${metric}` : [],
      ),
    );
  }

  poll(wishes: readonly MetricWish[], nowMs: number): Promise<PollReply> {
    this.polls += 1;
    this.polledAtMs = nowMs;
    const policies = wishes.map((wish) => ({
      policyUid: wish.policyUid,
      readings: this.#readings(wish, nowMs),
      problems: [],
    }));
    return Promise.resolve({ atMs: nowMs, queries: 0, policies });
  }

  /** What a policy watches does not change during a replay. */
  #wanted(wish: MetricWish): readonly Wanted[] {
    const known = this.#byPolicy.get(wish.policyUid);
    if (known !== undefined) return known;
    const { namespace, metrics } = wish;
    const isWanted = ({ series: { metric } }: Cursor): boolean =>
      metrics.length === 0 ? isPreset(metric) : metrics.some(({ name }) => name === metric);
    const all = (this.#byNamespace.get(namespace) ?? []).filter(isWanted);
    const wanted = all.map((cursor) => ({
      ...{ cursor, unit: this.#unit(cursor.series, wish), owner: ownerOf(cursor.series) },
    }));
    this.#byPolicy.set(wish.policyUid, wanted);
    return wanted;
  }

  #readings(wish: MetricWish, nowMs: number): readonly PolledReading[] {
    const readings: PolledReading[] = [];
    for (const { cursor, unit, owner } of this.#wanted(wish)) {
      const at = cursor.seek(nowMs);
      const { series } = cursor;
      const atMs = series.timesMs[at];
      const value = series.values[at];
      if (atMs === undefined || value === undefined || nowMs - atMs > this.#options.lookBackMs) continue;
      readings.push({ metric: series.metric, unit, reading: { kind: 'value', value, atMs }, ...owner });
    }
    if (readings.length > 0) return readings;
    return wish.metrics.map(({ name, unit }) => ({
      metric: name,
      unit,
      reading: { kind: 'unknown', reason: 'Absent' },
    }));
  }

  /** With a limit on record the values are cores and bytes, as the live source gives them; the pod's object knows its limit. */
  #unit({ metric, namespace, pod }: RecordedSeries, wish: MetricWish): string {
    const [fact, unit] = metric === 'cpu_usage' ? [FACTS.cpuLimit, 'cores'] : [FACTS.memoryLimit, 'bytes'];
    const isRaw = metric === 'cpu_usage' || metric === 'memory_usage';
    if (isRaw && this.#limited.has(`${namespace}/${pod}/${fact}`)) return unit;
    return isPreset(metric) ? PRESETS[metric].unit : (wish.metrics.find(({ name }) => name === metric)?.unit ?? '');
  }

  backfill(wish: MetricWish, fromMs: number, toMs: number): Promise<Result<readonly RangeSeries[], never>> {
    const past = this.#wanted(wish).flatMap(({ cursor: { series }, owner }): RangeSeries[] => {
      const { metric, timesMs, values } = series;
      const [first, end] = [firstFrom(timesMs, fromMs), firstFrom(timesMs, toMs)];
      if (end <= first) return [];
      const part = { timesMs: timesMs.slice(first, end), values: values.slice(first, end) };
      return [{ metric, ...part, ...owner }];
    });
    return Promise.resolve(ok(past));
  }

  firingAlerts(): Promise<Result<readonly string[], never>> {
    return Promise.resolve(ok([]));
  }

  lookBackMs(): number {
    return this.#options.rateWindowMs;
  }

  checkQueries(): readonly [] {
    return [];
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Index of the first time that is not before `atMs`. */
function firstFrom(timesMs: Float64Array, atMs: number): number {
  let [low, high] = [0, timesMs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((timesMs[middle] ?? Infinity) < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
