import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { clamp } from '../../../../src/detection/statistics/clamp.ts';
import { medianAbsoluteDeviation } from '../../../../src/detection/statistics/median-absolute-deviation.ts';
import { median, medianOfSorted, medianOfThree } from '../../../../src/detection/statistics/median.ts';
import { quantileOfSorted } from '../../../../src/detection/statistics/quantile.ts';
import { risingShare } from '../../../../src/detection/statistics/rising-share.ts';
import { robustZ } from '../../../../src/detection/statistics/robust-z.ts';
import { theilSenSlope } from '../../../../src/detection/statistics/theil-sen-slope.ts';

const SAMPLE = [3.1, -2, 7.5, 0.25, 11, 4, 4];
const finite = fc.double({ min: -1e150, max: 1e150, noNaN: true });

describe('median and its kin, against numpy 2 and scipy 1.17', () => {
  test('numpy.median, scipy.stats.median_abs_deviation', () => {
    expect(median(SAMPLE)).toBe(4);
    expect(medianAbsoluteDeviation(SAMPLE)).toBe(3.5);
  });

  test.each([
    [0, -2],
    [0.1, -0.65],
    [0.5, 4],
    [0.9, 8.9],
    [1, 11],
    [-3, -2],
    [7, 11],
  ])('numpy.quantile at %p is %p, held to [0, 1]', (q, expected) => {
    expect(
      quantileOfSorted(
        SAMPLE.toSorted((a, b) => a - b),
        q,
      ),
    ).toBeCloseTo(expected, 12);
  });

  test.each([
    ['a wild value moves nothing', [1, 2.5, 2, 4, 4.5, 30, 6, 7.5, 8], 0.875, 0.7777777777777778],
    ['a noisy rise', [5, 3, 8, 9, 2, 10, 12], 1, 0.5238095238095238],
  ])('scipy.stats.theilslopes and kendalltau: %s', (_, values, slope, tau) => {
    expect(theilSenSlope(values)).toBeCloseTo(slope, 12);
    expect(risingShare(values)).toBeCloseTo(tau, 12);
  });

  test('robust z in scaled median absolute deviations', () => {
    expect(robustZ(40, [12, 15, 11, 14, 13], 0.1)).toBeCloseTo(18.211223255294207, 10);
  });

  test.each([
    ['empty', [], NaN, NaN],
    ['one value', [5], 5, 0],
    ['constant', [2, 2, 2, 2], 2, 0],
    ['huge pair, no overflow', [1e308, 1.7e308], 1.35e308, 3.4999999999999995e307],
    ['denormal', [5e-324, 5e-324, 1e-323], 5e-324, 0],
  ])('%s', (_, values, middle, deviation) => {
    expect(median(values)).toEqual(middle);
    expect(medianAbsoluteDeviation(values)).toEqual(deviation);
  });

  test('nothing to compare with is no deviation, and a constant other side is held to the floor', () => {
    expect(robustZ(7, [], 1)).toBe(0);
    expect(robustZ(7, [5, 5, 5], 0.5)).toBe(4);
    expect(theilSenSlope([3])).toBe(0);
    expect(risingShare([])).toBe(0);
    expect(risingShare([2, 2, 2])).toBe(0);
  });

  test('the order of values does not matter, shift and scale carry over', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1, maxLength: 30 }), (values) => {
        expect(median(values.toReversed())).toBe(median(values));
        expect(median(values.map((value) => value * 4 + 8))).toBe(median(values) * 4 + 8);
        expect(median(values.map((value) => -value)) + median(values)).toBe(0);
      }),
    );
  });

  test('it is the middle of the sorted values, many equal ones and long lists included', () => {
    const values = fc.array(fc.oneof(fc.integer({ min: 0, max: 3 }), finite), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(values, (given) => {
        const sorted = given.toSorted((x, y) => x - y);
        // Of 0 and -0 either may be the middle one.
        expect(median(given) === medianOfSorted(sorted)).toBe(true);
      }),
    );
  });

  test('median of three is the middle one', () => {
    fc.assert(
      fc.property(finite, finite, finite, (a, b, c) => {
        // Of 0 and -0 either may be the middle one.
        expect(medianOfThree(a, b, c) === [a, b, c].toSorted((x, y) => x - y)[1]).toBe(true);
      }),
    );
  });

  test.each([
    [5, 5],
    [-1, 0],
    [11, 10],
    [NaN, 0],
    [Infinity, 10],
  ])('clamp(%p, 0, 10) is %p: NaN does not pass', (value, expected) => {
    expect(clamp(value, 0, 10)).toBe(expected);
  });
});
