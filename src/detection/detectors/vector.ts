import type { RandomStream } from '../../lib/seeded-random.ts';
import { symmetricInverse } from '../statistics/symmetric-inverse.ts';
import { quantileOfSorted } from '../statistics/quantile.ts';
import { beyondTraining, forestScore, trainForest } from './isolation-forest.ts';
import type { Forest, Matrix } from './isolation-forest.ts';

/**
 * The metrics of one pod together. Two models of different nature must agree: a forest, which sees rare combinations,
 * and a Mahalanobis distance, which sees broken correlations. Both look at what is left once load is taken out: cpu,
 * memory, disk and latency are judged *given* the request rate, and the request rate itself is not judged, so a surge
 * that cpu follows is an ordinary row.
 */
export interface VectorModel {
  /** Per column: mean of the column, slope on load. `load` is the mean load. */
  readonly means: Float64Array;
  readonly slopes: Float64Array;
  readonly load: number;
  readonly forest: Forest;
  /** Forest scores of the training rows: median and 99th percentile. */
  readonly forestUsual: readonly [middle: number, high: number];
  /** Inverse covariance of the residuals, and the 99th percentile of the training rows' distances. */
  readonly inverse: Float64Array;
  readonly distanceHigh: number;
  /** Standard deviations of the residuals, floored. */
  readonly sigmas: Float64Array;
  readonly samples: number;
}

/** Rows of raw values, with the load of each row beside them (0 where there is none). */
export interface VectorRows {
  readonly matrix: Matrix;
  readonly loads: Float64Array;
}

/** Small trees: a model per workload must be kept in memory, and 64 rows isolate as well as 256 here. */
const FOREST = { trees: 50, sampleSize: 64 } as const;
/** Below this relative spread of load its slope is noise. */
const LOAD_MOVES = 0.05;
const RIDGE = 0.05;
/** Ratios of the two models at their alarm line, in widths of their usual range. */
const [FOREST_LINE, DISTANCE_LINE] = [1.6, 1.5] as const;
const CAP = 1e30;

/** Trains on rows of healthy pods. Constant columns, few rows and huge values give a usable model, never NaN. */
export function trainVector(rows: VectorRows, random: RandomStream): VectorModel {
  const { rows: count, columns } = rows.matrix;
  const load = mean(rows.loads);
  const { means, slopes } = regress(rows, load);
  const residuals = new Float32Array(count * columns);
  for (let row = 0; row < count; row++) {
    const raw = rows.matrix.values.subarray(row * columns, (row + 1) * columns);
    residualsOf(
      { means, slopes, load },
      raw,
      rows.loads[row] ?? 0,
      residuals.subarray(row * columns, (row + 1) * columns),
    );
  }
  const matrix = { rows: count, columns, values: residuals };
  const forest = trainForest(matrix, random, FOREST);
  const { inverse, sigmas } = spreadOf(matrix, means);
  const scores = new Float64Array(count);
  const distances = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    const residual = residuals.subarray(row * columns, (row + 1) * columns);
    scores[row] = forestScore(forest, residual);
    distances[row] = mahalanobis(inverse, residual);
  }
  scores.sort();
  distances.sort();
  const forestUsual = [quantileOfSorted(scores, 0.5), quantileOfSorted(scores, 0.99)] as const;
  const distanceHigh = Math.max(quantileOfSorted(distances, 0.99), Math.sqrt(columns));
  return { means, slopes, load, forest, forestUsual, inverse, distanceHigh, sigmas, samples: count };
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] ?? 0) / values.length;
  return sum;
}

/** Least squares of every column on load; a load that hardly moves explains nothing. */
function regress({ matrix, loads }: VectorRows, load: number): { means: Float64Array; slopes: Float64Array } {
  const { rows, columns, values } = matrix;
  const means = new Float64Array(columns);
  const slopes = new Float64Array(columns);
  let variance = 0;
  for (const value of loads) variance += (value - load) ** 2 / rows;
  const moves = Math.sqrt(variance) > LOAD_MOVES * Math.abs(load);
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += (values[row * columns + column] ?? 0) / rows;
    means[column] = sum;
    if (!moves) continue;
    let product = 0;
    for (let row = 0; row < rows; row++) {
      product += (((values[row * columns + column] ?? 0) - sum) * ((loads[row] ?? 0) - load)) / rows;
    }
    slopes[column] = product / variance;
  }
  return { means, slopes };
}

/** What load does not explain, written into `out`. */
function residualsOf(
  model: Pick<VectorModel, 'means' | 'slopes' | 'load'>,
  raw: Float32Array,
  load: number,
  out: Float32Array,
): void {
  for (let column = 0; column < out.length; column++) {
    const expected = (model.means[column] ?? 0) + (model.slopes[column] ?? 0) * (load - model.load);
    const residual = (raw[column] ?? 0) - expected;
    out[column] = Math.min(Math.max(residual, -CAP), CAP);
  }
}

function spreadOf(
  { rows, columns, values }: Matrix,
  means: Float64Array,
): { inverse: Float64Array; sigmas: Float64Array } {
  const covariance = new Float64Array(columns * columns);
  for (let row = 0; row < rows; row++) {
    for (let a = 0; a < columns; a++) {
      for (let b = 0; b < columns; b++) {
        const product = (values[row * columns + a] ?? 0) * (values[row * columns + b] ?? 0);
        covariance[a * columns + b] = (covariance[a * columns + b] ?? 0) + product / rows;
      }
    }
  }
  const sigmas = new Float64Array(columns);
  for (let a = 0; a < columns; a++) {
    const variance = covariance[a * columns + a] ?? 0;
    // A constant column gets a thousandth of its size as spread, so that a move of it is far but finite.
    const floored = variance * (1 + RIDGE) + (1e-3 * (means[a] ?? 0)) ** 2 + 1e-24;
    covariance[a * columns + a] = floored;
    sigmas[a] = Math.sqrt(floored);
  }
  return { inverse: symmetricInverse(covariance, columns), sigmas };
}

function mahalanobis(inverse: Float64Array, residual: Float32Array): number {
  const n = residual.length;
  let sum = 0;
  for (let a = 0; a < n; a++) {
    for (let b = 0; b < n; b++) sum += (residual[a] ?? 0) * (residual[b] ?? 0) * (inverse[a * n + b] ?? 0);
  }
  return Math.sqrt(Math.max(sum, 0));
}

/** Ratio to the alarm line (1), 0 to 20: the geometric mean of the two models, so that both must speak. */
export function vectorRatio(model: VectorModel, raw: Float32Array, load: number): number {
  const residual = new Float32Array(raw.length);
  residualsOf(model, raw, load, residual);
  const [middle, high] = model.forestUsual;
  const isolated = (forestScore(model.forest, residual) - middle) / Math.max(high - middle, 0.02) / FOREST_LINE;
  const outside = Math.max(isolated, beyondTraining(model.forest, residual), 0);
  const distance = mahalanobis(model.inverse, residual) / model.distanceHigh / DISTANCE_LINE;
  return Math.min(Math.sqrt(Math.min(outside, 20) * Math.min(distance, 20)), 20);
}

/** Share of each column in the squared, standardised residual; sums to 1. */
export function vectorShares(model: VectorModel, raw: Float32Array, load: number): Float64Array {
  const residual = new Float32Array(raw.length);
  residualsOf(model, raw, load, residual);
  const shares = Float64Array.from(residual, (value, column) => (value / (model.sigmas[column] ?? 1)) ** 2);
  const total = shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share) => (total > 0 && total < Infinity ? share / total : 1 / shares.length));
}
