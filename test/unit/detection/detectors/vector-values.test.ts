import { describe, expect, test } from '@jest/globals';
import { trainVector, vectorOddness, vectorRatio, vectorShares } from '../../../../src/detection/detectors/vector.ts';
import type { VectorModel, VectorRows } from '../../../../src/detection/detectors/vector.ts';
import { seededRandom } from '../../../../src/lib/seeded-random.ts';
import { stumps } from '../../../support/builders/forest.ts';

/**
 * Two columns, the first of which rises by 2 with each unit of load; usually (10, 50) at a load of 100. The forest has
 * one tree that scores 2^(-1/2) = 0.707 above 1 in the first residual and 2^(-1) = 0.5 below.
 */
const aModel = (over: Partial<VectorModel> = {}): VectorModel => ({
  means: Float64Array.of(10, 50),
  slopes: Float64Array.of(2, 0),
  load: 100,
  forest: stumps([[0, 1, 1, 0]], { ranges: Float32Array.of(-100, 100, -100, 100) }),
  forestUsual: [0.5, 0.6],
  inverse: Float64Array.of(1, 0, 0, 0.25),
  distanceHigh: 4,
  sigmas: Float64Array.of(1, 2),
  samples: 256,
  ...over,
});
const row = (a: number, b: number): Float32Array => Float32Array.of(a, b);
const FAR = Math.SQRT1_2;

describe('how odd a row is', () => {
  test.each<[string, VectorModel, Float32Array, number, number]>([
    ['0 where the forest scores its usual middle', aModel(), row(10, 50), 100, 0],
    ['in widths of the forest’s upper half: (0.7071 - 0.5) / 0.1', aModel(), row(12, 50), 100, (FAR - 0.5) / 0.1],
    ['given the load: a first column of 30 at 110 is as usual', aModel(), row(30, 50), 110, 0],
    [
      'a forest that scores all alike counts a hundredth as its width',
      aModel({ forestUsual: [0.5, 0.5] }),
      row(12, 50),
      100,
      (FAR - 0.5) / 0.01,
    ],
    [
      'in one cloud the distance speaks where it is the odder: (3 - 1) / 0.5',
      aModel({ distanceUsual: [1, 1.5] }),
      row(10, 56),
      100,
      4,
    ],
    [
      'in one cloud the forest speaks where it is the odder',
      aModel({ distanceUsual: [1, 9] }),
      row(12, 50),
      100,
      (FAR - 0.5) / 0.1,
    ],
    ['nearer to the centre than usual is less than 0', aModel({ forestUsual: [0.6, 0.7] }), row(10, 50), 100, -1],
    ['beyond the training range at least 3.5 a width: half a width', aModel(), row(10, 250), 100, 1.75],
    ['beyond the range, yet odder inside its columns', aModel(), row(120, 50), 100, (FAR - 0.5) / 0.1],
  ])('%s', (_, model, values, load, expected) => {
    expect(vectorOddness(model, values, load)).toBeCloseTo(expected, 6);
  });
});

describe('the ratio to the alarm line', () => {
  // The geometric mean of oddness / 3.5 and distance / usual high / 1.5.
  test.each<[string, VectorModel, Float32Array, number]>([
    ['as usual', aModel(), row(10, 50), 0],
    ['odd for the forest alone: at the centre no distance', aModel({ forestUsual: [0.3, 0.4] }), row(10, 50), 0],
    ['far for the distance alone: usual for the forest', aModel(), row(10, 90), 0],
    ['both: sqrt(2.0711 / 3.5 * 12 / 4 / 1.5)', aModel(), row(22, 50), Math.sqrt(((10 * (FAR - 0.5)) / 3.5) * 2)],
    ['less odd than usual is no less than nothing', aModel({ forestUsual: [0.8, 0.9] }), row(10, 90), 0],
    [
      'neither part counts more than 20 lines: sqrt(20 * 2)',
      aModel({ forestUsual: [0, 0] }),
      row(22, 50),
      Math.sqrt(40),
    ],
    [
      'nor does the distance: sqrt(0.5917 * 20)',
      aModel({ inverse: Float64Array.of(1e6, 0, 0, 1) }),
      row(22, 50),
      Math.sqrt(((10 * (FAR - 0.5)) / 3.5) * 20),
    ],
    ['at most 20', aModel({ forestUsual: [-9, -9], inverse: Float64Array.of(1e6, 0, 0, 1) }), row(22, 50), 20],
  ])('%s', (_, model, values, expected) => {
    expect(vectorRatio(model, values, 100)).toBeCloseTo(expected, 6);
  });
});

describe('what each column has to do with it', () => {
  test.each<[string, Float32Array, readonly number[]]>([
    ['squares in standard deviations: 3 and 1 of them are nine to one', row(13, 52), [0.9, 0.1]],
    ['the sign does not matter', row(7, 52), [0.9, 0.1]],
    ['a row as usual is shared equally', row(10, 50), [0.5, 0.5]],
    ['all of one column', row(10, 52), [0, 1]],
  ])('%s', (_, values, shares) => {
    const found = vectorShares(aModel(), values, 100);
    expect([...found]).toEqual(shares.map((share) => expect.closeTo(share, 9)));
  });

  test('squares that overflow are shared equally, never NaN', () => {
    const tiny = aModel({ sigmas: Float64Array.of(1e-300, 1e-300) });
    expect([...vectorShares(tiny, row(1e30, -1e30), 100)]).toEqual([0.5, 0.5]);
  });
});

describe('training', () => {
  /** Rows of (10 + 0.3 load, 7) with a little that the load does not explain, which is nothing in the mean. */
  function rowsWith(loads: readonly number[]): VectorRows {
    const rest = [0.1, -0.1, -0.1, 0.1];
    const values = loads.flatMap((load, i) => [10 + 0.3 * load + (rest[i % 4] ?? 0), 7]);
    const matrix = { rows: loads.length, columns: 2, values: Float32Array.from(values) };
    return { matrix, loads: Float64Array.from(loads) };
  }
  const trained = (loads: readonly number[]): VectorModel => trainVector(rowsWith(loads), seededRandom(1));

  test('finds what a column is at the mean load, and how it follows: 10 + 0.3 * 100, and 0.3', () => {
    const model = trained([80, 90, 110, 120]);
    expect(model.load).toBeCloseTo(100, 9);
    expect([...model.means]).toEqual([expect.closeTo(40, 5), expect.closeTo(7, 9)]);
    expect([...model.slopes]).toEqual([expect.closeTo(0.3, 6), 0]);
    expect(model.samples).toBe(4);
  });

  test.each([
    ['by 4.9 % of itself explains nothing', [95.1, 95.1, 104.9, 104.9], 0],
    ['by 5.1 % of itself explains what follows it', [94.9, 94.9, 105.1, 105.1], 0.3],
    ['not at all explains nothing', [100, 100, 100, 100], 0],
  ])('a load that moves %s', (_, loads, slope) => {
    expect(trained(loads).slopes[0]).toBeCloseTo(slope, 2);
  });

  test('knows the usual distance: never less than that of an average row, the root of the number of columns', () => {
    const model = trained([80, 90, 110, 120]);
    expect(model.distanceHigh).toBe(Math.SQRT2);
    expect(model.forestUsual[0]).toBeLessThanOrEqual(model.forestUsual[1]);
  });

  test('what it learnt from is not odd, and its middle is 0', () => {
    const random = seededRandom(2);
    const loads = Array.from({ length: 99 }, () => 100 + 20 * random.normal());
    const rows = loads.flatMap((load) => [10 + 0.3 * load + random.normal(), 7 + random.normal()]);
    const matrix = { rows: 99, columns: 2, values: Float32Array.from(rows) };
    const model = trainVector({ matrix, loads: Float64Array.from(loads) }, seededRandom(1));
    expect(model.distanceUsual).toBeDefined();
    const odd = loads.map((load, i) => vectorOddness(model, matrix.values.subarray(2 * i, 2 * i + 2), load));
    // The greater of two measures, each 0 in the middle and 1 at the ninth decile.
    expect(odd.filter((each) => each < 0).length).toBeGreaterThan(25);
    expect(odd.filter((each) => each > 1).length).toBeGreaterThanOrEqual(9);
    expect(odd.filter((each) => each > 1).length).toBeLessThan(25);
    const [low, high] = model.distanceUsual ?? [];
    // scipy.stats.chi.ppf([0.5, 0.9], 2) = 1.177, 2.146
    expect(low).toBeCloseTo(1.177, 1);
    expect(high).toBeGreaterThan(1.8);
    expect(high).toBeLessThan(2.5);
    expect(model.distanceHigh).toBeGreaterThan(high ?? NaN);
    expect(model.distanceHigh).toBeLessThan(4);
  });
});
