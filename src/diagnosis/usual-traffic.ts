import { median } from '../detection/statistics/median.ts';
import type { Point, RememberedSeries } from './series-memory.ts';

/** What is near the onset may belong to either side of it. */
const GUARD_MS = 60_000;
/** Fewer moments from before say nothing about what is usual. */
const LEAST_MOMENTS = 6;
/** A pod's last value counts for so long; after that it is gone, not still. */
const COUNTS_FOR_MS = 60_000;

/**
 * Requests per second of the whole workload while it was well: the median, over the moments more than a minute before
 * the onset, of the sum over its pods. Where the source measures the workload as a whole, that series alone counts.
 * `undefined` with fewer than six such moments: healthy traffic was never observed.
 */
export function usualTraffic(series: readonly RememberedSeries[], onsetAtMs: number): number | undefined {
  const requests = series
    .filter(({ metric }) => metric === 'request_rate')
    .map(({ pod, points }) => ({ pod, points: points.filter(({ atMs }) => atMs <= onsetAtMs - GUARD_MS) }))
    .filter(({ points }) => points.length > 0);
  const whole = requests.filter(({ pod }) => pod === undefined);
  const parts = whole.length > 0 ? whole : requests;
  const [longest] = parts.toSorted((a, b) => b.points.length - a.points.length);
  if (longest === undefined || longest.points.length < LEAST_MOMENTS) return undefined;
  const sums = longest.points.map(({ atMs }) => parts.reduce((sum, { points }) => sum + valueAt(points, atMs), 0));
  return median(Float64Array.from(sums));
}

/** The last value within reach of the moment, before or after: pods are not scraped at one instant. */
function valueAt(points: readonly Point[], atMs: number): number {
  const near = points.filter((point) => Math.abs(point.atMs - atMs) <= COUNTS_FOR_MS);
  const [closest] = near.toSorted((a, b) => Math.abs(a.atMs - atMs) - Math.abs(b.atMs - atMs));
  return closest?.value ?? 0;
}
