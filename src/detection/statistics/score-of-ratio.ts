/** What is left of "ordinary" at a ratio of 1: the score is then 0.85, the usual threshold. */
const REST = 0.15;

/**
 * Ratio of a feature to its own alarm line -> score in [0, 1): 1 - 0.15^ratio. 0 -> 0, 1 -> 0.85, 2 -> 0.98.
 * Negative or NaN: 0. Infinite: 1.
 */
export function scoreOfRatio(ratio: number): number {
  return ratio > 0 ? 1 - REST ** ratio : 0;
}
