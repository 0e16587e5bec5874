import { median } from '../detection/statistics/median.ts';
import { quantileOfSorted } from '../detection/statistics/quantile.ts';
import type { SeriesSummary } from './evidence.ts';
import type { Point, RememberedSeries } from './series-memory.ts';

/** What is near the onset may belong to either side of it. */
const GUARD_MS = 60_000;
/** Fewer polls from before say nothing about what is usual. */
const LEAST_BASELINE = 6;
/** The present is the median of the last polls: one noisy reading is not a shift. */
const PRESENT = 3;
/** Where the series left its usual range: so many inter-quartile ranges, and this share of the median. */
const LEFT_RANGES = 3;
const LEFT_SHARE = 0.1;
const WINDOW = 4;
/** A window is higher than the one before by at least this share: medians of noise rise by themselves, but by less. */
const STEP_SHARE = 0.02;

/**
 * Each series before and after the onset, from the polls that are remembered: median and inter-quartile range of what
 * lies more than a minute before the onset, the present, the moment at which it left its usual range, and its climb.
 * The verdict tells whether a value is alarming; this tells whether it moved, which is what causes are told apart by.
 */
export function summariseSeries(series: readonly RememberedSeries[], onsetAtMs: number): readonly SeriesSummary[] {
  return series.map(({ metric, pod, points }) => ({
    metric,
    ...(pod !== undefined && { pod }),
    ...summary(points, onsetAtMs),
  }));
}

function summary(points: readonly Point[], onsetAtMs: number): Omit<SeriesSummary, 'metric' | 'pod'> {
  const before = points.filter(({ atMs }) => atMs <= onsetAtMs - GUARD_MS).map(({ value }) => value);
  const present = points.slice(-PRESENT).map(({ value }) => value);
  if (present.length === 0) return {};
  const current = median(Float64Array.from(present));
  const motion = { current, climbingWindows: climbingWindows(points), ...slope(points) };
  if (before.length < LEAST_BASELINE) return motion;
  const sorted = Float64Array.from(before).sort();
  const baselineMedian = quantileOfSorted(sorted, 0.5);
  const baselineIqr = quantileOfSorted(sorted, 0.75) - quantileOfSorted(sorted, 0.25);
  const leaves = Math.max(LEFT_RANGES * baselineIqr, LEFT_SHARE * Math.abs(baselineMedian), Number.MIN_VALUE);
  return { ...motion, baselineMedian, baselineIqr, ...onset(points, baselineMedian, leaves) };
}

/** The first poll of the unbroken run, up to now, outside of the usual range. */
function onset(points: readonly Point[], usual: number, leaves: number): Pick<SeriesSummary, 'onsetAtMs'> {
  const inside = points.findLastIndex(({ value }) => Math.abs(value - usual) <= leaves);
  const first = points[inside + 1];
  return first === undefined ? {} : { onsetAtMs: first.atMs };
}

/** How many successive windows, back from now, have a higher median than the one before. */
function climbingWindows(points: readonly Point[]): number {
  const medians: number[] = [];
  for (let end = points.length; end >= WINDOW; end -= WINDOW) {
    medians.push(median(Float64Array.from(points.slice(end - WINDOW, end).map(({ value }) => value))));
  }
  const stop = medians.findIndex((later, i) => {
    const earlier = medians[i + 1] ?? Infinity;
    return !(later > earlier + STEP_SHARE * Math.abs(earlier));
  });
  return Math.max(stop, 0);
}

/** Change per second over the last windows, between the medians of their halves. */
function slope(points: readonly Point[]): Pick<SeriesSummary, 'slopePerSecond'> {
  const recent = points.slice(-2 * WINDOW);
  if (recent.length < 2 * WINDOW) return {};
  const [early, late] = [recent.slice(0, WINDOW), recent.slice(WINDOW)];
  const middle = (half: readonly Point[], of: (point: Point) => number): number =>
    median(Float64Array.from(half.map(of)));
  const seconds = (middle(late, ({ atMs }) => atMs) - middle(early, ({ atMs }) => atMs)) / 1_000;
  if (!(seconds > 0)) return {};
  return { slopePerSecond: (middle(late, ({ value }) => value) - middle(early, ({ value }) => value)) / seconds };
}
