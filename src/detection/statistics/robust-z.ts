import { MAD_TO_SIGMA, medianAbsoluteDeviation } from './median-absolute-deviation.ts';
import { median } from './median.ts';

/**
 * Distance of `value` from the median of `others` in robust standard deviations, signed; the deviation is never taken
 * below `floor` (> 0), so that equal or few others do not make noise look like evidence. No others: 0.
 */
export function robustZ(value: number, others: ArrayLike<number>, floor: number): number {
  if (others.length === 0) return 0;
  const center = median(others);
  const sigma = MAD_TO_SIGMA * medianAbsoluteDeviation(others, center);
  return (value - center) / Math.max(sigma, floor, Number.MIN_VALUE);
}
