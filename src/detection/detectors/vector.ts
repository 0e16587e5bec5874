import type { RandomStream } from '../../lib/seeded-random.ts';
import { quantileOfSorted } from '../statistics/quantile.ts';
import { cloudDistance, distancesOf, fitCloud, isOneCloud } from './cloud.ts';
import { beyondTraining, forestScore, trainForest } from './isolation-forest.ts';
import type { Forest, Matrix } from './isolation-forest.ts';

/**
 * The metrics of one pod together. Two models of different nature: a forest, which sees rare combinations, and a
 * Mahalanobis distance, which sees broken correlations, to which a forest is all but blind. Where the rows learnt from
 * form one cloud, the distance decides; elsewhere (several clouds, long tails) it means little and both must agree. Both
 * look at what is left once load is taken out: cpu, memory, disk and latency are judged *given* the request rate, and the
 * request rate itself is not judged, so a surge that cpu follows is an ordinary row.
 */
export interface VectorModel {
  /** Per column: its usual value at the mean load, slope on load. `load` is the mean load. */
  readonly means: Float64Array;
  readonly slopes: Float64Array;
  readonly load: number;
  readonly forest: Forest;
  /** Forest scores of the training rows: median and 90th percentile. */
  readonly forestUsual: readonly [middle: number, high: number];
  /** Inverse covariance of the residuals, and the 99th percentile of the training rows' distances. */
  readonly inverse: Float64Array;
  readonly distanceHigh: number;
  /** Median and 90th percentile of the training rows' distances, if the rows form one cloud. */
  readonly distanceUsual?: readonly [middle: number, high: number];
  /** Standard deviations of the residuals, floored. */
  readonly sigmas: Float64Array;
  readonly samples: number;
}

/** Rows of raw values, with the load of each row beside them (0 where there is none). */
export interface VectorRows {
  readonly matrix: Matrix;
  readonly loads: Float64Array;
}

/** Below this relative spread of load its slope is noise. */
const LOAD_MOVES = 0.05;
/** Alarm lines: of how odd a row is, in widths of the upper half of what is usual; of the distance, in its usual range. */
const [ODD_LINE, DISTANCE_LINE] = [3.5, 1.5] as const;
const CAP = 1e30;

/** Trains on rows of healthy pods. Constant columns, few rows and huge values give a usable model, never NaN. */
export function trainVector(rows: VectorRows, random: RandomStream): VectorModel {
  const { rows: count, columns } = rows.matrix;
  const load = mean(rows.loads);
  const { means, slopes } = regress(rows, load);
  const residuals = new Float32Array(count * columns);
  const rest = { means, slopes, load };
  takeResiduals(rest, rows, residuals);
  const matrix = { rows: count, columns, values: residuals };
  const cloud = fitCloud(matrix, means);
  // From here on a residual is what is left around the cloud's centre.
  for (let column = 0; column < columns; column++) means[column] = (means[column] ?? 0) + (cloud.centre[column] ?? 0);
  takeResiduals(rest, rows, residuals);
  const forest = trainForest(matrix, random);
  const scores = Float64Array.from({ length: count }, (_, row) =>
    forestScore(forest, residuals.subarray(row * columns, (row + 1) * columns)),
  ).sort();
  const { inverse, sigmas, dimension } = cloud;
  const distances = distancesOf({ centre: new Float64Array(columns), inverse }, matrix).sort();
  const forestUsual = [quantileOfSorted(scores, 0.5), quantileOfSorted(scores, 0.9)] as const;
  const distanceHigh = Math.max(quantileOfSorted(distances, 0.99), Math.sqrt(columns));
  const distanceUsual = [quantileOfSorted(distances, 0.5), quantileOfSorted(distances, 0.9)] as const;
  const model = { means, slopes, load, forest, forestUsual, inverse, distanceHigh, sigmas, samples: count };
  return isOneCloud(distances, dimension) ? { ...model, distanceUsual } : model;
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

/** Residuals of all rows, by the very steps that a row to be scored takes: a constant column stays constant to the bit. */
function takeResiduals(
  model: Pick<VectorModel, 'means' | 'slopes' | 'load'>,
  rows: VectorRows,
  out: Float32Array,
): void {
  const { rows: count, columns, values } = rows.matrix;
  for (let row = 0; row < count; row++) {
    const [from, to] = [row * columns, (row + 1) * columns];
    residualsOf(model, values.subarray(from, to), rows.loads[row] ?? 0, out.subarray(from, to));
  }
}

const AT_CENTRE = new Float64Array(0);

/**
 * How odd a row is: 0 for the middle of what was learnt, 1 for the start of its oddest tenth, without an upper limit. The
 * greater of the forest's and, where the rows form one cloud, the distance's; beyond the training range at least the
 * alarm line for each width of that range. Orders rows; `vectorRatio` makes an alarm of it.
 */
export function vectorOddness(model: VectorModel, raw: Float32Array, load: number): number {
  const residual = new Float32Array(raw.length);
  residualsOf(model, raw, load, residual);
  return oddnessOf(model, residual, cloudDistance({ centre: AT_CENTRE, inverse: model.inverse }, residual));
}

function oddnessOf(
  { forest, forestUsual, distanceUsual }: VectorModel,
  residual: Float32Array,
  distance: number,
): number {
  const [middle, high] = forestUsual;
  const isolated = (forestScore(forest, residual) - middle) / Math.max(high - middle, 0.01);
  const beyond = beyondTraining(forest, residual) * ODD_LINE;
  const inside = distanceUsual === undefined ? isolated : Math.max(isolated, inWidths(distance, distanceUsual));
  return beyond > 0 ? Math.max(inside, beyond) : inside;
}

const inWidths = (distance: number, [middle, high]: readonly [number, number]): number =>
  (distance - middle) / Math.max(high - middle, 1e-12);

/** Ratio to the alarm line (1), 0 to 20: the geometric mean of how odd the row is and of its distance. */
export function vectorRatio(model: VectorModel, raw: Float32Array, load: number): number {
  const residual = new Float32Array(raw.length);
  residualsOf(model, raw, load, residual);
  const distance = cloudDistance({ centre: AT_CENTRE, inverse: model.inverse }, residual);
  const odd = Math.max(oddnessOf(model, residual, distance) / ODD_LINE, 0);
  const far = distance / model.distanceHigh / DISTANCE_LINE;
  return Math.min(Math.sqrt(Math.min(odd, 20) * Math.min(far, 20)), 20);
}

/** Share of each column in the squared, standardised residual; sums to 1. */
export function vectorShares(model: VectorModel, raw: Float32Array, load: number): Float64Array {
  const residual = new Float32Array(raw.length);
  residualsOf(model, raw, load, residual);
  const shares = Float64Array.from(residual, (value, column) => (value / (model.sigmas[column] ?? 1)) ** 2);
  const total = shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share) => (total > 0 && total < Infinity ? share / total : 1 / shares.length));
}
