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
  /** Index of the window, or -1. */
  readonly window: number;
  /** Reward in its window relative to the best, or cost outside at a weight of 1. */
  readonly value: number;
}

/** Every row that can count, for any threshold. */
function rowEvents(series: readonly ScoredSeries[]): { events: RowEvent[]; windows: number; rows: number } {
  const events: RowEvent[] = [];
  let windows = 0;
  let rows = 0;
  for (const { scores, windows: ranges } of series) {
    const first = probation(scores.length);
    rows += scores.length - ranges.reduce((sum, [left, right]) => sum + right - left + 1, 0);
    let next = 0;
    let previous: readonly [number, number] | undefined;
    for (let i = 0; i < scores.length; i++) {
      while (next < ranges.length && i > (ranges[next]?.[1] ?? 0)) previous = ranges[next++];
      if (i < first) continue;
      events.push({ score: scores[i] ?? 0, ...place(i, ranges[next], previous, windows + next) });
    }
    windows += ranges.length;
  }
  return { events, windows, rows };
}

function place(
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

/** The best total over all thresholds, normalised between the null (0) and the perfect detector (100). */
export function bestNabScore(series: readonly ScoredSeries[], profile: NabProfile): NabResult {
  return sweep(series, profile, undefined);
}

/** The total at a given threshold: rows with a score of at least that fire. */
export function nabScoreAt(series: readonly ScoredSeries[], profile: NabProfile, threshold: number): NabResult {
  return sweep(series, profile, threshold);
}

function sweep(series: readonly ScoredSeries[], profile: NabProfile, fixed: number | undefined): NabResult {
  const { events, windows, rows } = rowEvents(series);
  events.sort((a, b) => b.score - a.score);
  const state = new Sweep(profile, windows);
  const result = (threshold: number): NabResult => ({
    score: (100 * (state.total + profile.fn * windows)) / ((1 + profile.fn) * windows),
    threshold,
    windowsHit: state.hit,
    windows,
    falseRowsPer10k: (10_000 * state.falseRows) / rows,
  });
  let best = result(Infinity);
  for (let i = 0; i < events.length; i++) {
    const event = events[i];
    if (event === undefined || (fixed !== undefined && event.score < fixed)) break;
    state.fire(event);
    const isLastOfScore = events[i + 1]?.score !== event.score;
    if (fixed === undefined && isLastOfScore && result(0).score > best.score) best = result(event.score);
  }
  return fixed === undefined ? best : result(fixed);
}
