import { describe, expect, test } from '@jest/globals';
import { newObservation, observe, startOwnHistory } from '../../../../src/detection/detectors/own-history.ts';
import { isStep, keepsItsPace, plainSlopePerSecond, trendOf } from '../../../../src/detection/detectors/trend.ts';
import type { Trend } from '../../../../src/detection/detectors/trend.ts';
import { D } from '../../../../src/detection/state/series-record.ts';
import type { Cursor } from '../../../../src/detection/state/slab.ts';
import { aRecord } from '../../../support/builders/detection.ts';

/** A series that showed these, a sample every two seconds. */
function shown(values: readonly number[]): Cursor {
  const c = aRecord();
  startOwnHistory(c, values[0] ?? 0);
  c.f64[c.d + D.stepMs] = 2000;
  for (const value of values) observe(c, value, newObservation());
  return c;
}
const ramp = (n: number, from = 64, slope = 1): number[] => Array.from({ length: n }, (_, i) => from + slope * i);
const trend = (values: readonly number[], limit?: number): Trend | undefined => trendOf(shown(values), limit);

describe('the slope of the last two dozen', () => {
  test('of eight samples is known, of seven it is not', () => {
    expect(trend(ramp(7))).toBeUndefined();
    expect(trend(ramp(8))).toMatchObject({ slopePerSecond: 0.5, rise: 7, spanMs: 14_000, samples: 8, steady: true });
  });

  test('forgets what was before them', () => {
    expect(trend([...ramp(30, 500, -9), ...ramp(24, 64, 2)])).toMatchObject({ slopePerSecond: 1, rise: 46, spanMs: 46_000, samples: 24 });
  }); // prettier-ignore

  test.each<readonly [string, readonly number[], number | undefined, number | undefined]>([
    ['from 71 to 81 at half a unit a second', ramp(8), 81, 20_000],
    ['it is there', ramp(8), 71, 0],
    ['it was passed', ramp(8), 60, 0],
    ['it falls', ramp(8, 64, -1), 81, undefined],
    ['nothing moves', ramp(8, 64, 0), 81, undefined],
    ['no limit is known', ramp(8), undefined, undefined],
  ])('until its limit: %s', (_, values, limit, expected) => {
    expect(trend(values, limit)?.timeToLimitMs).toBe(expected);
  });

  // Of 28 pairs 24 rise and 4 fall: 0.714; with 23 and 5 it is 0.643.
  test.each([
    ['seven in ten pairs more rise than fall', [1, 0, 3, 2, 5, 4, 7, 6], true],
    ['fewer do', [3, 0, 1, 2, 5, 4, 7, 6], false],
    ['one jump makes up most of the rise', [0, 0.1, 0.2, 0.3, 8, 8.1, 8.2, 8.3], false],
    ['all fall', [7, 6, 5, 4, 3, 2, 1, 0], false],
    ['none moves', [5, 5, 5, 5, 5, 5, 5, 5], false],
  ])('steady or not: %s', (_, values, steady) => {
    expect(trend(values)?.steady).toBe(steady);
  });

  test.each<readonly [string, readonly number[], boolean]>([
    ['a jump of three fifths is none yet', [0, 6, 7, 8, 9, 10], false],
    ['a jump of more is', [0, 6.1, 7, 8, 9, 10], true],
    ['wherever it is', [0, 1, 2, 3, 10], true],
    ['a fall is no step', [10, 0, 1, 2, 3], false],
    ['nor is a ramp', ramp(6), false],
  ])('a step: %s', (_, values, expected) => {
    expect(isStep(Float64Array.from(values), 10)).toBe(expected);
  });

  test('a smaller share makes a step of less', () => {
    const values = Float64Array.of(0, 6, 7, 8, 9, 10);
    expect([isStep(values, 10, 0.5), isStep(values, 10, 0.6)]).toEqual([true, false]);
  });

  test.each<readonly [string, readonly number[], boolean]>([
    ['three quarters as fast in its second half', [0, 4, 8, 12, 15, 18, 21, 24], true],
    ['slower than that', [0, 4, 8, 12, 14, 16, 18, 20], false],
    ['faster', [0, 1, 2, 3, 9, 15, 21, 27], true],
    ['of an odd number the middle one belongs to neither', [0, 4, 8, 12, -99, 15, 18, 21, 24], true],
    ['and so it is if the second half is slower', [0, 4, 8, 12, 99, 14, 16, 18, 20], false],
  ])('keeps its pace or not: %s', (_, values, expected) => {
    expect(keepsItsPace(Float64Array.from(values))).toBe(expected);
    expect(trend(values)?.keepsPace).toBe(expected);
  });
});

describe('the cheap slope of any series', () => {
  test('is that of two dozen samples: their halves are twelve steps apart', () => {
    expect(plainSlopePerSecond(shown(ramp(23)))).toBeUndefined();
    expect(plainSlopePerSecond(shown(ramp(24)))).toBeCloseTo(0.5, 9);
    expect(plainSlopePerSecond(shown([...ramp(30, 500, -9), ...ramp(24, 64, -3)]))).toBeCloseTo(-1.5, 6);
    expect(plainSlopePerSecond(shown([...Array<number>(12).fill(64), ...Array<number>(12).fill(88)]))).toBeCloseTo(1, 9);
  }); // prettier-ignore

  test('is not known without a pace', () => {
    const c = shown(ramp(30));
    c.f64[c.d + D.stepMs] = 0;
    expect([plainSlopePerSecond(c), trendOf(c, 99)]).toEqual([undefined, undefined]);
  });
});
