import { describe, expect, test } from '@jest/globals';
import { slowTrendOf, stepSlowTrend } from '../../../../src/detection/detectors/slow-trend.ts';
import type { Trend } from '../../../../src/detection/detectors/trend.ts';
import { COARSE_SHAPE } from '../../../../src/detection/state/coarse-record.ts';
import { seededRandom } from '../../../../src/lib/seeded-random.ts';
import { T0, aRecordOf } from '../../../support/builders/detection.ts';

const FIVE_MINUTES = 300_000;
const LIMIT = 100;

/** Trend after every mean of a curve over hours; noise is that of means of five minutes. */
function trends(hours: number, curve: (hour: number) => number, noise = 0.3): (Trend | undefined)[] {
  const c = aRecordOf(COARSE_SHAPE);
  const random = seededRandom(4);
  return Array.from({ length: hours * 12 }, (_, i) => {
    const value = curve(i / 12) + noise * random.normal();
    stepSlowTrend(c, value, T0 + i * FIVE_MINUTES);
    return slowTrendOf(c, { value, scale: 1 }, LIMIT);
  });
}

/** True where a rise of a twentieth of the scale is steady and its end lies no farther than it was observed. */
const isNear = (trend: Trend | undefined): boolean =>
  trend !== undefined && trend.steady && trend.rise >= 5 && (trend.timeToLimitMs ?? Infinity) <= trend.spanMs;

describe('the slope of hours', () => {
  test('is mute for two hours, then knows slope, rise and time to the limit: 5 an hour from 40', () => {
    const seen = trends(6, (hour) => 40 + 5 * hour, 0);
    expect(seen.slice(0, 23).every((trend) => trend === undefined)).toBe(true);
    expect(seen.at(-1)?.slopePerSecond).toBeCloseTo(5 / 3600, 6);
    expect(seen.at(-1)?.spanMs).toBe(47 * FIVE_MINUTES);
    expect(seen.at(-1)?.rise).toBeCloseTo(5 * (47 / 12), 6);
    expect((seen.at(-1)?.timeToLimitMs ?? 0) / 3_600_000).toBeCloseTo((100 - 40 - 5 * (71 / 12)) / 5, 6);
  });

  test.each([6, 8, 10, 12])(
    'a leak that takes %p h from 40 %% to its limit is near at least an hour before',
    (hours) => {
      const first = trends(hours, (hour) => 40 + (60 * hour) / hours).findIndex(isNear);
      expect(first).toBeGreaterThan(0);
      expect(hours - first / 12).toBeGreaterThan(1);
    },
  );

  test('no cache that levels off below the limit is ever near, whatever its pace', () => {
    for (const level of [60, 80, 90, 96]) {
      for (const tauHours of [0.3, 0.7, 1, 2, 3, 4, 6, 12, 30]) {
        const seen = trends(24, (hour) => 20 + (level - 20) * (1 - Math.exp(-hour / tauHours)), 0.1);
        expect([level, tauHours, seen.some(isNear)]).toEqual([level, tauHours, false]);
      }
    }
  });

  test.each([
    ['a daily cycle, from its second day on', (hour: number) => 50 - 42 * Math.cos((2 * Math.PI * hour) / 24), 24],
    ['a step', (hour: number) => (hour < 3 ? 40 : 85), 0],
    ['a fall', (hour: number) => 95 - hour, 0],
    ['a level near the limit', () => 92, 0],
    ['a sawtooth of collections', (hour: number) => 60 + 25 * (hour % 1), 0],
  ])('%s is not near', (_, curve, fromHour) => {
    const seen = trends(96, curve).slice(fromHour * 12);
    expect(seen.some(isNear)).toBe(false);
  });

  test('a silence empties the window; what was the highest before it is still known', () => {
    const c = aRecordOf(COARSE_SHAPE);
    for (let i = 0; i < 40; i++) stepSlowTrend(c, 40 + i, T0 + i * FIVE_MINUTES);
    expect(slowTrendOf(c, { value: 79, scale: 1 }, LIMIT)?.steady).toBe(true);
    stepSlowTrend(c, 80, T0 + 60 * FIVE_MINUTES);
    expect(slowTrendOf(c, { value: 80, scale: 1 }, LIMIT)).toBeUndefined();
  });

  test('a series that was down for a day is held against yesterday no longer than two days', () => {
    const again = (hour: number): number => (hour < 12 ? 90 : hour < 72 ? 30 : 30 + 10 * (hour - 72));
    expect(
      trends(79, again)
        .slice(72 * 12)
        .some(isNear),
    ).toBe(true);
  });

  test.each([
    ['constant', () => 5],
    ['extreme', (hour: number) => (Math.round(hour * 12) % 2 === 0 ? 1e30 : -1e30)],
  ])('%s: nothing is NaN', (_, curve) => {
    for (const trend of trends(8, curve, 0)) {
      for (const number of Object.values(trend ?? {})) expect(number).not.toBeNaN();
    }
  });
});
