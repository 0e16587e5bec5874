/**
 * NAB's scorer (numenta/NAB, MIT), written anew from its definition: windows reward an early alarm, rows outside cost
 * by their distance from the last window, one threshold serves the whole corpus.
 */
export interface NabProfile {
  readonly name: string;
  readonly fn: number;
  readonly fp: number;
}

export const NAB_PROFILES: readonly NabProfile[] = [
  { name: 'standard', fn: 1, fp: 0.11 },
  { name: 'low FP', fn: 1, fp: 0.22 },
  { name: 'low FN', fn: 2, fp: 0.11 },
];

/** One series with its scores: rows in time order, windows as inclusive row ranges. */
export interface ScoredSeries {
  readonly name: string;
  readonly scores: Float64Array;
  readonly windows: readonly (readonly [left: number, right: number])[];
}

export interface NabResult {
  readonly score: number;
  readonly threshold: number;
  readonly windowsHit: number;
  readonly windows: number;
  /** Firing rows outside every window and after probation, per 10,000 rows outside every window. */
  readonly falseRowsPer10k: number;
}

const sigmoid = (x: number): number => (x > 3 ? -1 : 2 / (1 + Math.exp(5 * x)) - 1);

/** Rows that are not scored: 15 % of the series, at most 750. */
export const probation = (rows: number): number => Math.min(Math.floor(0.15 * rows), 750);

interface RowEvent {
  readonly score: number;
  readonly series: number;
  /** Index of the window over the whole corpus, or -1. */
  readonly window: number;
  /** Reward in its window relative to the best, or cost outside at a weight of 1. */
  readonly value: number;
}

/** A corpus with every row that can count, highest score first: sorted once, swept often. */
export interface PreparedCorpus {
  readonly events: readonly RowEvent[];
  /** Per series: windows, and rows outside of them. */
  readonly sizes: readonly { readonly windows: number; readonly rows: number }[];
}

export function prepareCorpus(corpus: readonly ScoredSeries[]): PreparedCorpus {
  const events: RowEvent[] = [];
  const sizes: { windows: number; rows: number }[] = [];
  let windows = 0;
  corpus.forEach(({ scores, windows: ranges }, series) => {
    const first = probation(scores.length);
    let next = 0;
    let previous: readonly [number, number] | undefined;
    for (let i = 0; i < scores.length; i++) {
      while (next < ranges.length && i > (ranges[next]?.[1] ?? 0)) previous = ranges[next++];
      if (i >= first)
        events.push({ score: scores[i] ?? 0, series, ...place(i, ranges[next], previous, windows + next) });
    }
    windows += ranges.length;
    const inside = ranges.reduce((sum, [left, right]) => sum + right - left + 1, 0);
    sizes.push({ windows: ranges.length, rows: scores.length - inside });
  });
  events.sort((a, b) => b.score - a.score);
  return { events, sizes };
}

/** Where a row lies: in which window, and what it earns there relative to the best; outside what it costs at weight 1. */
export function place(
  i: number,
  current: readonly [number, number] | undefined,
  previous: readonly [number, number] | undefined,
  index: number,
): { window: number; value: number } {
  if (current !== undefined && i >= current[0]) {
    const width = current[1] - current[0] + 1;
    return { window: index, value: sigmoid(-(current[1] - i + 1) / width) / sigmoid(-1) };
  }
  if (previous === undefined) return { window: -1, value: -1 };
  return { window: -1, value: sigmoid((i - previous[1]) / (previous[1] - previous[0])) };
}

/** Running total while the threshold falls from row to row. */
class Sweep {
  total: number;
  hit = 0;
  falseRows = 0;
  private readonly best = new Map<number, number>();
  private readonly profile: NabProfile;

  constructor(profile: NabProfile, windows: number) {
    this.profile = profile;
    this.total = -profile.fn * windows;
  }

  fire({ window, value }: RowEvent): void {
    if (window < 0) {
      this.total += value * this.profile.fp;
      this.falseRows++;
      return;
    }
    const before = this.best.get(window);
    if (before === undefined) {
      this.hit++;
      this.total += this.profile.fn + value;
      this.best.set(window, value);
    } else if (value > before) {
      this.total += value - before;
      this.best.set(window, value);
    }
  }
}

/** Total of one series if these rows fire: `-fn` for every missed window. Totals of series add up. */
export function nabTotal(
  rows: number,
  windows: ScoredSeries['windows'],
  firing: readonly number[],
  profile: NabProfile,
): number {
  const sweep = new Sweep(profile, windows.length);
  const first = probation(rows);
  for (const i of firing) {
    if (i < first) continue;
    const next = windows.findIndex(([, right]) => i <= right);
    const before = next < 0 ? windows.length - 1 : next - 1;
    sweep.fire({ score: 1, series: 0, ...place(i, windows[next], windows[before], next) });
  }
  return sweep.total;
}

/** Which series of the corpus count; absent: all. */
export type Selection = (series: number) => boolean;
const everySeries: Selection = () => true;

/** The best total over all thresholds, normalised between the null (0) and the perfect detector (100). */
export function bestNabScore(corpus: PreparedCorpus, profile: NabProfile, selected = everySeries): NabResult {
  return sweep(corpus, profile, selected, undefined);
}

/** The total at a given threshold: rows with a score of at least that fire. */
export function nabScoreAt(
  corpus: PreparedCorpus,
  profile: NabProfile,
  threshold: number,
  selected = everySeries,
): NabResult {
  return sweep(corpus, profile, selected, threshold);
}

function sweep(corpus: PreparedCorpus, profile: NabProfile, selected: Selection, fixed: number | undefined): NabResult {
  const counted = corpus.sizes.filter((_, series) => selected(series));
  const windows = counted.reduce((sum, size) => sum + size.windows, 0);
  const rows = counted.reduce((sum, size) => sum + size.rows, 0);
  const events = corpus.events;
  const state = new Sweep(profile, windows);
  const result = (threshold: number): NabResult => ({
    score: (100 * (state.total + profile.fn * windows)) / ((1 + profile.fn) * windows),
    threshold,
    windowsHit: state.hit,
    windows,
    falseRowsPer10k: (10_000 * state.falseRows) / rows,
  });
  let bestTotal = state.total;
  let best = result(Infinity);
  for (let i = 0; i < events.length; i++) {
    const event = events[i];
    if (event === undefined || (fixed !== undefined && event.score < fixed)) break;
    if (selected(event.series)) state.fire(event);
    if (fixed !== undefined || events[i + 1]?.score === event.score || state.total <= bestTotal) continue;
    bestTotal = state.total;
    best = result(event.score);
  }
  return fixed === undefined ? best : result(fixed);
}
