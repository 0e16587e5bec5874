/**
 * Quantile `q` in [0, 1] of values in ascending order, linear between neighbours (R type 7, numpy's default).
 * Empty: NaN. O(1).
 */
export function quantileOfSorted(sorted: ArrayLike<number>, q: number): number {
  const position = Math.min(Math.max(q, 0), 1) * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below] ?? NaN;
  const high = sorted[below + 1] ?? low;
  return low === high ? low : low + (high - low) * (position - below);
}
