import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Point } from '../../../src/diagnosis/series-memory.ts';
import { summariseSeries } from '../../../src/diagnosis/summarise-series.ts';
import type { SeriesSummary } from '../../../src/diagnosis/evidence.ts';

const STEP = 15_000;
const ONSET = 1_000_000;

/** Polls every 15 s; the first of `after` is the one at the onset. */
function points(before: readonly number[], after: readonly number[]): readonly Point[] {
  const values = [...before, ...after];
  return values.map((value, i) => ({ atMs: ONSET + (i - before.length) * STEP, value }));
}
const summaryOf = (all: readonly Point[]): SeriesSummary | undefined =>
  summariseSeries([{ metric: 'cpu_usage', pod: 'a', points: all }], ONSET)[0];
const flat = (value: number, count: number): number[] => Array.from({ length: count }, () => value);

describe('a series before and after the onset', () => {
  test('it keeps its name, with a pod or without', () => {
    expect(summaryOf([])).toEqual({ metric: 'cpu_usage', pod: 'a' });
    expect(summariseSeries([{ metric: 'm', points: [] }], ONSET)).toEqual([{ metric: 'm' }]);
  });

  test('median and quartiles of what lies a minute and more before; the present is the median of three', () => {
    // 1 to 10 up to one minute before; numpy.percentile([1..10], [25, 50, 75]) = 3.25, 5.5, 7.75
    const found = summaryOf(points([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 99, 99, 99], [40, 50, 10, 90]));
    expect(found?.baselineMedian).toBeCloseTo(5.5, 12);
    expect(found?.baselineIqr).toBeCloseTo(4.5, 12);
    expect(found?.current).toBe(50);
  });

  test.each<[string, number, boolean]>([
    ['five polls from before say nothing about what is usual', 8, false],
    ['six do', 9, true],
  ])('%s', (_, count, isKnown) => {
    // Three of them lie within the minute before the onset.
    const found = summaryOf(points(flat(10, count), [50, 50, 50]));
    expect(found?.baselineMedian).toBe(isKnown ? 10 : undefined);
    expect(found?.onsetAtMs).toBe(isKnown ? ONSET : undefined);
    expect(found?.current).toBe(50);
  });

  test.each<[string, readonly number[], readonly number[], number | undefined]>([
    ['at the first poll outside', flat(100, 12), [100, 111, 120], ONSET + STEP],
    ['a tenth of the median is within', flat(100, 12), [110, 110, 110], undefined],
    ['below as well as above', flat(100, 12), [100, 100, 89], ONSET + 2 * STEP],
    ['of the run that lasts until now, not of an earlier one', flat(100, 12), [200, 100, 200], ONSET + 2 * STEP],
    ['not at all, when it came back', flat(100, 12), [200, 200, 100], undefined],
    ['three quartile ranges of a noisy series are within', [...flat(90, 6), ...flat(110, 9)], [159, 160, 160], undefined],
    ['more than three are not', [...flat(90, 6), ...flat(110, 9)], [160, 160, 161], ONSET + 2 * STEP],
    ['of a series of zeros any change', flat(0, 12), [0, 1e-9, 1e-9], ONSET + STEP],
    ['of negative values a tenth of their size', flat(-100, 12), [-100, -105, -120], ONSET + 2 * STEP],
  ])('it left its usual range %s', (_, before, after, expected) => {
    expect(summaryOf(points(before, after))?.onsetAtMs).toBe(expected);
  }); // prettier-ignore

  const stairs = (...heights: readonly number[]): readonly Point[] => points(heights.flatMap((height) => flat(height, 4)), []); // prettier-ignore
  test.each<[string, readonly Point[], number]>([
    ['flat', stairs(10, 10, 10), 0],
    ['three windows, each higher', stairs(10, 11, 12), 2],
    ['only the last one is higher', stairs(10, 10, 11), 1],
    ['it climbed, and stands now', stairs(10, 11, 12, 12), 0],
    ['steps of a fiftieth are noise', stairs(100, 102, 104), 0],
    ['a little more is a climb', stairs(100, 102.1, 104.3), 2],
    ['from zero', stairs(0, 1), 1],
    ['below zero, upwards', stairs(-100, -97, -94), 2],
    ['below zero, by noise', stairs(-100, -99), 0],
    ['falling', stairs(12, 11, 10), 0],
    ['one window alone', stairs(10), 0],
    ['less than a window', points([10, 20, 30], []), 0],
    ['what is left over at the old end is no window', points([5, 5, ...flat(10, 4), ...flat(11, 4)], []), 1],
  ])('windows that climb: %s', (_, all, expected) => {
    expect(summaryOf(all)?.climbingWindows).toBe(expected);
  });

  test.each<[string, readonly Point[], number | undefined]>([
    ['between the medians of the last two windows', stairs(50, 10, 22), 12 / 60],
    ['of a straight line its own', points([0, 3, 6, 9, 12, 15, 18, 21], []), 0.2],
    ['seven polls are too few', points(flat(10, 7), []), undefined],
    ['at one moment there is none', stairs(10, 20).map(({ value }) => ({ atMs: ONSET, value })), undefined],
  ])('slope per second: %s', (_, all, expected) => {
    const found = summaryOf(all)?.slopePerSecond;
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found).toBeCloseTo(expected, 12);
  });

  test('scaled values give scaled summaries, and the same moments', () => {
    const value = fc.integer({ min: 1, max: 1000 });
    fc.assert(
      fc.property(fc.array(value, { minLength: 12, maxLength: 40 }), fc.array(value, { minLength: 3 }), (before, after) => {
        const plain = summaryOf(points(before, after));
        const twice = summaryOf(points(before.map((each) => 2 * each), after.map((each) => 2 * each)));
        expect(twice?.onsetAtMs).toBe(plain?.onsetAtMs);
        expect(twice?.climbingWindows).toBe(plain?.climbingWindows);
        expect(twice?.baselineIqr).toBeCloseTo(2 * (plain?.baselineIqr ?? NaN), 9);
        expect(twice?.slopePerSecond).toBeCloseTo(2 * (plain?.slopePerSecond ?? NaN), 9);
      }),
    ); // prettier-ignore
  });
});
