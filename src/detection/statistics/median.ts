/**
 * Middle value; the mean of the two middle ones for an even count. O(n) on average, on a copy: selects (Hoare 1961), sorts nothing.
 * Empty: NaN. Not finite values must have been removed before. Huge pairs do not overflow: halves are added.
 */
export function median(values: ArrayLike<number>): number {
  const n = values.length;
  const copy = scratch(n);
  for (let i = 0; i < n; i++) copy[i] = values[i] ?? NaN;
  return medianInPlace(copy, n);
}

/** Most medians are of a handful of replicas: a new typed array for each would be most of what a poll throws away. */
const SCRATCH = new Float64Array(256);

/** Room for `count` values until the next call; what is in it is of no meaning. */
export const scratch = (count: number): Float64Array => (count <= SCRATCH.length ? SCRATCH : new Float64Array(count));

/** `median` of the first `n` values, which nobody needs in their order any more: they are rearranged. */
export function medianInPlace(copy: Float64Array, n: number): number {
  if (n <= SORTED_UP_TO) return medianOfSorted(sortFew(copy, n), n);
  const half = n >> 1;
  const upper = select(copy, half, n - 1);
  if (n % 2 === 1) return upper;
  let lower = -Infinity;
  for (let i = 0; i < half; i++) lower = Math.max(lower, copy[i] ?? 0);
  return lower / 2 + upper / 2;
}

/** So few values are sorted as fast as they are searched. */
const SORTED_UP_TO = 12;

function sortFew(values: Float64Array, n: number): Float64Array {
  for (let i = 1; i < n; i++) {
    const value = values[i] ?? NaN;
    let at = i;
    for (; at > 0 && (values[at - 1] ?? NaN) > value; at--) values[at] = values[at - 1] ?? NaN;
    values[at] = value;
  }
  return values;
}

/** Puts the k-th smallest value up to index `last` at index k, what is smaller before it and what is greater behind it. */
function select(values: Float64Array, k: number, last: number): number {
  let [low, high] = [0, last];
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
export function medianOfSorted(sorted: ArrayLike<number>, n = sorted.length): number {
  const half = n >> 1;
  const upper = n === 0 ? NaN : (sorted[half] ?? NaN);
  return n % 2 === 1 ? upper : (sorted[half - 1] ?? NaN) / 2 + upper / 2;
}

/** Middle of three, without sorting: the smallest filter that one wild sample cannot move. */
export function medianOfThree(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
