/**
 * Ranks metrics and entities (pods, services) by how far they moved when the trouble began: robust, so that a single
 * outlier on either side does not matter.
 *
 *   shift = (median after onset - median before) / max(IQR before, floor of the metric's kind)
 *
 * "Before" ends a guard of 60 s ahead of the alarm: the alarm comes later than the trouble, and samples from between
 * belong to neither side. Floors keep a series that never moved (IQR 0) from ranking first for moving by nothing.
 */

/** What a metric's numbers are, which decides how small a change is none. */
export type MetricKind = 'utilisation' | 'bytes' | 'latency' | 'ratio' | 'rate' | 'count';

export interface RankSeries {
  /** Pod or service. */
  readonly entity: string;
  readonly metric: string;
  readonly kind: MetricKind;
  /** Epoch milliseconds, ascending. */
  readonly timesMs: Float64Array;
  /** NaN where there is no value. */
  readonly values: Float64Array;
}

export interface RankSettings {
  readonly guardMs: number;
  /** Samples needed on each side. */
  readonly minSamples: number;
}

const DEFAULT_RANK_SETTINGS: RankSettings = { guardMs: 60_000, minSamples: 3 };

export interface RankedMetric {
  readonly entity: string;
  readonly metric: string;
  readonly kind: MetricKind;
  /** Signed, in spreads of the time before. */
  readonly shift: number;
  /** log1p(|shift|): what the ranking goes by. */
  readonly score: number;
  /** First of the samples since which the series stays beyond half its shift. */
  readonly onsetAtMs: number;
  readonly before: number;
  readonly after: number;
}

/** Smallest spread of a kind: a share of the usual level and an absolute value. */
const FLOORS: Readonly<Record<MetricKind, readonly [share: number, absolute: number]>> = {
  utilisation: [0.05, 0.5],
  bytes: [0.02, 1_048_576],
  latency: [0.1, 1],
  ratio: [0.1, 0.005],
  rate: [0.1, 0.1],
  count: [0.1, 1],
};

/** Value at a share of the sorted values, linear between neighbours; NaN if there are none. */
export function quantileOf(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return NaN;
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const left = sorted[low] ?? NaN;
  return left + (at - low) * ((sorted[Math.min(low + 1, sorted.length - 1)] ?? left) - left);
}

interface Side {
  readonly median: number;
  readonly iqr: number;
  readonly samples: number;
}

function sideOf(values: readonly number[]): Side {
  const sorted = Float64Array.from(values).sort();
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantileOf(sorted, share));
  return { median: middle ?? NaN, iqr: (high ?? NaN) - (low ?? NaN), samples: sorted.length };
}

/** How far one series moved; undefined: too few finite samples on a side. */
export function shiftOf(
  series: RankSeries,
  alarmAtMs: number,
  settings: RankSettings = DEFAULT_RANK_SETTINGS,
): RankedMetric | undefined {
  const before: number[] = [];
  const after: number[] = [];
  for (const [i, atMs] of series.timesMs.entries()) {
    const value = series.values[i] ?? NaN;
    if (!Number.isFinite(value)) continue;
    if (atMs < alarmAtMs - settings.guardMs) before.push(value);
    else if (atMs >= alarmAtMs) after.push(value);
  }
  const [was, is] = [sideOf(before), sideOf(after)];
  if (was.samples < settings.minSamples || is.samples < settings.minSamples) return undefined;
  const [share, absolute] = FLOORS[series.kind];
  const spread = Math.max(was.iqr, share * Math.abs(was.median), absolute);
  const shift = (is.median - was.median) / spread;
  const onsetAtMs = onsetOf(series, was.median, is.median, alarmAtMs - settings.guardMs);
  const score = Math.log1p(Math.abs(shift));
  const { entity, metric, kind } = series;
  return { entity, metric, kind, shift, score, onsetAtMs, before: was.median, after: is.median };
}

/** First sample since which the series has been beyond half its shift; the end of the series if it never stayed. */
function onsetOf(series: RankSeries, before: number, after: number, fromMs: number): number {
  const half = (before + after) / 2;
  const isBeyond = (value: number): boolean => (after >= before ? value >= half : value <= half);
  let onset = series.timesMs.at(-1) ?? fromMs;
  for (let i = series.timesMs.length - 1; i >= 0; i--) {
    const value = series.values[i] ?? NaN;
    if ((series.timesMs[i] ?? 0) < fromMs) break;
    if (Number.isFinite(value) && !isBeyond(value)) break;
    onset = series.timesMs[i] ?? onset;
  }
  return onset;
}

/** Scores this close are equal; then the earlier onset decides. */
const SAME_SCORE = 0.05;

const byScore = (a: RankedMetric, b: RankedMetric): number =>
  b.score - a.score || a.onsetAtMs - b.onsetAtMs || (`${a.entity} ${a.metric}` < `${b.entity} ${b.metric}` ? -1 : 1);

/** Every series that can be judged, the most shifted first; near ties by onset. */
export function rankMetrics(
  series: readonly RankSeries[],
  alarmAtMs: number,
  settings: RankSettings = DEFAULT_RANK_SETTINGS,
): readonly RankedMetric[] {
  const ranked = series.flatMap((each) => shiftOf(each, alarmAtMs, settings) ?? []).toSorted(byScore);
  const [first] = ranked;
  if (first === undefined) return ranked;
  const tied = ranked.filter((each) => each.score >= first.score * (1 - SAME_SCORE));
  const led = tied.toSorted((a, b) => a.onsetAtMs - b.onsetAtMs || byScore(a, b));
  return [...led, ...ranked.slice(tied.length)];
}

export interface RankedEntity {
  readonly entity: string;
  readonly score: number;
  readonly onsetAtMs: number;
  /** Its metrics, the likeliest culprit first. */
  readonly metrics: readonly RankedMetric[];
}

/** Memory under pressure costs cpu (reclaim, garbage collection), while a busy cpu holds no memory. */
const HELD_WEIGHT = 1.6;

const leading = (each: RankedMetric): number =>
  each.score * (each.kind === 'bytes' && each.shift > 0 ? HELD_WEIGHT : 1);

/** Entities by their most shifted metric, in the order of `rankMetrics`; within an entity memory goes before cpu. */
export function rankEntities(metrics: readonly RankedMetric[]): readonly RankedEntity[] {
  const groups = Map.groupBy(metrics, (each) => each.entity);
  return [...groups].map(([entity, own]) => ({
    entity,
    score: own[0]?.score ?? 0,
    onsetAtMs: own[0]?.onsetAtMs ?? Infinity,
    metrics: own.toSorted((a, b) => leading(b) - leading(a)),
  }));
}
