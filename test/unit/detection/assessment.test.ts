import { describe, expect, test } from '@jest/globals';
import { gather } from '../../../src/detection/assessment.ts';
import type { Assessment, SeriesContext } from '../../../src/detection/assessment.ts';
import { coarseView, feedCoarse } from '../../../src/detection/coarse-feed.ts';
import { newObservation, startOwnHistory, teachOwnHistory } from '../../../src/detection/detectors/own-history.ts';
import { CD, CF, CU, SD, SU } from '../../../src/detection/state/coarse-record.ts';
import { D, U } from '../../../src/detection/state/series-record.ts';
import { SeriesTable } from '../../../src/detection/state/series-table.ts';
import { WD, WH, WU } from '../../../src/detection/state/week-record.ts';
import { aWatched } from '../../support/builders/assessment.ts';
import { STEP, T0, aValue, someSettings } from '../../support/builders/detection.ts';

const FIVE_MINUTES = 300_000;
const HOUR = 12 * FIVE_MINUTES;
const DAY = 24 * HOUR;

/** One series of one table, polled every 15 s. */
class Polled {
  readonly table = new SeriesTable(4);
  #polls = 0;

  constructor() {
    this.table.open('another');
  }

  poll(value: number | undefined, over: Partial<SeriesContext> = {}): Assessment {
    const nowMs = T0 + this.#polls * STEP;
    if (over.nowMs === undefined) this.#polls++;
    return gather(this.table, {
      key: 's',
      watched: aWatched(),
      reading: value === undefined ? { kind: 'unknown', reason: 'Absent' } : aValue(value, nowMs),
      settings: someSettings(),
      nowMs,
      limit: undefined,
      wantsShape: false,
      observation: newObservation(),
      ...over,
    });
  }

  /** All are learnt; the last one is not. */
  all(values: readonly number[], over: Partial<SeriesContext> = {}): Assessment {
    let last = this.poll(values[0], over);
    for (const value of values.slice(1)) {
      teachOwnHistory(this.table.record(last.slot), last.observation);
      last = this.poll(value, over);
    }
    return last;
  }
}

describe('one series in one poll', () => {
  test('has its value, what was learnt of it, and since when', () => {
    const a = new Polled().all([64, 60, 68, 64, 60, 68, 90]);
    expect(a).toMatchObject({ value: 90, atMs: T0 + 6 * STEP, fresh: true, learnt: 6, contiguous: 7, refused: undefined });
    // Mean and spread of 64, 60, 68, twice: variance 32 / 3.
    expect(a.expected).toBeCloseTo(64, 9);
    expect(a.sigma).toBeCloseTo(Math.sqrt(32 / 3), 9);
    expect(a.recent).toEqual({ expected: a.expected, sigma: a.sigma });
    expect([a.low, a.high, a.modelAgeMs, a.inherited, a.learntBefore]).toEqual([60, 68, 6 * STEP, 0, 0]);
    expect([a.peerRatio, a.peerExpected, a.peerNeeded, a.peerDeviation]).toEqual([NaN, NaN, NaN, NaN]);
  }); // prettier-ignore

  test.each([
    [[64, 900], 900],
    [[64, 68, 900], 68],
    [[64, 900, 68], 68],
    [[1, 64, 900, 910], 900],
  ])('of %j the median of the last three is %p: of fewer it is the value', (values, smooth) => {
    expect(new Polled().all(values).smooth).toBeCloseTo(smooth, 3);
  });

  test('a poll that sees the same sample again moves nothing and keeps its ratio', () => {
    const polled = new Polled();
    const a = polled.all([...Array.from({ length: 40 }, (_, i) => 60 + (i % 5)), 90]);
    expect(a.observation.ratio).toBeGreaterThan(1);
    const again = polled.poll(90, { reading: aValue(90, a.atMs), nowMs: a.atMs + 5000 });
    expect(again).toMatchObject({ fresh: false, value: 90, atMs: a.atMs, learnt: 40, contiguous: 41, smooth: a.smooth });
    const { ratio, tail, feature } = a.observation;
    expect(again.observation).toMatchObject({ ratio, tail, feature });
    expect(tail).toBeLessThan(0.05);
  }); // prettier-ignore

  test('without a value there is the reason, and how much is known', () => {
    const polled = new Polled();
    expect(polled.poll(undefined)).toMatchObject({ slot: -1, refused: 'Absent', learnt: 0, value: NaN, scores: [] });
    expect(polled.table.find('s')).toBe(-1);
    polled.all([64, 60, 68]);
    const a = polled.poll(undefined);
    expect(a).toMatchObject({ refused: 'Absent', learnt: 2, fresh: false, slot: polled.table.find('s') });
    const c = polled.table.record(a.slot);
    expect(c.f64[c.d + D.seenAtMs]).toBe(T0 + 4 * STEP);
  });

  test('after a gap it warms up', () => {
    const polled = new Polled();
    polled.all([64, 60, 68]);
    const nowMs = T0 + 60 * STEP;
    const a = polled.poll(50, { reading: aValue(50, nowMs), nowMs });
    expect(a).toMatchObject({ refused: 'Gap', learnt: 2 });
    const c = polled.table.record(a.slot);
    expect(c.f64[c.d + D.seenAtMs]).toBe(nowMs);
  });
});

describe('where it is going', () => {
  const fills = { watched: aWatched({ fills: true }), limit: 100 };
  const rise = Array.from({ length: 20 }, (_, i) => 40 + i);

  test('a metric that fills has a slope and a time to its limit: 41 at 1 a step of 15 s', () => {
    const { trend } = new Polled().all(rise, fills);
    expect(trend?.slopePerSecond).toBeCloseTo(1 / 15, 6);
    expect(trend?.timeToLimitMs).toBeCloseTo(41 * STEP, -1);
    expect(new Polled().all(rise, { ...fills, watched: aWatched() }).trend).toBeUndefined();
  });

  test('a rise above all that was seen is told, however much is known', () => {
    const further = Array.from({ length: 60 }, (_, i) => 30 + i);
    expect(new Polled().all(further, fills).trend?.timeToLimitMs).toBeCloseTo(11 * STEP, -1);
  });

  test('without a container’s limit the end is that of the policy', () => {
    const limit = { enter: 80, leave: 70, forSeconds: 0 };
    const { trend } = new Polled().all(rise, { watched: aWatched({ fills: true }, { limit }) });
    expect(trend?.timeToLimitMs).toBeCloseTo(21 * STEP, -1);
  });

  test('a rise below what was seen before it is a sawtooth: it has none, once so much is known', () => {
    const sawtooth = [...Array.from({ length: 30 }, (_, i) => 40 + i), ...rise];
    expect(new Polled().all(sawtooth, fills).trend).toBeUndefined();
    expect(new Polled().all(sawtooth, { ...fills, settings: someSettings({ minSamples: 99 }) }).trend).toBeDefined();
  });
});

describe('over hours', () => {
  /** Polled every five minutes for so many hours; the first value is 64, so that a scaled 1 is 64. */
  function lived(hours: number, curve: (hour: number) => number, over: Partial<SeriesContext> = {}): Assessment {
    const polled = new Polled();
    const settings = someSettings({ intervalMs: FIVE_MINUTES, maxSampleAgeMs: HOUR });
    let a = polled.poll(64, { settings, ...over });
    for (let i = 1; i <= hours * 12; i++) {
      teachOwnHistory(polled.table.record(a.slot), a.observation);
      const nowMs = T0 + i * FIVE_MINUTES;
      a = polled.poll(undefined, { reading: aValue(curve(i / 12), nowMs), nowMs, settings, ...over });
    }
    return a;
  }

  test('a metric that fills has its slope of hours, in its own unit: 3 an hour to 100', () => {
    const rise = (hour: number): number => 64 + 3 * hour;
    const { slowTrend, slow } = lived(8, rise, { watched: aWatched({ fills: true }), limit: 100 });
    expect(slowTrend?.slopePerSecond).toBeCloseTo(3 / 3600, 9);
    expect((slowTrend?.timeToLimitMs ?? NaN) / HOUR).toBeCloseTo((100 - 88) / 3, 3);
    expect(slowTrend?.rise).toBeCloseTo(3 * (47 / 12), 4);
    expect(lived(8, rise, { limit: 100 }).slowTrend).toBeUndefined();
    expect(slow).toMatchObject({ seasonalRatio: 0, seasonalExpected: NaN, season: 'day', shapeRatio: 0 });
  });

  test('before an hour it has no view of days', () => {
    const a = lived(0.9, () => 64);
    expect(a.slow).toEqual({ seasonalRatio: 0, seasonalExpected: NaN, residualSigma: 0, season: 'day', shapeRatio: 0 });
  });

  test('a clear day is expected, in its own unit, with what it leaves unexplained', () => {
    const day = (hour: number): number => 64 + 32 * Math.sin((2 * Math.PI * hour) / 24) + ((7 * hour * 12) % 5) / 5;
    const { slow } = lived(24 * 6, day);
    expect(slow.seasonalRatio).toBeGreaterThan(0);
    expect(slow.seasonalExpected).toBeGreaterThan(55);
    expect(slow.seasonalExpected).toBeLessThan(75);
    expect(slow.residualSigma).toBeGreaterThan(0.3);
    expect(slow.residualSigma).toBeLessThan(4);
  });
});

describe('the slow detectors’ state', () => {
  const SLOT = 1;
  /** A series of that age that is fed one sample more. */
  function fed(ageMs: number, over: { shape?: boolean; weeks?: number; stepMs?: number } = {}): SeriesTable {
    const table = new SeriesTable(over.weeks ?? 4);
    table.open('another');
    const c = table.record(table.open('s'));
    startOwnHistory(c, 0);
    c.f64[c.d + D.firstAtMs] = T0;
    c.f64[c.d + D.stepMs] = over.stepMs ?? STEP;
    feedCoarse(table, SLOT, 5, T0 + ageMs, { shape: over.shape ?? false, slope: false });
    return table;
  }
  const parts = (table: SeriesTable): number[] => [table.coarse, table.shape, table.week].map((slab) => slab.inUse());

  test.each<readonly [string, number, Parameters<typeof fed>[1], number[]]>([
    ['younger than an hour: none', HOUR - 1, {}, [0, 0, 0]],
    ['an hour: the day', HOUR, {}, [1, 0, 0]],
    ['younger, but its shape is asked for', 0, { shape: true }, [1, 1, 0]],
    ['younger than a day: no week', DAY - 1, {}, [1, 0, 0]],
    ['a day: the week', DAY, {}, [1, 0, 1]],
    ['a day, where there is no room', DAY, { weeks: 0 }, [1, 0, 0]],
  ])('%s', (_, ageMs, over, expected) => {
    expect(parts(fed(ageMs, over))).toEqual(expected);
  });

  test('a series gets each part once', () => {
    const table = fed(DAY, { shape: true });
    for (let i = 1; i < 9; i++) feedCoarse(table, SLOT, 5, T0 + DAY + i * STEP, { shape: true, slope: false });
    expect(parts(table)).toEqual([1, 1, 1]);
  });

  test('shape, day, week and slope are fed with the same mean', () => {
    const table = fed(DAY, { shape: true, stepMs: FIVE_MINUTES });
    const [coarse, shape, week] = [table.coarse.seek(0), table.shape.seek(0), table.week.seek(0)];
    expect([coarse.u32[coarse.u + CU.slotCount], coarse.f64[coarse.d + CD.slotSum]]).toEqual([1, 5]);
    expect([shape.u32[shape.u + SU.seen], shape.f32[shape.f]]).toEqual([1, 5]);
    expect([week.u32[week.u + WU.slotCount], week.f64[week.d + WD.slotSum]]).toEqual([1, 5]);
    expect(coarse.u32[coarse.u + CU.slowFilled]).toBe(0);
    feedCoarse(table, SLOT, 6, T0 + DAY + FIVE_MINUTES, { shape: true, slope: true });
    expect([coarse.u32[coarse.u + CU.slowFilled], coarse.f32[coarse.f + CF.slow]]).toEqual([1, 6]);
  });

  /** Means that the day’s profile was fed with: the mean and the number of them. */
  const means = (table: SeriesTable): number[] => {
    const c = table.coarse.seek(0);
    return [c.f64[c.d + CD.total] ?? NaN, c.u32[c.u + CU.seen] ?? NaN];
  };

  test('they see means of five minutes, the sample that ends them included', () => {
    const table = fed(HOUR);
    for (let i = 1; i <= 19; i++) feedCoarse(table, SLOT, 5 + i, T0 + HOUR + i * STEP, { shape: false, slope: false });
    expect(means(table)).toEqual([0, 0]);
    feedCoarse(table, SLOT, 25, T0 + HOUR + 20 * STEP, { shape: false, slope: false });
    // 5, 6, ..., 25
    expect(means(table)).toEqual([15, 1]);
    for (let i = 21; i <= 41; i++) feedCoarse(table, SLOT, 35, T0 + HOUR + i * STEP, { shape: false, slope: false });
    expect(means(table)).toEqual([25, 2]);
  });

  test.each([
    ['every two and a half minutes', 150_000, 1],
    ['more often', 149_999, 0],
  ])('samples that come %s are taken as they are, or gathered', (_, stepMs, count) => {
    expect(means(fed(HOUR, { stepMs }))[1]).toBe(count);
  });

  test('while a fault lasts they learn nothing', () => {
    const table = fed(HOUR, { stepMs: FIVE_MINUTES });
    const c = table.record(SLOT);
    c.u32[c.u + U.flaggedRun] = 1;
    feedCoarse(table, SLOT, 500, T0 + HOUR + FIVE_MINUTES, { shape: false, slope: false });
    expect(means(table)).toEqual([5, 1]);
  });

  test('the week is held against what the day explains of the same means', () => {
    const atMs = T0 + DAY;
    /** A week that knows this hour as 0 and leaves a variance of 5, beside a day that leaves so much of 64. */
    const ratio = (dayLeaves: number): number | undefined => {
      const table = new SeriesTable(4);
      table.open('another');
      const c = table.record(table.open('s'));
      startOwnHistory(c, 0);
      c.f64[c.d + D.firstAtMs] = T0;
      c.f64[c.d + D.stepMs] = FIVE_MINUTES;
      const [unused, day] = [table.coarse.allocate(), table.coarse.allocate()];
      c.u32[c.u + U.coarse] = day + 1;
      c.u32[c.u + U.week] = table.week.allocate() + 1;
      const coarse = table.coarse.seek(day);
      coarse.f64.set([64, 0, dayLeaves], coarse.d + CD.total + 1);
      coarse.u32[coarse.u + CU.seen] = 2000;
      coarse.u32[coarse.u + CU.residualsSeen] = 2000;
      const week = table.week.seek(0);
      week.f64[week.d + WD.residual + 1] = 5;
      week.u32.set([400, 200], week.u + WU.profiled);
      week.u16.fill(0xffff, week.h + WH.visits, week.h + WH.count);
      feedCoarse(table, SLOT, 50, atMs, { shape: false, slope: false });
      expect(table.coarse.seek(unused).u32[CU.seen]).toBe(0);
      return week.f64[week.d + WD.ratio];
    };
    expect(ratio(30)).toBeGreaterThan(0);
    expect(ratio(2)).toBe(0);
  });

  /** The view of a series whose day and week say these ratios, and whose shape says 0.7. */
  function viewed(day: number, week: number | undefined) {
    const table = fed(week === undefined ? HOUR : DAY, { shape: true, stepMs: FIVE_MINUTES });
    const coarse = table.coarse.seek(0);
    coarse.f64[coarse.d + CD.ratio] = day;
    coarse.f64[coarse.d + CD.residual + 1] = 9;
    const shape = table.shape.seek(0);
    shape.f64[shape.d + SD.ratio] = 0.7;
    if (week !== undefined) {
      const c = table.week.seek(0);
      c.f64[c.d + WD.ratio] = week;
      c.f64[c.d + WD.residual + 1] = 16;
    }
    return coarseView(table, SLOT, T0);
  }

  test.each([
    ['the week, where its gate is open', 2, 3, { season: 'week', seasonalRatio: 3, residualSigma: 4 }],
    ['else the day', 2, 0, { season: 'day', seasonalRatio: 2, residualSigma: 3 }],
    ['the day, where no week is known', 2, undefined, { season: 'day', seasonalRatio: 2, residualSigma: 3 }],
    ['neither: no expectation', 0, undefined, { season: 'day', seasonalRatio: 0, seasonalExpected: NaN }],
  ])('who speaks: %s', (_, day, week, expected) => {
    expect(viewed(day, week)).toMatchObject({ ...expected, shapeRatio: 0.7 });
  });

  test('a series without such state has no view, and one without shape no ratio of it', () => {
    expect(coarseView(fed(HOUR - 1), SLOT, T0)).toBeUndefined();
    expect(coarseView(fed(HOUR), SLOT, T0)?.shapeRatio).toBe(0);
  });
});
