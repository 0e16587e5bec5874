/**
 * Middle value; the mean of the two middle ones for an even count. O(n) on average, on a copy: selects (Hoare 1961), sorts nothing.
 * Empty: NaN. Not finite values must have been removed before. Huge pairs do not overflow: halves are added.
 */
export function median(values: ArrayLike<number>): number {
  const copy = new Float64Array(values.length);
  for (let i = 0; i < copy.length; i++) copy[i] = values[i] ?? NaN;
  return medianInPlace(copy);
}

/** `median` of values that nobody needs in their order any more: they are rearranged. */
export function medianInPlace(copy: Float64Array): number {
  const n = copy.length;
  if (n <= SORTED_UP_TO) return medianOfSorted(copy.sort());
  const half = n >> 1;
  const upper = select(copy, half);
  if (n % 2 === 1) return upper;
  let lower = -Infinity;
  for (let i = 0; i < half; i++) lower = Math.max(lower, copy[i] ?? 0);
  return lower / 2 + upper / 2;
}

/** So few values are sorted as fast as they are searched. */
const SORTED_UP_TO = 12;

/** Puts the k-th smallest value at index k, what is smaller before it and what is greater behind it; returns it. */
function select(values: Float64Array, k: number): number {
  let [low, high] = [0, values.length - 1];
  while (low < high) {
    const pivot = medianOfThree(values[low] ?? 0, values[(low + high) >> 1] ?? 0, values[high] ?? 0);
    let [i, j] = [low, high];
    while (i <= j) {
      while ((values[i] ?? 0) < pivot) i++;
      while ((values[j] ?? 0) > pivot) j--;
      if (i > j) break;
      const swapped = values[i] ?? 0;
      values[i++] = values[j] ?? 0;
      values[j--] = swapped;
    }
    if (k <= j) high = j;
    else if (k >= i) low = i;
    else break;
  }
  return values[k] ?? NaN;
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
