/**
 * Middle value; the mean of the two middle ones for an even count. O(n log n), sorts a copy.
 * Empty: NaN. Not finite values must have been removed before. Huge pairs do not overflow: halves are added.
 */
export function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  return medianOfSorted(sorted);
}

/** `median` of values that are in ascending order already; O(1). */
export function medianOfSorted(sorted: ArrayLike<number>): number {
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (sorted[half - 1] ?? NaN) / 2 + upper / 2;
}

/** Middle of three, without sorting: the smallest filter that one wild sample cannot move. */
export function medianOfThree(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
