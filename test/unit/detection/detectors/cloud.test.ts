import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cloudDistance, distancesOf, fitCloud, isOneCloud } from '../../../../src/detection/detectors/cloud.ts';
import type { Matrix } from '../../../../src/detection/detectors/isolation-forest.ts';
import { trainVector, vectorOddness, vectorRatio } from '../../../../src/detection/detectors/vector.ts';
import { ByteReader, ByteWriter } from '../../../../src/detection/state/bytes.ts';
import { readVectorModel, writeVectorModel } from '../../../../src/detection/state/vector-model-bytes.ts';
import { seededRandom } from '../../../../src/lib/seeded-random.ts';
import type { RandomStream } from '../../../../src/lib/seeded-random.ts';

function matrixOf(rows: number, columns: number, row: (random: RandomStream, i: number) => readonly number[]): Matrix {
  const random = seededRandom(5);
  const values = Float32Array.from(Array.from({ length: rows }, (_, i) => row(random, i)).flat());
  return { rows, columns, values };
}
const normals = (random: RandomStream, columns: number): number[] =>
  Array.from({ length: columns }, () => random.normal());
const isCloud = (matrix: Matrix): boolean => {
  const cloud = fitCloud(matrix, new Float64Array(matrix.columns));
  return isOneCloud(distancesOf(cloud, matrix).sort(), cloud.dimension);
};

describe('distance from the ordinary rows', () => {
  test('is scipy’s mahalanobis([1, 2], [0, 1], [[2, -1], [-1, 1.5]]) = 1.224744871391589', () => {
    const model = { centre: Float64Array.of(0, 1), inverse: Float64Array.of(2, -1, -1, 1.5) };
    expect(cloudDistance(model, Float32Array.of(1, 2))).toBeCloseTo(1.224744871391589, 12);
  });

  test('of normal rows is that of a chi distribution: half of six columns’ rows lie within 2.313', () => {
    const matrix = matrixOf(2000, 6, (random) => normals(random, 6));
    const inside = distancesOf(fitCloud(matrix, new Float64Array(6)), matrix).filter((each) => each < 2.313);
    expect(inside.length / 2000).toBeCloseTo(0.5, 1);
  });

  test('a clump of odd rows, a twelfth of all, does not hide itself', () => {
    const matrix = matrixOf(240, 3, (random, i) =>
      normals(random, 3).map((value) => (i % 12 === 0 ? 4 + value / 10 : value)),
    );
    const distances = distancesOf(fitCloud(matrix, new Float64Array(3)), matrix);
    const [odd, plain] = [0, 1].map((kind) => [...distances].filter((_, i) => (i % 12 === 0 ? 0 : 1) === kind));
    expect(Math.min(...(odd ?? []))).toBeGreaterThan(Math.max(...(plain ?? [])));
  });

  test.each<[string, Matrix, boolean]>([
    ['normal rows', matrixOf(400, 4, (random) => normals(random, 4)), true],
    [
      'strongly correlated rows',
      matrixOf(400, 2, (random) => {
        const a = random.normal();
        return [a, a + 0.1 * random.normal()];
      }),
      true,
    ],
    [
      'three clouds far apart',
      matrixOf(600, 2, (random, i) => normals(random, 2).map((value, c) => value + 12 * Math.floor((i % 3) / (c + 1)))),
      false,
    ],
    [
      'a dense and a wide cloud',
      matrixOf(400, 3, (random, i) => normals(random, 3).map((value) => (i % 2 ? value / 4 : 8 + 2 * value))),
      false,
    ],
    ['long tails', matrixOf(400, 3, (random) => normals(random, 3).map((value) => Math.exp(value))), false],
    ['constant columns only', matrixOf(100, 2, () => [3, 7]), false],
    ['no rows', matrixOf(0, 2, () => []), false],
  ])('one cloud or not: %s', (_, matrix, expected) => {
    expect(isCloud(matrix)).toBe(expected);
  });

  test('any rows, huge and equal ones too, give distances that are numbers', () => {
    const value = fc.oneof(
      fc.float({ noNaN: true, noDefaultInfinity: true, min: -(2 ** 50), max: 2 ** 50 }),
      fc.constant(7),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 40 }), (rows) => {
        const matrix = { rows: rows.length, columns: 2, values: Float32Array.from(rows.flat()) };
        const distances = distancesOf(fitCloud(matrix, new Float64Array(2)), matrix);
        expect(distances.every(Number.isFinite)).toBe(true);
      }),
    );
  });
});

describe('how odd a row is', () => {
  const correlated = matrixOf(256, 3, (random) => {
    const [a, b] = [random.normal(), random.normal()];
    return [a, 2 * a + 0.1 * random.normal(), b];
  });
  const train = (matrix: Matrix) => trainVector({ matrix, loads: new Float64Array(matrix.rows) }, seededRandom(3));
  const model = train(correlated);

  test('a broken correlation within the usual ranges is far beyond the line', () => {
    expect(vectorRatio(model, Float32Array.of(1, -1, 0), 0)).toBeGreaterThan(1);
    expect(vectorRatio(model, Float32Array.of(1, 2, 0), 0)).toBeLessThan(0.7);
  });

  test('grows with the distance, without a limit', () => {
    const [near, far, farther] = [0.5, 2, 8].map((b) => vectorOddness(model, Float32Array.of(0, b, 0), 0));
    expect(near).toBeLessThan(far ?? NaN);
    expect(far).toBeLessThan(farther ?? NaN);
  });

  test('a model stored and read again answers bit-equally, of one cloud or of several', () => {
    const several = matrixOf(300, 2, (random, i) => normals(random, 2).map((value) => value + 20 * (i % 3)));
    for (const each of [model, train(several)]) {
      const writer = new ByteWriter(0);
      writeVectorModel(writer, each);
      expect(readVectorModel(new ByteReader(writer.finish()))).toEqual(each);
    }
  });
});
