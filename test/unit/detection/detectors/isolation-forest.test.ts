import { describe, expect, test } from '@jest/globals';
import {
  beyondTraining,
  forestOptionsFor,
  forestScore,
  trainForest,
} from '../../../../src/detection/detectors/isolation-forest.ts';
import type { Forest, Matrix } from '../../../../src/detection/detectors/isolation-forest.ts';
import { seededRandom } from '../../../../src/lib/seeded-random.ts';
import type { RandomStream } from '../../../../src/lib/seeded-random.ts';
import { stumps } from '../../../support/builders/forest.ts';

/** Splits every node in its middle, by its first column that moves: the tree can be drawn by hand. */
const HALVES: RandomStream = { next: () => 0.5, below: () => 0, normal: () => 0 };

const matrixOf = (rows: readonly (readonly number[])[], columns = rows[0]?.length ?? 1): Matrix => ({
  rows: rows.length,
  columns,
  values: Float32Array.from(rows.flat()),
});
const column = (values: readonly number[]): Matrix => matrixOf(values.map((value) => [value]));
const oneTree = (matrix: Matrix, random = HALVES): Forest =>
  trainForest(matrix, random, { trees: 1, sampleSize: matrix.rows });

describe('a row’s score is 2^(-mean path / c)', () => {
  const two = stumps([
    [0, 5, 0, 2.5],
    [1, -1, 1, 0],
  ]);

  test.each([
    // Paths 1 + 0 and 1 + 0: mean 1, 2^(-1/2).
    ['left in the first tree, right in the second', [4, 0], Math.SQRT1_2],
    // Paths 1 + 2.5 and 1 + 1: mean 2.75, 2^(-2.75/2).
    ['right in the first, left in the second', [6, -2], 2 ** -1.375],
    // Paths 1 + 2.5 and 1 + 0: mean 2.25. A value at the split goes right.
    ['exactly at both splits', [5, -1], 2 ** -1.125],
    // Paths 1 + 0 and 1 + 1: mean 1.5.
    ['not a number in both columns, which counts as low', [NaN, NaN], 2 ** -0.75],
  ])('%s', (_, row, expected) => {
    expect(forestScore(two, Float32Array.from(row))).toBeCloseTo(expected, 12);
  });

  test('a forest of single rows calls everything ordinary', () => {
    expect(forestScore(stumps([[0, 5, 0, 0]], { meanPath: 0 }), Float32Array.of(4, 0))).toBe(0.5);
  });
});

describe('a tree', () => {
  // c(n) = 2 (ln(n - 1) + 0.5772156649) - 2 (n - 1) / n: c(4) = 1.851656, c(8) = 3.296252, c(16) = 4.695532, c(32) = 6.084906.
  test('halves 0 to 7 three times: every row is three splits away, 2^(-3 / c(8)) = 0.532139', () => {
    const forest = oneTree(column([0, 1, 2, 3, 4, 5, 6, 7]));
    expect(forest.meanPath).toBeCloseTo(3.2962516279, 9);
    for (let value = 0; value < 8; value++) {
      expect(forestScore(forest, Float32Array.of(value))).toBeCloseTo(0.5321390963, 9);
    }
  });

  test('puts a row at the split to the right: of 0, 1, 2 the 0 is cut off first', () => {
    const forest = oneTree(column([0, 1, 2]));
    // c(3) = 1.207392: 2^(-1 / c(3)) and 2^(-2 / c(3)).
    expect([0, 1, 2].map((value) => forestScore(forest, Float32Array.of(value)))).toEqual([
      expect.closeTo(0.5632, 4),
      expect.closeTo(0.31719, 4),
      expect.closeTo(0.31719, 4),
    ]);
  });

  test('ends three levels below log2 of its rows, and a leaf of n rows counts c(n) more', () => {
    // Halving 0, 1, 2, 4, ..., 2^30 cuts off the two largest each time: after 5 + 3 levels 16 rows are left in one leaf.
    const forest = oneTree(column([0, ...Array.from({ length: 31 }, (_, i) => 2 ** i)]));
    const pathOf = (value: number): number => -Math.log2(forestScore(forest, Float32Array.of(value))) * 6.0849057388;
    expect(pathOf(2 ** 30)).toBeCloseTo(2, 5);
    expect(pathOf(2 ** 28)).toBeCloseTo(3, 5);
    // The last two that were cut off: eight levels and c(2) = 1.
    expect(pathOf(2 ** 16)).toBeCloseTo(9, 5);
    expect(pathOf(2 ** 14)).toBeCloseTo(8 + 4.695532, 5);
    expect(pathOf(0)).toBeCloseTo(8 + 4.695532, 5);
  });

  test('passes over a column that does not move in the node', () => {
    const forest = oneTree(
      matrixOf([
        [7, 0],
        [7, 1],
        [7, 2],
        [7, 3],
      ]),
    );
    // Two halvings of the second column: 2^(-2 / c(4)) = 0.473042.
    expect(forestScore(forest, Float32Array.of(7, 2))).toBeCloseTo(0.473, 3);
    expect(forestScore(forest, Float32Array.of(-99, 2))).toBe(forestScore(forest, Float32Array.of(99, 2)));
  });

  test('starts at the column that was drawn, and goes round', () => {
    const last: RandomStream = { ...HALVES, below: (bound) => bound - 1 };
    const rows = [
      [0, 0, 5],
      [0, 9, 5],
    ];
    const forest = oneTree(matrixOf(rows), last);
    expect(forest.nodes[0]).toBe(1 * 65_536 + 1);
    expect(forest.singles[1]).toBe(4.5);
  });

  test('cannot tell equal rows apart: one leaf, every row ordinary', () => {
    const forest = oneTree(
      matrixOf([
        [7, 1],
        [7, 1],
        [7, 1],
        [7, 1],
      ]),
    );
    expect(forestScore(forest, Float32Array.of(7, 1))).toBeCloseTo(0.5, 6);
  });

  test('separates two neighbours in single precision, though their middle rounds to the lower', () => {
    const [low, high] = [1, 1 + 2 ** -23];
    const forest = oneTree(column([low, high]), { ...HALVES, next: () => 0 });
    // One split, two leaves of one row: 2^(-1 / c(2)).
    expect(forestScore(forest, Float32Array.of(low))).toBe(0.5);
    expect(forestScore(forest, Float32Array.of(high))).toBe(0.5);
  });

  test('remembers the range of every column', () => {
    expect([
      ...oneTree(
        matrixOf([
          [3, -1],
          [5, -7],
          [4, 2],
        ]),
      ).ranges,
    ]).toEqual([3, 5, -7, 2]);
  });
});

describe('how many trees, of how many rows', () => {
  test.each([
    ['a tree for every five rows', 200, 1, 40, 192],
    ['32 at least', 20, 1, 32, 192],
    ['up to 256 rows', 256, 1, 52, 192],
    ['beyond them one for every two', 257, 1, 129, 192],
    ['320 at most', 700, 1, 320, 192],
    ['of rows that are there twice half as many', 200, 2, 40, 96],
    ['64 at least', 200, 20, 40, 64],
  ])('%s: %p rows, each %p times', (_, rows, times, trees, sampleSize) => {
    const matrix = matrixOf(Array.from({ length: rows }, (__, i) => [Math.floor(i / times), 5]));
    expect(forestOptionsFor(matrix)).toEqual({ trees, sampleSize });
  });
});

describe('rows drawn for a tree', () => {
  test('no row twice, and every pair about equally often', () => {
    // The middle of two powers of two tells which two they are.
    const values = [1, 2, 4, 8, 16, 32];
    const random = { ...seededRandom(5), next: () => 0.5 };
    const { nodes, singles } = trainForest(column(values), random, { trees: 900, sampleSize: 2 });
    const pairs = new Map<number, number>();
    for (let tree = 0; tree < 900; tree++) {
      expect(nodes[6 * tree]).toBe(1);
      const middle = singles[6 * tree + 1] ?? NaN;
      pairs.set(middle, (pairs.get(middle) ?? 0) + 1);
    }
    const middles = values.flatMap((a) => values.filter((b) => b > a).map((b) => (a + b) / 2));
    expect([...pairs.keys()].sort((a, b) => a - b)).toEqual(middles.sort((a, b) => a - b));
    // 60 each, with a standard deviation of 7.5.
    for (const count of pairs.values()) expect(Math.abs(count - 60)).toBeLessThan(30);
  });
});

describe('beyond the training range, in widths of it', () => {
  const forest = stumps([], { columns: 3, ranges: Float32Array.of(0, 10, 5, 5, 0, 0) });

  test.each([
    ['inside, at both ends', [0, 5, 0], 0],
    ['half a width below', [-5, 5, 0], 0.5],
    ['a fifth of a width above', [12, 5, 0], 0.2],
    ['a constant that moved by two thousandths of its size', [5, 5.01, 0], 2],
    ['the farthest column counts, wherever it stands', [-5, 5.01, 0], 2],
    ['the farthest column counts, also if it is the first', [-50, 5.01, 0], 5],
  ])('%s', (_, row, expected) => {
    expect(beyondTraining(forest, Float32Array.from(row))).toBeCloseTo(expected, 3);
  });

  test('a column that was always zero is left by any move', () => {
    expect(beyondTraining(forest, Float32Array.of(5, 5, 1e-6))).toBeGreaterThan(1e20);
  });
});
