/**
 * Kendall's tau against time: (rising pairs - falling pairs) / all pairs, -1 to 1. 1: never falls; 0: no trend.
 * Fewer than two values or all equal: 0. O(n^2).
 */
export function risingShare(values: ArrayLike<number>): number {
  const n = values.length;
  if (n < 2) return 0;
  let balance = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) balance += Math.sign((values[j] ?? 0) - (values[i] ?? 0));
  }
  return balance / ((n * (n - 1)) / 2);
}
