import { medianInPlace, scratch } from './median.ts';

/**
 * Median of all pairwise slopes of equally spaced values, per step (Theil 1950, Sen 1968): up to 29 % of the values
 * may be wild without moving it. O(n^2), for windows of a few dozen. Fewer than two values: 0. Constant: 0.
 * Differences of huge values are taken in halves, so that none overflows into a NaN; denormals lose their last bit.
 */
export function theilSenSlope(values: ArrayLike<number>): number {
  const n = values.length;
  if (n < 2) return 0;
  const pairs = (n * (n - 1)) / 2;
  const slopes = scratch(pairs);
  let k = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) slopes[k++] = ((values[j] ?? 0) / 2 - (values[i] ?? 0) / 2) / (j - i);
  }
  return 2 * medianInPlace(slopes, pairs);
}
