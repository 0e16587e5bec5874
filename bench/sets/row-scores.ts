import { averagePrecision } from '../forest/average-precision.ts';

/** Scores and truth of rows in time order. */
export interface JudgedRows {
  readonly labels: Uint8Array;
  readonly scores: Float64Array;
}

export interface RowFigures {
  readonly averagePrecision: number;
  /** The best F1 that any one threshold reaches. */
  readonly bestF1: number;
  /** At the given threshold. */
  readonly f1: number;
  /** Labelled stretches, and those with a row at the threshold. */
  readonly stretches: number;
  readonly found: number;
  readonly falsePer10k: number;
}

/** All series as one: one threshold serves them all. A quiet row parts them, so that no stretch spans two. */
export function unite(series: readonly JudgedRows[]): JudgedRows {
  const size = series.reduce((sum, { labels }) => sum + labels.length + 1, 0);
  const all = { labels: new Uint8Array(size), scores: new Float64Array(size) };
  let at = 0;
  for (const { labels, scores } of series) {
    all.labels.set(labels, at);
    all.scores.set(scores, at);
    at += labels.length + 1;
  }
  return all;
}

/** Row by row: every row counts for itself. */
export function rowFigures({ labels, scores }: JudgedRows, threshold: number): RowFigures {
  const positives = labels.reduce((sum, label) => sum + label, 0);
  let [hits, fired, stretches, found] = [0, 0, 0, 0];
  let isFound = false;
  labels.forEach((label, i) => {
    const fires = (scores[i] ?? 0) >= threshold;
    if (label === 1 && labels[i - 1] !== 1) {
      stretches++;
      isFound = false;
    }
    if (fires) {
      fired++;
      hits += label;
    }
    if (fires && label === 1 && !isFound) {
      isFound = true;
      found++;
    }
  });
  return {
    averagePrecision: averagePrecision(scores, labels),
    bestF1: bestF1(labels, scores, positives),
    f1: f1Of(hits, fired, positives),
    stretches,
    found,
    falsePer10k: (10_000 * (fired - hits)) / Math.max(labels.length - positives, 1),
  };
}

const f1Of = (hits: number, fired: number, positives: number): number =>
  fired + positives === 0 ? NaN : (2 * hits) / (fired + positives);

function bestF1(labels: Uint8Array, scores: Float64Array, positives: number): number {
  const order = [...labels.keys()].toSorted((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
  let [hits, best] = [0, positives === 0 ? NaN : 0];
  order.forEach((row, i) => {
    hits += labels[row] ?? 0;
    const next = order[i + 1];
    if (next !== undefined && scores[next] === scores[row]) return;
    best = Math.max(best, f1Of(hits, i + 1, positives));
  });
  return best;
}
