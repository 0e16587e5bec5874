/**
 * Area under the precision-recall curve as average precision: sum over thresholds of (recall gained) * precision there.
 * Rows of equal score share one threshold, as in scikit-learn's `average_precision_score`. No positive: NaN.
 */
export function averagePrecision(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const order = Array.from({ length: labels.length }, (_, i) => i).toSorted(
    (a, b) => (scores[b] ?? 0) - (scores[a] ?? 0),
  );
  const positives = order.reduce((sum, i) => sum + (labels[i] ?? 0), 0);
  let [area, hits, hitsBefore] = [0, 0, 0];
  order.forEach((row, i) => {
    hits += labels[row] ?? 0;
    const next = order[i + 1];
    if (next !== undefined && scores[next] === scores[row]) return;
    area += ((hits - hitsBefore) / positives) * (hits / (i + 1));
    hitsBefore = hits;
  });
  return positives === 0 ? NaN : area;
}
