/**
 * The cloud against numpy 2.4 and scipy 1.17. What made the numbers, for `rows` X, `levels` L and `kept` rows:
 *
 *   d = ((X - median(X)) / (1.4826022185056018 * mad(X))) ** 2, summed over the columns that move
 *   twice: S = X[argsort(d, kind='stable')[:kept]]; c = S.mean(0); V = cov(S.T, bias=True)
 *          V += diag(0.01 * diag(V) + (1e-3 * L) ** 2 + 1e-24); d = sqrt(einsum('ij,jk,ik->i', X - c, inv(V), X - c))
 *   f = median(d) / chi; inverse = inv(V) / f ** 2; sigmas = sqrt(diag(V)) * f; with fewer than four rows a column S is X
 *   chi = sqrt(k * (1 - 2 / (9 * k)) ** 3) with k columns that move
 */
import { describe, expect, test } from '@jest/globals';
import { cloudDistance, distancesOf, fitCloud, isOneCloud } from '../../../../src/detection/detectors/cloud.ts';
import type { Matrix } from '../../../../src/detection/detectors/isolation-forest.ts';

const matrixOf = (rows: readonly (readonly number[])[]): Matrix => ({
  rows: rows.length,
  columns: rows[0]?.length ?? 0,
  values: Float32Array.from(rows.flat()),
});
const close = (values: readonly number[]): unknown[] =>
  values.map((value) => expect.closeTo(value, 6 - Math.ceil(Math.log10(Math.abs(value) + 1))));

const SEVEN = [
  [1, 2],
  [2, 3],
  [3, 5],
  [4, 4],
  [5, 7],
  [6, 8],
  [7, 6],
] as const;
/** Two of them far from the others. */
const TWELVE = [...SEVEN, [30, -9], [4, 6], [31, -8], [2, 2], [6, 5]] as const;

describe('centre, inverse covariance and spread', () => {
  test('of seven rows are those of all of them: too few to leave any out', () => {
    const cloud = fitCloud(matrixOf(SEVEN), Float64Array.of(4, 5));
    expect([...cloud.centre]).toEqual(close([4, 5]));
    expect([...cloud.inverse]).toEqual(close([1.50105308, -1.27387027, -1.27387027, 1.50104974]));
    expect([...cloud.sigmas]).toEqual(close([1.54307144, 1.54307316]));
    expect(cloud.dimension).toBe(2);
  });

  test('of twelve rows are those of the nine that lie closest together', () => {
    const matrix = matrixOf(TWELVE);
    const cloud = fitCloud(matrix, Float64Array.of(4, 5));
    expect([...cloud.centre]).toEqual(close([4.33333333, 5.11111111]));
    expect([...cloud.inverse]).toEqual(close([0.43135565, -0.30552754, -0.30552754, 0.38821922]));
    expect([...cloud.sigmas]).toEqual(close([2.28870556, 2.41251017]));
    expect([...distancesOf(cloud, matrix)]).toEqual(
      close([
        1.48780095, 1.03377531, 0.82530035, 0.54853869, 0.89853475, 1.22312963, 1.38770754, 24.14096457, 0.73193092,
        24.23056176, 1.29238665, 1.14724074,
      ]),
    );
  });

  test('a constant column adds no dimension and gets a thousandth of its level as spread', () => {
    const cloud = fitCloud(matrixOf(TWELVE.map((row) => [...row, 50])), Float64Array.of(4, 5, 50));
    expect(cloud.dimension).toBe(2);
    expect([...cloud.sigmas]).toEqual(close([2.28870556, 2.41251017, 0.06699349]));
    expect([...cloud.inverse]).toEqual(
      close([0.43135565, -0.30552754, 0, -0.30552754, 0.38821922, 0, 0, 0, 222.81002955]),
    );
  });

  test('four rows a column are enough to leave a quarter out, three are not', () => {
    const rows = [1, 2, 3, 4, 5, 6, 7, 100].map((value) => [value]);
    const [four, three] = [rows.slice(4), rows.slice(5)].map((some) => fitCloud(matrixOf(some), Float64Array.of(0)));
    expect(four?.centre[0]).toBeCloseTo(6, 9);
    expect(three?.centre[0]).toBeCloseTo(113 / 3, 4);
  });

  test('rows are as far from the cloud in any order, and however their columns are scaled and shifted', () => {
    const plain = matrixOf(TWELVE);
    const scaled = matrixOf(TWELVE.map(([a, b]) => [1000 * a + 7, b / 8 - 3]));
    const none = new Float64Array(2);
    const distances = [...distancesOf(fitCloud(plain, none), plain)];
    expect([...distancesOf(fitCloud(scaled, none), scaled)]).toEqual(distances.map((each) => expect.closeTo(each, 3)));
    const turned = matrixOf(TWELVE.toReversed());
    expect([...distancesOf(fitCloud(turned, none), turned)].reverse()).toEqual(close(distances));
  });

  test('a distance needs every column: sqrt(3^2 * 2 + 2 * 3 * 1 * -1 + 1^2 * 4) = 4', () => {
    const model = { centre: Float64Array.of(1, 1), inverse: Float64Array.of(2, -1, -1, 4) };
    expect(cloudDistance(model, Float64Array.of(4, 2))).toBeCloseTo(4, 12);
    expect(cloudDistance(model, Float64Array.of(1, 1))).toBe(0);
  });
});

describe('whether distances are those of one cloud', () => {
  /** Eleven distances of which the first decile, the median and the last decile are those given. */
  const deciles = (low: number, middle: number, high: number): Float64Array =>
    Float64Array.of(0, low, low, low, middle, middle, middle, high, high, high, 9 * high);

  // scipy.stats.chi.ppf([0.1, 0.5, 0.9], k)
  test.each([
    [2, [0.459, 1.1774, 2.146]],
    [3, [0.7644, 1.5382, 2.5003]],
    [6, [1.4846, 2.3126, 3.2626]],
  ] as const)('the deciles of a chi distribution of %p columns are, in any unit', (dimension, [low, middle, high]) => {
    expect(isOneCloud(deciles(low, middle, high), dimension)).toBe(true);
    expect(isOneCloud(deciles(1000 * low, 1000 * middle, 1000 * high), dimension)).toBe(true);
  });

  test.each([
    ['hollow by a sixth', 1.16, 1, true],
    ['hollow by a fifth', 1.2, 1, false],
    ['dense in the middle by a sixth', 0.84, 1, true],
    ['dense in the middle by a fifth', 0.8, 1, false],
    ['with tails a third too long', 1, 1.35, true],
    ['with tails half as long again', 1, 1.45, false],
    ['with hardly any tails', 1, 0.75, true],
  ])('six columns, %s', (_, low, high, expected) => {
    expect(isOneCloud(deciles(1.4846 * low, 2.3126, 3.2626 * high), 6)).toBe(expected);
  });

  test('no column that moves, or no distance at all: no cloud', () => {
    expect(isOneCloud(deciles(0.7644, 1.5382, 2.5003), 0)).toBe(false);
    expect(isOneCloud(new Float64Array(11), 3)).toBe(false);
    expect(isOneCloud(new Float64Array(0), 3)).toBe(false);
  });
});
