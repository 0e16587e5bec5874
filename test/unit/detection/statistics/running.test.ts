import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { interpolate } from '../../../../src/detection/statistics/interpolate.ts';
import {
  HISTOGRAM_BINS,
  HISTOGRAM_CAPACITY,
  histogramAdd,
  histogramBin,
  histogramTailShare,
  histogramUpperQuantile,
} from '../../../../src/detection/statistics/log-histogram.ts';
import { teachMoments } from '../../../../src/detection/statistics/running-moments.ts';
import { scoreOfRatio } from '../../../../src/detection/statistics/score-of-ratio.ts';
import { symmetricInverse } from '../../../../src/detection/statistics/symmetric-inverse.ts';
import { seededRandom } from '../../../../src/lib/seeded-random.ts';

function sketchOf(values: readonly number[]): { counts: Uint16Array; total: number } {
  const counts = new Uint16Array(HISTOGRAM_BINS);
  let total = 0;
  for (const value of values) total = histogramAdd(counts, 0, histogramBin(value), total);
  return { counts, total };
}

describe('running mean and variance', () => {
  test('equals the plain mean and numpy.var within its memory', () => {
    const moments = new Float64Array(2);
    [1, 4, 9, 16].forEach((value, i) => teachMoments(moments, 0, value, i + 1, 100));
    expect(moments[0]).toBeCloseTo(7.5, 12);
    expect(moments[1]).toBeCloseTo(32.25, 12);
  });

  test('forgets beyond its memory: 400 samples of a new level outweigh 5,000 old ones', () => {
    const moments = new Float64Array(2);
    for (let n = 1; n <= 5400; n++) teachMoments(moments, 0, n <= 5000 ? 0 : 10, n, 100);
    expect(moments[0]).toBeGreaterThan(9.8);
  });

  test('huge values give no NaN', () => {
    const moments = new Float64Array(2);
    [1e308, -1e308, 1e308].forEach((value, i) => teachMoments(moments, 0, value / 4, i + 1, 10));
    expect(moments[0]).not.toBeNaN();
    expect(moments[1]).not.toBeNaN();
  });
});

describe('quantile sketch', () => {
  test('is within a bin (19 %) of the exact quantile of log-normal values', () => {
    const random = seededRandom(1);
    const values = Array.from({ length: 8000 }, () => Math.exp(random.normal()));
    const { counts, total } = sketchOf(values);
    const exact = values.toSorted((a, b) => a - b)[Math.floor(0.99 * 8000)] ?? 0;
    const estimate = histogramUpperQuantile(counts, 0, total, 0.01);
    expect(estimate / exact).toBeGreaterThan(0.84);
    expect(estimate / exact).toBeLessThan(1.19);
  });

  test('halves its counts when full and keeps the quantile', () => {
    const random = seededRandom(2);
    const values = Array.from({ length: HISTOGRAM_CAPACITY - 1 }, () => Math.exp(random.normal()));
    const before = sketchOf(values);
    const after = sketchOf([...values, 1]);
    expect(after.total).toBeLessThan(HISTOGRAM_CAPACITY / 2 + 1);
    expect(after.total).toBe(after.counts.reduce((sum, count) => sum + count, 0));
    const [a, b] = [before, after].map(({ counts, total }) => histogramUpperQuantile(counts, 0, total, 0.01));
    expect((a ?? 0) / (b ?? 1)).toBeCloseTo(1, 0);
  });

  test.each([
    ['zero', 0, 0],
    ['negative', -3, 0],
    ['NaN', NaN, 0],
    ['denormal', 5e-324, 0],
    ['one', 1, 64],
    ['one octave up', 2, 68],
    ['huge', 1e308, 127],
    ['infinite', Infinity, 127],
  ])('%s lies in bin %p', (_, value, bin) => {
    expect(histogramBin(value)).toBe(bin);
  });

  test('an empty sketch and one of zeros have the quantile 0; p is never below 1/(n+1)', () => {
    expect(histogramUpperQuantile(new Uint16Array(HISTOGRAM_BINS), 0, 0, 0.01)).toBe(0);
    const { counts, total } = sketchOf([0, 0, 0]);
    expect(histogramUpperQuantile(counts, 0, total, 0.01)).toBe(0);
    expect(histogramTailShare(counts, 0, total, histogramBin(5))).toBe(1 / 4);
    expect(histogramTailShare(counts, 0, total, 0)).toBe(1);
  });
});

describe('curves', () => {
  test.each([
    [0, 0],
    [1, 0.85],
    [2, 0.9775],
    [-5, 0],
    [NaN, 0],
    [Infinity, 1],
  ])('a ratio of %p scores %p', (ratio, score) => {
    expect(scoreOfRatio(ratio)).toBeCloseTo(score, 12);
  });

  test('scores are bounded and rise with the ratio', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (a, b) => {
        const [low, high] = [scoreOfRatio(Math.min(a, b)), scoreOfRatio(Math.max(a, b))];
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(high);
      }),
    );
  });

  const CURVE = [
    [50, 0.1],
    [100, 0.9],
  ] as const;
  test.each([
    [25, 0.05],
    [50, 0.1],
    [75, 0.5],
    [100, 0.9],
    [1e308, 0.9],
    [-1, 0],
    [NaN, 0],
  ])('interpolate at %p is %p', (x, y) => {
    expect(interpolate(CURVE, x)).toBeCloseTo(y, 12);
    expect(interpolate([], x)).toBe(0);
  });
});

describe('inverse of a covariance', () => {
  test('equals numpy.linalg.inv', () => {
    const inverse = symmetricInverse(Float64Array.of(4, 1, 0.5, 1, 3, 0.2, 0.5, 0.2, 2), 3);
    const expected = [0.2799436355, -0.0892437764, -0.0610615312, -0.0892437764, 0.364020667, -0.0140911226];
    expected.forEach((value, i) => expect(inverse[i]).toBeCloseTo(value, 9));
  });

  test('a matrix that is not definite gives no NaN', () => {
    expect([...symmetricInverse(Float64Array.of(0, 0, 0, 0), 2)].some(Number.isNaN)).toBe(false);
  });
});
