/** Time of day, day of week and shape against plain arithmetic over the whole past, kept as lists. */
import { describe, expect, test } from '@jest/globals';
import { seasonalExpectation, seasonalShare, stepSeasonal } from '../../../../src/detection/detectors/seasonal.ts';
import { stepShape } from '../../../../src/detection/detectors/shape.ts';
import { stepWeekly, weeklyExpectation, weeklyGateIsOpen } from '../../../../src/detection/detectors/weekly.ts';
import { CD, COARSE_SHAPE, SD, SHAPE_SHAPE } from '../../../../src/detection/state/coarse-record.ts';
import { WD, WEEK_SHAPE } from '../../../../src/detection/state/week-record.ts';
import { seededRandom } from '../../../../src/lib/seeded-random.ts';
import { aRecordOf } from '../../../support/builders/detection.ts';
import { Past, meanOf, varianceOf } from '../../../support/plain-statistics.ts';

const HALF_HOUR = 1_800_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A midnight at which a week of the epoch begins. */
const START = 2_900 * 7 * DAY;
/** Profiles are kept in single precision. */
const close = (values: readonly number[]): unknown[] => values.map((value) => expect.closeTo(value, 4));

describe('time of day', () => {
  /** One value for each half hour: what the profile expects, and how far the last six hours were off it. */
  class PlainDay {
    readonly #values: number[] = [];
    readonly #residuals: number[] = [];
    readonly #averages = new Past(true);

    next(y: number): number {
      const usual = this.#values.filter((_, i) => (this.#values.length - i) % 48 === 0);
      const [total, left] = [varianceOf(this.#values), varianceOf(this.#residuals)];
      const share = this.#values.length - 1 < 96 ? 0 : Math.max(1 - left / total, 0);
      this.#values.push(y);
      if (usual.length === 0) return 0;
      this.#residuals.push(y - meanOf(usual));
      if (this.#residuals.length < 12) return 0;
      const average = Math.abs(meanOf(this.#residuals.slice(-12)));
      const isOpen = this.#averages.count >= 100 && share >= 0.8;
      const ratio = average / Math.max(this.#averages.upper(0.01), 0.05 * Math.sqrt(total));
      this.#averages.add(average);
      return isOpen ? Math.min(ratio, 20) / 2.5 : 0;
    }
  }

  /** Six days of which the last has no peak. */
  const random = seededRandom(3);
  const values = Array.from({ length: 6 * 48 }, (_, i) => {
    const peak = 10 * Math.sin((2 * Math.PI * i) / 48) ** 3;
    return (i >= 5.5 * 48 ? 0 : peak) + 0.5 * random.normal();
  });

  test('the ratio is that of the last six hours’ residuals to their own 99th percentile, over a line of 2.5', () => {
    const c = aRecordOf(COARSE_SHAPE);
    const plain = new PlainDay();
    const ratios = values.map((value, i) => stepSeasonal(c, value, START + i * HALF_HOUR, true));
    expect(ratios).toEqual(close(values.map((value) => plain.next(value))));
    expect(Math.max(...ratios)).toBeGreaterThan(1);
    expect(c.f64[c.d + CD.ratio]).toBe(ratios.at(-1));
  });

  test('a half hour’s expectation is the mean of its visits, and of its last week when there are more', () => {
    const c = aRecordOf(COARSE_SHAPE);
    const expectations: number[] = [];
    for (let day = 0; day <= 9; day++) {
      // Two values at noon, whose mean is 10 times the day, and one in the evening.
      for (const [at, value] of [
        [0, 10 * day - 1],
        [0.25, 10 * day + 1],
        [6, 5],
      ] as const) {
        stepSeasonal(c, value, START + day * DAY + 12 * HOUR + at * HOUR, true);
      }
      expectations.push(seasonalExpectation(c, START + 12.4 * HOUR));
    }
    // 0, 5, ..., 30 are plain means of 0, 10, ..., 60; then a seventh of the way to 70, 80 and 90.
    const [eighth, ninth] = [30 + 40 / 7, 30 + 40 / 7 + (80 - 30 - 40 / 7) / 7];
    expect(expectations).toEqual(close([0, 5, 10, 15, 20, 25, 30, eighth, ninth, ninth + (90 - ninth) / 7]));
    expect(seasonalExpectation(c, START + 18.2 * HOUR)).toBeCloseTo(5, 6);
    expect(seasonalExpectation(c, START + 12.5 * HOUR)).toBeNaN();
  });

  test('what a fault shows is compared, and teaches nothing', () => {
    const [c, other] = [aRecordOf(COARSE_SHAPE), aRecordOf(COARSE_SHAPE)];
    const calm = values.slice(0, 5 * 48);
    calm.forEach((value, i) => [c, other].forEach((each) => stepSeasonal(each, value, START + i * HALF_HOUR, true)));
    const ratios = Array.from({ length: 48 }, (_, i) => stepSeasonal(c, 99, START + (5 * 48 + i) * HALF_HOUR, false));
    expect(Math.max(...ratios)).toBeGreaterThan(1);
    expect(seasonalShare(c)).toBe(seasonalShare(other));
    for (let slot = 0; slot < 47; slot++) {
      const at = START + slot * HALF_HOUR;
      expect(seasonalExpectation(c, at)).toBe(seasonalExpectation(other, at));
    }
  });

  test('the share explained is 1 less what is left of the variance, and 0 before two days', () => {
    const c = aRecordOf(COARSE_SHAPE);
    // High by day and low by night; on the second and third day everything is 1 higher than on the first.
    for (let i = 0; i < 3 * 48; i++) {
      stepSeasonal(c, (i % 48 < 24 ? 10 : -10) + (i < 48 ? 0 : 1), START + i * HALF_HOUR, true);
      if (i < 96) expect(seasonalShare(c)).toBe(0);
    }
    // Residuals: 1 on the second day, 0.5 on the third: variance 1/16. Values: 100 and 2/9 (a third is 1 lower).
    expect(seasonalShare(c)).toBeCloseTo(1 - 1 / 16 / (100 + 2 / 9), 9);
  });
});

describe('day of week', () => {
  /** What the day knows: the week may leave a fifth of 64, and seven tenths of what the day leaves. */
  const day = { total: 64, residual: 30 };

  class PlainWeek {
    readonly #values: number[] = [];
    readonly #residuals: number[] = [];
    readonly #averages = new Past(true);
    #averaged = 0;

    next(y: number): number {
      const usual = this.#values.filter((_, i) => (this.#values.length - i) % 168 === 0);
      const left = varianceOf(this.#residuals);
      const isSeen = this.#values.length - 1 >= 2 * 168 && this.#residuals.length >= 100;
      const isOpen = isSeen && left <= 0.2 * day.total && left <= 0.7 * day.residual;
      this.#values.push(y);
      if (usual.length === 0) return 0;
      const residual = y - meanOf(usual);
      this.#residuals.push(residual);
      this.#averaged += (2 / 13) * (residual - this.#averaged);
      const ratio = Math.abs(this.#averaged) / Math.max(this.#averages.upper(0.01), 0.05 * Math.sqrt(day.total));
      this.#averages.add(Math.abs(this.#averaged));
      return isOpen ? Math.min(ratio, 20) / 2.5 : 0;
    }
  }

  /** One value an hour for three weeks and a half; in the end a quiet day is as busy as the others. */
  const random = seededRandom(8);
  const values = Array.from({ length: 3.5 * 168 }, (_, i) => {
    const isQuiet = Math.floor(i / 24) % 7 === 2 && i < 3 * 168;
    return (isQuiet ? 0 : 12) + 8 * Math.sin((2 * Math.PI * i) / 24) + random.normal();
  });

  test('the ratio is that of the running residual to its own 99th percentile, over a line of 2.5', () => {
    const c = aRecordOf(WEEK_SHAPE);
    const plain = new PlainWeek();
    const ratios = values.map((value, i) => stepWeekly(c, value, START + i * HOUR, true, day));
    expect(ratios).toEqual(close(values.map((value) => plain.next(value))));
    expect(Math.max(...ratios)).toBeGreaterThan(1);
    expect(c.f64[c.d + WD.ratio]).toBe(ratios.at(-1));
    expect(ratios.at(-1)).toBeGreaterThan(0);
  });

  test('an hour’s expectation is the mean of its visits, and of its last four weeks when there are more', () => {
    const c = aRecordOf(WEEK_SHAPE);
    const expectations: number[] = [];
    for (let week = 0; week < 6; week++) {
      for (const [hour, value] of [
        [100, 10 * week - 1],
        [100.5, 10 * week + 1],
        [101, 3],
        [103, 7],
      ] as const) {
        stepWeekly(c, value, START + (week * 168 + hour) * HOUR, true, day);
      }
      expectations.push(weeklyExpectation(c, START + 100.9 * HOUR));
    }
    // Plain means of 0, 10, 20, 30; then a quarter of the way to 40 and 50.
    expect(expectations).toEqual(close([0, 5, 10, 15, 21.25, 28.4375]));
    expect(weeklyExpectation(c, START + 101 * HOUR)).toBeCloseTo(3, 6);
    expect(weeklyExpectation(c, START + 103 * HOUR)).toBeCloseTo(7, 6);
    expect(weeklyExpectation(c, START + 102 * HOUR)).toBeNaN();
  });

  // The values above leave a variance of about 1.6.
  test.each([
    ['opens after two weeks', 2.1, day, true],
    ['is shut before', 1.9, day, false],
    ['is shut where the values hardly vary', 2.1, { total: 0, residual: 0 }, false],
    ['is shut where it leaves more than a fifth', 2.1, { total: 7, residual: 30 }, false],
    ['is shut where the day leaves hardly more', 2.1, { total: 64, residual: 2 }, false],
  ])('the gate %s', (_, weeks, variance, expected) => {
    const c = aRecordOf(WEEK_SHAPE);
    values.slice(0, weeks * 168).forEach((value, i) => stepWeekly(c, value, START + i * HOUR, true, day));
    expect(weeklyGateIsOpen(c, variance)).toBe(expected);
  });
});

describe('shape', () => {
  class PlainShape {
    readonly #values: number[] = [];
    readonly #lengths = [12, 16, 20].map((length) => ({ length, past: new Past(true) }));

    /** `undefined`: nothing is compared yet. */
    next(y: number): number | undefined {
      const sigma = Math.sqrt(varianceOf(this.#values));
      this.#values.push(y);
      const compared = this.#values.length - 200;
      if (compared <= 0) return undefined;
      const ratios = this.#lengths.map(({ length, past }) => {
        const distance = this.#nearest(length);
        const usual = past.upper(Math.min(0.03, 200 / compared));
        past.add(distance);
        const ratio = distance / Math.max(usual, 0.1 * sigma * Math.sqrt(length));
        return Math.min(Math.max(ratio, 0.05), 20);
      });
      return compared < 50 ? 0 : Math.cbrt(ratios.reduce((product, ratio) => product * ratio, 1)) / 1.4;
    }

    /** Distance of the last values to those that ended at least 24 before. */
    #nearest(length: number): number {
      const last = this.#values.slice(-length);
      let least = Infinity;
      for (let lag = 24; lag <= this.#values.length - 20; lag++) {
        const from = this.#values.length - length - lag;
        least = Math.min(
          least,
          last.reduce((sum, value, i) => sum + (value - (this.#values[from + i] ?? NaN)) ** 2, 0),
        );
      }
      return Math.sqrt(least);
    }
  }

  test('the ratio is the geometric mean of three nearest distances to what is usual of them, over a line of 1.4', () => {
    const c = aRecordOf(SHAPE_SHAPE);
    const plain = new PlainShape();
    const random = seededRandom(6);
    const values = Array.from({ length: 330 }, (_, i) => {
      const flutter = i >= 300 && i < 315 ? 12 * (i % 2) - 6 : 10 * Math.sin(i / 6);
      return Math.fround(flutter + 0.3 * random.normal());
    });
    const ratios = values.map((value) => stepShape(c, value, true));
    expect(ratios).toEqual(values.map((value) => expect.closeTo(plain.next(value) ?? 0, 4)));
    expect(Math.max(...ratios)).toBeGreaterThan(1);
    expect(c.f64[c.d + SD.ratio]).toBe(ratios.at(-1));
  });
});
