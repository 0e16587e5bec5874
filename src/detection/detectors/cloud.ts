import { MAD_TO_SIGMA, medianAbsoluteDeviation } from '../statistics/median-absolute-deviation.ts';
import { median } from '../statistics/median.ts';
import { quantileOfSorted } from '../statistics/quantile.ts';
import { symmetricInverse } from '../statistics/symmetric-inverse.ts';
import type { Matrix } from './isolation-forest.ts';

/**
 * The ordinary rows as one cloud: centre and covariance of the three quarters that lie closest together, found by two
 * concentration steps (Rousseeuw and Van Driessen 1999) from medians. So a clump of odd rows among those learnt from
 * does not widen the cloud that it should be seen against.
 */
export interface Cloud {
  readonly centre: Float64Array;
  /** Inverse covariance, row-major. */
  readonly inverse: Float64Array;
  /** Standard deviations, floored. */
  readonly sigmas: Float64Array;
  /** Columns that move at all: the dimension of the cloud. */
  readonly dimension: number;
}

const KEPT = 0.75;
const STEPS = 2;
/** Keeps columns that are one number from dividing by nothing; small, for their difference is what breaks first. */
const RIDGE = 0.01;

/** Fits the cloud; `levels` are the columns' usual sizes, of which a constant column gets a thousandth as spread. */
export function fitCloud(matrix: Matrix, levels: Float64Array): Cloud {
  const { rows, columns } = matrix;
  let distances = marginalDistances(matrix);
  let cloud = cloudOf(matrix, levels, nearest(distances, rows));
  const kept = rows < 4 * columns ? rows : Math.ceil(KEPT * rows);
  for (let step = 0; step < STEPS && kept < rows; step++) {
    cloud = cloudOf(matrix, levels, nearest(distances, kept));
    distances = distancesOf(cloud, matrix);
  }
  return scaled(cloud, median(distances));
}

/** Mahalanobis distance from the centre. */
export function cloudDistance(
  { centre, inverse }: Pick<Cloud, 'centre' | 'inverse'>,
  row: Float32Array | Float64Array,
): number {
  const n = row.length;
  let sum = 0;
  for (let a = 0; a < n; a++) {
    const away = (row[a] ?? 0) - (centre[a] ?? 0);
    for (let b = 0; b < n; b++) sum += away * ((row[b] ?? 0) - (centre[b] ?? 0)) * (inverse[a * n + b] ?? 0);
  }
  return Math.sqrt(Math.max(sum, 0));
}

/** Distances of all rows. */
export function distancesOf(cloud: Pick<Cloud, 'centre' | 'inverse'>, { rows, columns, values }: Matrix): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) =>
    cloudDistance(cloud, values.subarray(row * columns, (row + 1) * columns)),
  );
}

/**
 * Whether rows with these distances (ascending) form one cloud of normal kind at all, so that the distance means
 * something: the first and the last decile lie, in medians, about where those of a chi distribution lie. Several clouds are
 * hollow (the first decile too far out), long tails and unequal clouds spread too wide.
 */
export function isOneCloud(distances: Float64Array, dimension: number): boolean {
  const middle = quantileOfSorted(distances, 0.5);
  if (dimension < 1 || !(middle > 0)) return false;
  const low = quantileOfSorted(distances, 0.1) / middle / (chi(dimension, -1.2816) / chi(dimension, 0));
  const high = quantileOfSorted(distances, 0.9) / middle / (chi(dimension, 1.2816) / chi(dimension, 0));
  return Math.abs(low - 1) < 0.18 && high < 1.4;
}

/** Quantile of the chi distribution at the normal deviate z (Wilson and Hilferty 1931). */
function chi(dimension: number, z: number): number {
  const part = 2 / (9 * dimension);
  return Math.sqrt(dimension * Math.max(1 - part + z * Math.sqrt(part), 0.01) ** 3);
}

/** Where to start: each column by itself, around medians. */
function marginalDistances({ rows, columns, values }: Matrix): Float64Array {
  const sums = new Float64Array(rows);
  for (let column = 0; column < columns; column++) {
    const own = Float64Array.from({ length: rows }, (_, row) => values[row * columns + column] ?? 0);
    const centre = median(own);
    const sigma = medianAbsoluteDeviation(own, centre) * MAD_TO_SIGMA;
    if (!(sigma > 0)) continue;
    for (let row = 0; row < rows; row++) sums[row] = (sums[row] ?? 0) + (((own[row] ?? 0) - centre) / sigma) ** 2;
  }
  return sums;
}

/** The `kept` rows with the smallest distances; equal ones in their order. */
function nearest(distances: Float64Array, kept: number): readonly number[] {
  return [...distances.keys()]
    .toSorted((a, b) => (distances[a] ?? 0) - (distances[b] ?? 0) || a - b)
    .slice(0, Math.max(kept, 1));
}

function cloudOf(matrix: Matrix, levels: Float64Array, chosen: readonly number[]): Cloud {
  const { columns } = matrix;
  const { centre, covariance } = momentsOf(matrix, chosen);
  const sigmas = new Float64Array(columns);
  let dimension = 0;
  for (let a = 0; a < columns; a++) {
    const variance = covariance[a * columns + a] ?? 0;
    const floor = (1e-3 * (levels[a] ?? 0)) ** 2 + 1e-24;
    if (variance > floor) dimension++;
    covariance[a * columns + a] = variance * (1 + RIDGE) + floor;
    sigmas[a] = Math.sqrt(variance * (1 + RIDGE) + floor);
  }
  return { centre, inverse: symmetricInverse(covariance, columns), sigmas, dimension };
}

function momentsOf(
  { columns, values }: Matrix,
  chosen: readonly number[],
): { centre: Float64Array; covariance: Float64Array } {
  const centre = new Float64Array(columns);
  const covariance = new Float64Array(columns * columns);
  const add = (to: Float64Array, at: number, part: number): void => {
    to[at] = (to[at] ?? 0) + part / chosen.length;
  };
  for (const row of chosen) for (let a = 0; a < columns; a++) add(centre, a, values[row * columns + a] ?? 0);
  const away = new Float64Array(columns);
  for (const row of chosen) {
    for (let a = 0; a < columns; a++) away[a] = (values[row * columns + a] ?? 0) - (centre[a] ?? 0);
    for (let cell = 0; cell < covariance.length; cell++) {
      add(covariance, cell, (away[Math.floor(cell / columns)] ?? 0) * (away[cell % columns] ?? 0));
    }
  }
  return { centre, covariance };
}

/** Three quarters are narrower than the whole: widened until the median distance is that of a normal cloud. */
function scaled(cloud: Cloud, middle: number): Cloud {
  const wanted = chi(cloud.dimension, 0);
  const factor = cloud.dimension > 0 && middle > 0 ? middle / wanted : 1;
  return {
    ...cloud,
    inverse: cloud.inverse.map((value) => value / factor ** 2),
    sigmas: cloud.sigmas.map((value) => value * factor),
  };
}
