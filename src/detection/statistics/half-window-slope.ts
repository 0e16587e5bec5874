import { medianInPlace, scratch } from './median.ts';

/**
 * Theil's incomplete method: the median slope per step of the pairs that lie half the window apart, each value in one
 * pair. A hundredth of the cost of all pairs (`theil-sen-slope.ts`) for about four thirds of its standard error; up to
 * a quarter of the values may be wild. O(n). Fewer than two values: 0. Constant: 0. Huge values: infinite, never NaN.
 */
export function halfWindowSlope(values: ArrayLike<number>): number {
  const half = values.length >> 1;
  if (half === 0) return 0;
  const ahead = values.length - half;
  const slopes = scratch(half);
  for (let i = 0; i < half; i++) slopes[i] = ((values[i + ahead] ?? 0) / 2 - (values[i] ?? 0) / 2) / ahead;
  return 2 * medianInPlace(slopes, half);
}
