import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { medianAbsoluteDeviation } from '../../../../src/detection/statistics/median-absolute-deviation.ts';
import { halfWindowSlope } from '../../../../src/detection/statistics/half-window-slope.ts';
import { median } from '../../../../src/detection/statistics/median.ts';
import { quantileOfSorted } from '../../../../src/detection/statistics/quantile.ts';
import { risingShare } from '../../../../src/detection/statistics/rising-share.ts';
import { robustZ } from '../../../../src/detection/statistics/robust-z.ts';
import { teachMoments } from '../../../../src/detection/statistics/running-moments.ts';
import { symmetricInverse } from '../../../../src/detection/statistics/symmetric-inverse.ts';
import { theilSenSlope } from '../../../../src/detection/statistics/theil-sen-slope.ts';

/** Whole numbers: sums and products with powers of two are exact, so laws hold to the bit. */
const values = fc.array(fc.integer({ min: -1e6, max: 1e6 }), { minLength: 2, maxLength: 40 });
const scale = fc.constantFrom(0.25, 0.5, 2, 8, 1024);
const shift = fc.integer({ min: -1e6, max: 1e6 });
const ascending = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);
const close = (a: number, b: number): void =>
  expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(a), Math.abs(b)));

describe('shift and scale', () => {
  test.each<[string, (numbers: readonly number[]) => number, 'follows' | 'scales' | 'stays']>([
    ['median', median, 'follows'],
    ['a quantile', (numbers) => quantileOfSorted(ascending(numbers), 0.9), 'follows'],
    ['the median absolute deviation', (numbers) => medianAbsoluteDeviation(numbers), 'scales'],
    ['the Theil-Sen slope', theilSenSlope, 'scales'],
    ['the slope of half windows', halfWindowSlope, 'scales'],
    ['the share of rising pairs', risingShare, 'stays'],
  ])('%s %s', (_, statistic, law) => {
    fc.assert(
      fc.property(values, scale, shift, (numbers, by, to) => {
        const moved = statistic(numbers.map((value) => value * by + to));
        const plain = statistic(numbers);
        close(moved, law === 'follows' ? plain * by + to : law === 'scales' ? plain * by : plain);
      }),
    );
  });

  test('a robust z does not change if everything moves together, its floor with the scale', () => {
    fc.assert(
      fc.property(shift, values, scale, shift, (value, others, by, to) => {
        const moved = robustZ(value * by + to, others.map((other) => other * by + to), 0.5 * by);
        close(moved, robustZ(value, others, 0.5));
      }),
    ); // prettier-ignore
  });
});

describe('order', () => {
  test('median, its deviation and a robust z do not depend on it; slope and rising share change their sign', () => {
    fc.assert(
      fc.property(values, fc.integer(), (numbers, seed) => {
        const turned = numbers.toReversed();
        const shuffled = numbers.toSorted((a, b) => ((a * 7919 + seed) % 97) - ((b * 7919 + seed) % 97));
        for (const other of [turned, shuffled]) {
          expect(median(other)).toBe(median(numbers));
          expect(medianAbsoluteDeviation(other)).toBe(medianAbsoluteDeviation(numbers));
          expect(robustZ(3, other, 1)).toBe(robustZ(3, numbers, 1));
        }
        expect(theilSenSlope(turned) + theilSenSlope(numbers)).toBe(0);
        expect(risingShare(turned) + risingShare(numbers)).toBe(0);
      }),
    );
  });
});

describe('bounds', () => {
  const any = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 30 });

  test('no statistic of finite numbers is NaN, and each keeps its range', () => {
    fc.assert(
      fc.property(any, fc.double({ min: 0, max: 1, noNaN: true }), (numbers, q) => {
        const sorted = ascending(numbers);
        const [low = NaN, high = NaN] = [sorted[0], sorted.at(-1)];
        expect(median(numbers) >= low && median(numbers) <= high).toBe(true);
        expect(quantileOfSorted(sorted, q)).not.toBeNaN();
        expect(medianAbsoluteDeviation(numbers)).toBeGreaterThanOrEqual(0);
        expect(theilSenSlope(numbers)).not.toBeNaN();
        expect(halfWindowSlope(numbers)).not.toBeNaN();
        expect(Math.abs(risingShare(numbers))).toBeLessThanOrEqual(1);
        expect(robustZ(numbers[0] ?? 0, numbers, 1)).not.toBeNaN();
      }),
    );
  });

  test.each([
    ['empty', []],
    ['single', [7]],
    ['constant', Array<number>(20).fill(-3.25)],
    ['huge, both signs', [1e308, -1e308, 1.7e308, -1.7e308, 1e308, -1e308]],
    ['denormal', [5e-324, 1e-323, 5e-324, 2e-323]],
  ])('%s: slope, rising share and robust z are numbers', (_, numbers) => {
    expect(theilSenSlope(numbers)).not.toBeNaN();
    expect(halfWindowSlope(numbers)).not.toBeNaN();
    expect(risingShare(numbers)).not.toBeNaN();
    expect(robustZ(1, numbers, 1e-3)).not.toBeNaN();
  });

  test('the running variance is never negative, and the mean stays among the values', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 50 }), (numbers, memory) => {
        const moments = new Float64Array(2);
        numbers.forEach((value, i) => teachMoments(moments, 0, value, i + 1, memory));
        const [mean = NaN, variance = NaN] = moments;
        expect(variance).toBeGreaterThanOrEqual(0);
        expect(mean).toBeGreaterThanOrEqual(Math.min(...numbers) - 1e-6);
        expect(mean).toBeLessThanOrEqual(Math.max(...numbers) + 1e-6);
      }),
    );
  });

  test('a matrix times its inverse is the identity, for any covariance with a ridge', () => {
    const rows = fc.array(fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 4, maxLength: 4 }), { minLength: 6, maxLength: 12 }); // prettier-ignore
    fc.assert(
      fc.property(rows, (matrix) => {
        const at = (i: number, j: number): number => matrix.reduce((sum, row) => sum + (row[i] ?? 0) * (row[j] ?? 0), i === j ? 50 : 0); // prettier-ignore
        const covariance = Float64Array.from({ length: 16 }, (_, k) => at(Math.floor(k / 4), k % 4));
        const inverse = symmetricInverse(covariance, 4);
        for (let i = 0; i < 4; i++) {
          for (let j = 0; j < 4; j++) {
            let product = 0;
            for (let k = 0; k < 4; k++) product += (covariance[4 * i + k] ?? 0) * (inverse[4 * k + j] ?? 0);
            expect(Math.abs(product - (i === j ? 1 : 0))).toBeLessThan(1e-8);
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});
