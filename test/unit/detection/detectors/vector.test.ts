import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  averagePathLength,
  beyondTraining,
  forestOptionsFor,
  forestScore,
  trainForest,
} from '../../../../src/detection/detectors/isolation-forest.ts';
import type { Matrix } from '../../../../src/detection/detectors/isolation-forest.ts';
import { trainVector, vectorRatio, vectorShares } from '../../../../src/detection/detectors/vector.ts';
import { ByteReader, ByteWriter } from '../../../../src/detection/state/bytes.ts';
import { readForest, writeForest } from '../../../../src/detection/state/vector-model-bytes.ts';
import { seededRandom } from '../../../../src/lib/seeded-random.ts';

function normalMatrix(rows: number, columns: number, seed = 1): Matrix {
  const random = seededRandom(seed);
  return { rows, columns, values: new Float32Array(rows * columns).map(() => random.normal()) };
}

describe('isolation forest', () => {
  test.each([
    [1, 0],
    [2, 1],
    [3, 1.207392357589623],
    [10, 3.748880484475505],
    [64, 7.471950782586131],
    [256, 10.244770920119917],
  ])('c(%p) is %p, as in scikit-learn 1.9', (n, expected) => {
    expect(averagePathLength(n)).toBeCloseTo(expected, 9);
  });

  test.each<[string, Matrix, number, number]>([
    ['256 rows that differ', normalMatrix(256, 6), 52, 192],
    ['600 rows that differ', normalMatrix(600, 2), 300, 192],
    ['few rows', normalMatrix(20, 2), 32, 192],
    [
      'rows of which two thirds repeat others',
      { rows: 300, columns: 1, values: new Float32Array(300).map((_, i) => i % 100) },
      150,
      64,
    ],
    ['rows that are all equal', { rows: 100, columns: 2, values: new Float32Array(200) }, 32, 64],
    ['no rows', normalMatrix(0, 3), 32, 192],
  ])('so many trees of so many rows for %s', (_, matrix, trees, sampleSize) => {
    expect(forestOptionsFor(matrix)).toEqual({ trees, sampleSize });
  });

  test('an outlier scores above every ordinary row', () => {
    const matrix = normalMatrix(256, 6);
    const forest = trainForest(matrix, seededRandom(1));
    const ordinary = Array.from({ length: 256 }, (_, row) =>
      forestScore(forest, matrix.values.subarray(row * 6, row * 6 + 6)),
    );
    expect(forestScore(forest, new Float32Array(6).fill(6))).toBeGreaterThan(Math.max(...ordinary));
    expect(ordinary.reduce((sum, score) => sum + score, 0) / 256).toBeCloseTo(0.48, 1);
  });

  test('the same seed gives the same forest, another seed another one', () => {
    const [a, b, c] = [1, 1, 2].map((seed) => trainForest(normalMatrix(100, 3), seededRandom(seed)));
    expect(a?.nodes).toEqual(b?.nodes);
    expect(a?.nodes).not.toEqual(c?.nodes);
  });

  test('stored and read again it predicts bit-equally', () => {
    const forest = trainForest(normalMatrix(128, 4), seededRandom(1));
    const writer = new ByteWriter(0);
    writeForest(writer, forest);
    const again = readForest(new ByteReader(writer.finish()));
    const random = seededRandom(2);
    for (let i = 0; i < 100; i++) {
      const row = new Float32Array(4).map(() => 3 * random.normal());
      expect(forestScore(again, row)).toBe(forestScore(forest, row));
    }
  });

  test('columns constant in training are still judged: outside their range is far out', () => {
    const matrix: Matrix = { rows: 64, columns: 2, values: new Float32Array(128).fill(7) };
    const forest = trainForest(matrix, seededRandom(1));
    expect(forestScore(forest, Float32Array.of(7, 7))).not.toBeNaN();
    expect(beyondTraining(forest, Float32Array.of(7, 7))).toBe(0);
    expect(beyondTraining(forest, Float32Array.of(7, 8))).toBeGreaterThan(100);
  });

  test.each([
    ['no rows', 0],
    ['one row', 1],
    ['two rows', 2],
  ])('%s: a score, not NaN', (_, rows) => {
    const forest = trainForest(normalMatrix(rows, 3), seededRandom(1));
    expect(forestScore(forest, Float32Array.of(1, 2, 3))).toBeGreaterThanOrEqual(0);
  });

  test('any row scores within [0, 1]', () => {
    const forest = trainForest(normalMatrix(64, 3), seededRandom(1));
    fc.assert(
      fc.property(fc.array(fc.float(), { minLength: 3, maxLength: 3 }), (row) => {
        const score = forestScore(forest, Float32Array.from(row));
        expect(score >= 0 && score <= 1).toBe(true);
      }),
    );
  });
});

describe('a pod’s vector given its load', () => {
  /** Columns cpu, memory, latency; cpu and latency follow load. */
  function served(rows: number, seed: number, spread = 0.3): { matrix: Matrix; loads: Float64Array } {
    const random = seededRandom(seed);
    const values = new Float32Array(rows * 3);
    const loads = new Float64Array(rows);
    for (let row = 0; row < rows; row++) {
      const load = 100 * (1 + spread * random.normal());
      loads[row] = load;
      values.set([10 + 0.3 * load + random.normal(), 40 + random.normal(), 20 + 0.1 * load + random.normal()], row * 3);
    }
    return { matrix: { rows, columns: 3, values }, loads };
  }
  const model = trainVector(served(256, 1), seededRandom(1));

  test.each([
    ['an ordinary row', [40, 40, 30], 100, false],
    ['a surge three times the usual that cpu and latency follow', [100, 40, 50], 300, false],
    ['cpu of a surge without the surge', [100, 40, 30], 100, true],
    ['memory gone astray', [40, 70, 30], 100, true],
    ['load gone, cpu still burning', [40, 40, 30], 5, true],
  ])('%s', (_, row, load, odd) => {
    expect(vectorRatio(model, Float32Array.from(row), load) >= 1).toBe(odd);
  });

  test('the shares name the column that is off and sum to 1', () => {
    const shares = vectorShares(model, Float32Array.of(40, 70, 30), 100);
    expect(shares[1]).toBeGreaterThan(0.95);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
    expect([...vectorShares(model, Float32Array.of(40, 1e30, 30), 100)].every(Number.isFinite)).toBe(true);
  });

  test('false alarms on rows of the same kind are under one in a hundred', () => {
    const { matrix, loads } = served(2000, 7);
    let odd = 0;
    for (let row = 0; row < 2000; row++) {
      if (vectorRatio(model, matrix.values.subarray(row * 3, row * 3 + 3), loads[row] ?? 0) >= 1) odd++;
    }
    expect(odd).toBeLessThan(20);
  });

  test('constant columns and constant load train without NaN, and a move of them is seen', () => {
    const rows = {
      matrix: { rows: 64, columns: 2, values: new Float32Array(128).fill(5) },
      loads: new Float64Array(64).fill(9),
    };
    const constant = trainVector(rows, seededRandom(1));
    expect(vectorRatio(constant, Float32Array.of(5, 5), 9)).toBe(0);
    expect(vectorRatio(constant, Float32Array.of(5, 6), 9)).toBeGreaterThan(1);
    expect(vectorRatio(constant, Float32Array.of(1e30, -1e30), 1e30)).not.toBeNaN();
  });
});
