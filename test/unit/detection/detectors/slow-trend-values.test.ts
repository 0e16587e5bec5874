import { describe, expect, test } from '@jest/globals';
import { slowTrendOf, stepSlowTrend } from '../../../../src/detection/detectors/slow-trend.ts';
import type { Trend } from '../../../../src/detection/detectors/trend.ts';
import { COARSE_SHAPE } from '../../../../src/detection/state/coarse-record.ts';
import type { Cursor } from '../../../../src/detection/state/slab.ts';
import { T0, aRecordOf } from '../../../support/builders/detection.ts';

const FIVE_MINUTES = 300_000;
const DAY = 288 * FIVE_MINUTES;

const ramp = (n: number, from = 40, slope = 1): number[] => Array.from({ length: n }, (_, i) => from + slope * i);

/** A window that took these, five minutes apart. */
function shown(values: readonly number[], c: Cursor = aRecordOf(COARSE_SHAPE), fromMs = T0): Cursor {
  values.forEach((value, i) => stepSlowTrend(c, value, fromMs + i * FIVE_MINUTES));
  return c;
}
const trendOf = (c: Cursor, limit?: number, value = 99, scale = 1): Trend | undefined =>
  slowTrendOf(c, { value, scale }, limit);

describe('the window of four hours', () => {
  test('is read from two hours on', () => {
    expect(trendOf(shown(ramp(23)))).toBeUndefined();
    expect(trendOf(shown(ramp(24)))).toEqual({
      slopePerSecond: expect.closeTo(1 / 300, 9),
      rise: 23,
      steady: true,
      keepsPace: true,
      samples: 24,
      spanMs: 23 * FIVE_MINUTES,
    });
  });

  test('forgets what was before it', () => {
    const trend = trendOf(shown([...ramp(30, 0, -3), ...ramp(48, 40, 2)]));
    expect(trend).toMatchObject({ rise: 94, steady: true, samples: 48, spanMs: 47 * FIVE_MINUTES });
    expect(trend?.slopePerSecond).toBeCloseTo(2 / 300, 9);
  });

  test('is in the series’ own unit, and never beyond what a number holds', () => {
    expect(trendOf(shown(ramp(24)), undefined, 99, 64)).toMatchObject({ rise: 23 * 64, slopePerSecond: 64 / 300 });
    expect(trendOf(shown(ramp(24)), undefined, 99, Number.MAX_VALUE)).toMatchObject({ rise: Number.MAX_VALUE });
    expect(trendOf(shown(ramp(24, 40, -1)), undefined, 99, Number.MAX_VALUE)).toMatchObject({
      rise: -Number.MAX_VALUE,
    });
  });

  test.each([
    ['from 70 to 100 at one a step', ramp(24), 70, 100, 30 * FIVE_MINUTES],
    ['it is there', ramp(24), 100, 100, 0],
    ['it was passed', ramp(24), 101, 100, 0],
    ['it falls', ramp(24, 40, -1), 70, 100, undefined],
    ['nothing moves', ramp(24, 40, 0), 70, 100, undefined],
    ['no limit is known', ramp(24), 70, undefined, undefined],
  ])('until its limit: %s', (_, values, value, limit, expected) => {
    const found = trendOf(shown(values), limit, value)?.timeToLimitMs;
    expect(found).toEqual(expected === undefined ? undefined : expect.closeTo(expected, 3));
  });

  test('a silence of three usual steps is none, a longer one empties it', () => {
    for (const [steps, samples] of [
      [3, 25],
      [3.01, undefined],
    ] as const) {
      const c = shown(ramp(24));
      stepSlowTrend(c, 64, T0 + (23 + steps) * FIVE_MINUTES);
      expect(trendOf(c)?.samples).toBe(samples);
    }
  });

  test('the usual step follows by a tenth: two steps late is 5.5 minutes then', () => {
    const c = shown(ramp(24));
    stepSlowTrend(c, 64, T0 + 25 * FIVE_MINUTES);
    expect(trendOf(c)?.spanMs).toBeCloseTo(24 * 1.1 * FIVE_MINUTES, 3);
    expect(trendOf(c)?.slopePerSecond).toBeCloseTo(1 / 330, 6);
  });

  test('after a silence it begins anew, and is read two hours later', () => {
    const c = shown(ramp(30));
    shown(ramp(23, 80), c, T0 + DAY);
    expect(trendOf(c)).toBeUndefined();
    stepSlowTrend(c, 103, T0 + DAY + 23 * FIVE_MINUTES);
    expect(trendOf(c)).toMatchObject({ samples: 24, steady: true });
  });
});

describe('a steady rise', () => {
  /** Every second one is so much lower than the ramp: the larger, the more pairs fall. */
  const jagged = (by: number): number[] => ramp(24).map((value, i) => value - (i % 2) * by);

  test.each([
    ['most pairs rise', jagged(4), true],
    ['too many fall', jagged(12), false],
    ['it is one jump', [...ramp(12, 40, 0.02), ...ramp(12, 55, 0.02)], false],
    ['it is a jump and a rise', [...ramp(12, 40, 0.1), ...ramp(12, 55, 0.1)], true],
    ['it levels off', [...ramp(12, 40, 2), ...ramp(12, 64, 1)], false],
    ['it hardly slows down', [...ramp(12, 40, 2), ...ramp(12, 64, 1.6)], true],
    ['nothing moves', ramp(24, 40, 0), false],
    ['it falls', ramp(24, 40, -1), false],
  ])('%s', (_, values, steady) => {
    expect(trendOf(shown(values))).toMatchObject({ steady, keepsPace: steady });
  });

  /** A level, which leaves the window, then a low one and a rise that ends at 63. */
  test.each([
    ['above all that left the window', 50, true],
    ['as high as it was yesterday', 63, false],
    ['below what it was yesterday', 90, false],
  ])('counts only %s', (_, before, steady) => {
    const c = shown(Array<number>(60).fill(before));
    shown([...Array<number>(48).fill(30), ...ramp(34, 30)], c, T0 + 60 * FIVE_MINUTES);
    expect(trendOf(c)?.steady).toBe(steady);
  });

  test.each([
    ['yesterday still counts', 1.5, false],
    ['the day before yesterday does not', 2.6, true],
  ])('%s: after %p days it is steady: %p', (_, days, steady) => {
    const c = shown([
      ...Array<number>(60).fill(90),
      ...Array<number>(Math.round(days * 288)).fill(30),
      ...ramp(34, 30),
    ]);
    expect(trendOf(c)?.steady).toBe(steady);
  });
});
