import { median, medianInPlace, scratch } from './median.ts';

/** Makes the median absolute deviation of normal data equal its standard deviation: 1 / Phi^-1(3/4). */
export const MAD_TO_SIGMA = 1.4826022185056018;

/**
 * Median distance from the median (or from `center`), unscaled. O(n) on average.
 * Empty: NaN. Constant: 0. More than half of the values equal: 0, so callers need a floor.
 */
export function medianAbsoluteDeviation(values: ArrayLike<number>, center = median(values)): number {
  const n = values.length;
  const distances = scratch(n);
  for (let i = 0; i < n; i++) distances[i] = Math.abs((values[i] ?? NaN) - center);
  return medianInPlace(distances, n);
}
