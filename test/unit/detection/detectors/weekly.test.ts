import { describe, expect, test } from '@jest/globals';
import { weeklyExpectation, stepWeekly, weeklyGateIsOpen } from '../../../../src/detection/detectors/weekly.ts';
import type { Cursor } from '../../../../src/detection/state/slab.ts';
import { WEEK_SHAPE } from '../../../../src/detection/state/week-record.ts';
import { seededRandom } from '../../../../src/lib/seeded-random.ts';
import { aRecordOf } from '../../../support/builders/detection.ts';
import { teachMoments } from '../../../../src/detection/statistics/running-moments.ts';

const FIVE_MINUTES = 300_000;
const PER_DAY = 288;
/** A Thursday at midnight, as every week of the epoch begins. */
const START = 2_900 * 7 * 86_400_000;

/** Office hours: busy by day, quiet on two days of seven; `saturday` says how busy those are. */
function office(days: number, saturday: number, noise = 0.3, seed = 1): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: days * PER_DAY }, (_, i) => {
    const day = Math.floor(i / PER_DAY) % 7;
    const busy = Math.max(Math.sin((2 * Math.PI * (i % PER_DAY)) / PER_DAY), 0) * 40;
    return 20 + busy * (day === 2 || day === 3 ? saturday : 1) + noise * random.normal();
  });
}

interface Fed {
  readonly ratios: number[];
  readonly c: Cursor;
}

/** Feeds the means; what the day leaves unexplained is told as `dayLeaves` of the whole variance. */
function feed(values: readonly number[], dayLeaves = 0.6, teach: (i: number) => boolean = () => true): Fed {
  const c = aRecordOf(WEEK_SHAPE);
  const moments = new Float64Array(2);
  const ratios = values.map((value, i) => {
    teachMoments(moments, 0, value, i + 1, 2016);
    const total = moments[1] ?? 0;
    return stepWeekly(c, value, START + i * FIVE_MINUTES, teach(i), { total, residual: dayLeaves * total });
  });
  return { ratios, c };
}

describe('day of week', () => {
  test('says nothing before two weeks are seen, however clear the week', () => {
    const { ratios } = feed(office(14, 0));
    expect(Math.max(...ratios.slice(0, 14 * PER_DAY - 12))).toBe(0);
  });

  test('from then on the quiet days are expected quiet: ordinary weeks are calm', () => {
    const { ratios, c } = feed(office(35, 0));
    expect(weeklyGateIsOpen(c, { total: 250, residual: 150 })).toBe(true);
    expect(ratios.slice(14 * PER_DAY).filter((ratio) => ratio > 0).length).toBeGreaterThan(20 * PER_DAY);
    expect(Math.max(...ratios.slice(14 * PER_DAY))).toBeLessThan(1);
  });

  test.each([
    ['a quiet day that is as busy as the others', (i: number) => i >= 30 * PER_DAY && i < 31 * PER_DAY, 1],
    ['a busy day on which nobody comes', (i: number) => i >= 32 * PER_DAY && i < 33 * PER_DAY, 0],
  ])('%s is seen, though its level is ordinary on other days', (_, where, saturday) => {
    const [usual, other] = [office(35, 0), saturday === 1 ? office(35, 1) : office(35, 0).map(() => 20)];
    const { ratios } = feed(usual.map((value, i) => (where(i) ? (other[i] ?? value) : value)));
    expect(Math.max(...ratios.filter((__, i) => where(i)))).toBeGreaterThan(1);
    expect(Math.max(...ratios.filter((__, i) => i > 14 * PER_DAY && i < 30 * PER_DAY))).toBeLessThan(1);
  });

  test.each([
    ['noise', () => seededNoise(28), 0.9],
    ['a day that is alike all week, which the day explains as well', () => office(28, 1), 0.001],
  ])('the gate stays shut for %s', (_, values, dayLeaves) => {
    expect(Math.max(...feed(values(), dayLeaves).ratios)).toBe(0);
  });

  test('what is a fault teaches nothing: the profile stays as it was', () => {
    const plain = office(28, 0);
    const faulty = plain.map((value, i) => (i >= 21 * PER_DAY ? value + 500 : value));
    const { c } = feed(faulty, 0.6, (i) => i < 21 * PER_DAY);
    expect(weeklyExpectation(c, START + 72 * FIVE_MINUTES)).toBeCloseTo(60, -1);
  });

  test('an hour that was never seen has no expectation', () => {
    const { c } = feed(office(1, 0));
    expect(weeklyExpectation(c, START + 3 * 86_400_000)).toBeNaN();
    expect(weeklyExpectation(c, START + 6 * 3_600_000)).toBeCloseTo(60, -1);
  });

  test('the ratio of a mean does not change when later ones are cut off', () => {
    const values = office(30, 0, 2);
    expect(feed(values.slice(0, 7000)).ratios).toEqual(feed(values).ratios.slice(0, 7000));
  });

  test.each([
    ['constant', () => Array<number>(30 * PER_DAY).fill(4)],
    ['extreme', () => Array.from({ length: 30 * PER_DAY }, (_, i) => (i % 2 === 0 ? 1e30 : -1e30))],
    ['a single mean', () => [7]],
  ])('%s: finite, 0 to 20 lines', (_, values) => {
    for (const ratio of feed(values()).ratios) expect(ratio >= 0 && ratio <= 20).toBe(true);
  });
});

function seededNoise(days: number): number[] {
  const random = seededRandom(9);
  return Array.from({ length: days * PER_DAY }, () => random.normal());
}
