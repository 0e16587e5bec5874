/**
 * A quantile sketch for positive values without a unit (z values, ratios) in fixed memory: 128 logarithmic bins, 4 per
 * octave, from 2^-16 to 2^16, each 19 % wide. Counts are halved when their sum reaches 16,384: old samples fade, and 16
 * bits hold every count. It lives in the caller's arrays, starting at `at`; bin 0 also holds zeros.
 */
export const HISTOGRAM_BINS = 128;
const CENTER = 64;
const PER_OCTAVE = 4;
export const HISTOGRAM_CAPACITY = 16_384;

/** Bin of `value`; zero, negative and NaN give bin 0, infinity the last. */
export function histogramBin(value: number): number {
  if (!(value > 0)) return 0;
  const bin = CENTER + Math.floor(PER_OCTAVE * Math.log2(value));
  return bin < 0 ? 0 : bin > HISTOGRAM_BINS - 1 ? HISTOGRAM_BINS - 1 : bin;
}

/** Counts one value; returns the new sum of counts (halved when full). */
export function histogramAdd(counts: Uint16Array, at: number, bin: number, total: number): number {
  counts[at + bin] = (counts[at + bin] ?? 0) + 1;
  if (total + 1 < HISTOGRAM_CAPACITY) return total + 1;
  let left = 0;
  for (let i = at; i < at + HISTOGRAM_BINS; i++) {
    const half = (counts[i] ?? 0) >> 1;
    counts[i] = half;
    left += half;
  }
  return left;
}

/**
 * Value that a share `1 - tail` of the counted ones does not exceed, geometric inside its bin, for a small `tail`.
 * Empty sketch, or the quantile among the zeros: 0. Cost: the bins above it.
 */
export function histogramUpperQuantile(counts: Uint16Array, at: number, total: number, tail: number): number {
  let wanted = tail * total;
  if (total === 0) return 0;
  for (let bin = HISTOGRAM_BINS - 1; bin > 0; bin--) {
    const count = counts[at + bin] ?? 0;
    if (count > wanted) return 2 ** ((bin + 1 - CENTER - wanted / count) / PER_OCTAVE);
    wanted -= count;
  }
  return 0;
}

/** Share of counted values in the bin of `value` or above: an empirical p-value, never below 1/(n+1). */
export function histogramTailShare(counts: Uint16Array, at: number, total: number, bin: number): number {
  let above = 0;
  for (let i = HISTOGRAM_BINS - 1; i >= bin; i--) above += counts[at + i] ?? 0;
  return (above + 1) / (total + 1);
}
