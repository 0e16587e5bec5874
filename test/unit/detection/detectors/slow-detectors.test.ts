import { describe, expect, test } from '@jest/globals';
import { stepSeasonal, seasonalShare } from '../../../../src/detection/detectors/seasonal.ts';
import { stepShape } from '../../../../src/detection/detectors/shape.ts';
import { plainSlopePerSecond, trendOf } from '../../../../src/detection/detectors/trend.ts';
import { newObservation, observe, startOwnHistory } from '../../../../src/detection/detectors/own-history.ts';
import { COARSE_SHAPE, SHAPE_SHAPE } from '../../../../src/detection/state/coarse-record.ts';
import { D } from '../../../../src/detection/state/series-record.ts';
import type { Cursor } from '../../../../src/detection/state/slab.ts';
import { seededRandom } from '../../../../src/lib/seeded-random.ts';
import { T0, aRecord, aRecordOf } from '../../../support/builders/detection.ts';

const FIVE_MINUTES = 300_000;
const PER_DAY = 288;

function daily(days: number, noise: number, seed = 1): number[] {
  const random = seededRandom(seed);
  const shape = (i: number): number => 10 * Math.sin((2 * Math.PI * i) / PER_DAY) ** 3;
  return Array.from({ length: days * PER_DAY }, (_, i) => shape(i) + noise * random.normal());
}

function seasonalRatios(values: readonly number[]): { ratios: number[]; share: number } {
  const c = aRecordOf(COARSE_SHAPE);
  const ratios = values.map((value, i) => stepSeasonal(c, value, T0 + i * FIVE_MINUTES, true));
  return { ratios, share: seasonalShare(c) };
}

describe('time of day', () => {
  test('a clear day opens the gate within a week, and ordinary days are calm', () => {
    const { ratios, share } = seasonalRatios(daily(14, 0.5));
    expect(share).toBeGreaterThan(0.8);
    expect(ratios.slice(10 * PER_DAY).filter((ratio) => ratio >= 1)).toHaveLength(0);
  });

  test('a daily peak that does not come is seen; no other part can', () => {
    const values = daily(14, 0.5);
    const missing = values.map((value, i) => (i > 13 * PER_DAY + 20 && i < 13 * PER_DAY + 130 ? 0 : value));
    expect(Math.max(...seasonalRatios(missing).ratios.slice(13 * PER_DAY))).toBeGreaterThan(1);
  });

  test('noise without a day keeps the gate shut', () => {
    const random = seededRandom(3);
    const values = Array.from({ length: 10 * PER_DAY }, () => random.normal());
    const { ratios, share } = seasonalRatios(values);
    expect(share).toBeLessThan(0.5);
    expect(Math.max(...ratios)).toBe(0);
  });

  test.each([
    ['constant', Array<number>(900).fill(4)],
    ['huge', Array.from({ length: 900 }, (_, i) => (i % 2) * 1e30)],
  ])('%s: finite', (_, values) => {
    expect(seasonalRatios(values).ratios.every((ratio) => Number.isFinite(ratio))).toBe(true);
  });
});

describe('shape', () => {
  const ratiosOf = (values: readonly number[]): number[] => {
    const c = aRecordOf(SHAPE_SHAPE);
    return values.map((value) => stepShape(c, value, true));
  };

  test('a flutter within the ordinary range is like nothing before, though each value is ordinary', () => {
    const values = daily(5, 0.2);
    const at = 4 * PER_DAY + 60;
    const flutter = values.map((value, i) => (i >= at && i < at + 30 ? (i % 2) * 12 - 6 : value));
    expect(Math.max(...ratiosOf(flutter).slice(at, at + 40))).toBeGreaterThan(1);
  });

  test('the same day again is like before', () => {
    const ratios = ratiosOf(daily(8, 0.2));
    expect(ratios.slice(3 * PER_DAY).filter((ratio) => ratio >= 1).length).toBeLessThan(8);
  });

  test('says nothing before 250 samples; later rows change no earlier score', () => {
    const values = daily(3, 0.2);
    const ratios = ratiosOf(values);
    expect(Math.max(...ratios.slice(0, 249))).toBe(0);
    expect(ratiosOf(values.slice(0, 500))).toEqual(ratios.slice(0, 500));
  });

  test('finds the nearest of all earlier subsequences, as a plain search does', () => {
    const values = daily(3, 0.3, 9).map((value) => Math.fround(value));
    const c = aRecordOf(SHAPE_SHAPE);
    values.forEach((value) => stepShape(c, value, true));
    const end = values.length - 1;
    let best = [Infinity, 0];
    for (let lag = 24; lag <= 750 && end - lag - 19 >= 0; lag++) {
      let sum = 0;
      for (let k = 0; k < 20; k++) sum += ((values[end - k] ?? 0) - (values[end - lag - k] ?? 0)) ** 2;
      if (sum < (best[0] ?? 0)) best = [sum, lag];
    }
    expect(c.f64[c.d + 6]).toBe(best[1]);
  });

  test.each([
    ['constant', Array<number>(600).fill(4)],
    ['extreme', Array.from({ length: 600 }, (_, i) => (i % 3 === 0 ? 1e30 : -1e30))],
  ])('%s: finite', (_, values) => {
    expect(ratiosOf(values).every((ratio) => Number.isFinite(ratio))).toBe(true);
  });
});

describe('trend', () => {
  const filled = (values: readonly number[], stepMs = 5000): Cursor => {
    const c = aRecord();
    const observation = newObservation();
    startOwnHistory(c, values[0] ?? 0);
    c.f64[c.d + D.stepMs] = stepMs;
    values.forEach((value) => observe(c, value, observation));
    return c;
  };
  const ramp = (n: number, slope: number, noise = 0): number[] => {
    const random = seededRandom(5);
    return Array.from({ length: n }, (_, i) => 40 + slope * i + noise * random.normal());
  };

  test('slope and time to limit of a leak: 0.5 a step of 5 s, 100 is 480 s away from 52', () => {
    const trend = trendOf(filled(ramp(25, 0.5)), 100);
    expect(trend?.slopePerSecond).toBeCloseTo(0.1, 6);
    expect(trend?.timeToLimitMs).toBeCloseTo(480_000, -2);
    expect(trend?.steady).toBe(true);
  });

  test.each([
    ['noise', ramp(24, 0, 1), false],
    ['a step', [...ramp(12, 0, 0.1), ...ramp(12, 0, 0.1).map((value) => value + 20)], false],
    ['a fall', ramp(24, -1), false],
    ['a noisy leak', ramp(24, 1, 1.5), true],
    ['a constant', ramp(24, 0), false],
  ])('%s: steady is %p', (_, values, steady) => {
    expect(trendOf(filled(values), 100)?.steady).toBe(steady);
  });

  test('too few samples, or no pace known: nothing', () => {
    expect(trendOf(filled(ramp(7, 1)), 100)).toBeUndefined();
    expect(trendOf(filled(ramp(20, 1), 0), 100)).toBeUndefined();
    expect(trendOf(filled(ramp(20, 1)), undefined)?.timeToLimitMs).toBeUndefined();
    expect(plainSlopePerSecond(filled(ramp(20, 1)))).toBeUndefined();
  });

  test('the cheap slope agrees with the robust one on a clean ramp', () => {
    expect(plainSlopePerSecond(filled(ramp(30, 0.5)))).toBeCloseTo(0.1, 5);
  });
});
