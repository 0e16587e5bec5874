import { describe, expect, test } from '@jest/globals';
import { startOwnHistory, unscaled } from '../../../src/detection/detectors/own-history.ts';
import { inherit } from '../../../src/detection/inheritance.ts';
import { CD, CF, CU } from '../../../src/detection/state/coarse-record.ts';
import { D, F, U } from '../../../src/detection/state/series-record.ts';
import { SeriesTable } from '../../../src/detection/state/series-table.ts';
import type { Cursor } from '../../../src/detection/state/slab.ts';
import { WD, WU } from '../../../src/detection/state/week-record.ts';
import { T0 } from '../../support/builders/detection.ts';

interface Donor {
  readonly learnt?: number;
  readonly inherited?: number;
  /** Its first value, which gives its record its unit. */
  readonly origin?: number;
  readonly mean?: number;
  readonly sigma?: number;
  readonly range?: readonly [low: number, high: number];
}

function add(table: SeriesTable, key: string, donor: Donor = {}): Cursor {
  const { learnt = 500, inherited = 0, origin = 64, mean = 64, sigma = 0, range = [mean, mean] } = donor;
  const c = table.record(table.open(key));
  startOwnHistory(c, origin);
  const scale = c.f64[c.d + D.scale] ?? NaN;
  const ofScale = (value: number): number => (value - origin) / scale;
  c.u32[c.u + U.learnt] = learnt;
  c.u32[c.u + U.inherited] = inherited;
  c.f64.set([ofScale(mean), (sigma / scale) ** 2], c.d + D.value);
  c.f64.set([ofScale(range[0]), ofScale(range[1])], c.d + D.low);
  return c;
}

interface Heir {
  readonly table: SeriesTable;
  readonly was: boolean;
  /** A field of the heir’s record, as it is or in the metric’s unit. */
  readonly u32: (field: number) => number | undefined;
  readonly f64: (field: number) => number | undefined;
  readonly value: (field: number) => number;
  readonly sigma: () => number;
}

function heirOf(
  donors: Readonly<Record<string, Donor>>,
  prepare: (table: SeriesTable) => void = () => undefined,
): Heir {
  const table = new SeriesTable(4);
  for (const [key, donor] of Object.entries(donors)) add(table, key, donor);
  prepare(table);
  const heir = { key: 'heir', atMs: T0, intervalMs: 30_000, minSamples: 100 };
  const was = inherit(table, heir, ['unknown', ...Object.keys(donors)]);
  const c = (): Cursor => table.record(table.find('heir'));
  return {
    table,
    was,
    u32: (field) => c().u32[c().u + field],
    f64: (field) => c().f64[c().d + field],
    value: (field) => unscaled(c(), c().f64[c().d + field] ?? NaN),
    sigma: () => Math.sqrt(c().f64[c().d + D.value + 1] ?? NaN) * (c().f64[c().d + D.scale] ?? NaN),
  };
}

describe('whom a new series starts from', () => {
  test.each<readonly [string, Readonly<Record<string, Donor>>, boolean]>([
    ['nobody', {}, false],
    ['one that knows too little', { a: { learnt: 99 } }, false],
    ['one that knows just enough', { a: { learnt: 100 } }, true],
    ['one that knows enough by its own predecessors', { a: { learnt: 100, inherited: 100 } }, true],
  ])('%s', (_, donors, expected) => {
    const { was, table } = heirOf(donors);
    expect([was, table.find('heir') >= 0]).toEqual([expected, expected]);
  });

  test('takes the states of the one that has learnt most by itself', () => {
    const mark = (table: SeriesTable): void => {
      for (const [key, count] of [['a', 1], ['b', 2], ['c', 3]] as const) {
        const c = table.record(table.find(key));
        c.u32[c.u + U.prototypes] = count;
      }
    }; // prettier-ignore
    const donors = { a: { learnt: 300 }, b: { learnt: 400 }, c: { learnt: 900, inherited: 700 } };
    expect(heirOf(donors, mark).u32(U.prototypes)).toBe(2);
  });
});

describe('what it starts with', () => {
  test.each([
    ['as many samples as twice what is asked for', 5000, 200],
    ['no more than its donor knew', 150, 150],
  ])('%s: of %p learnt it counts %p', (_, learnt, expected) => {
    const heir = heirOf({ a: { learnt } }, (table) => {
      const c = table.record(table.find('a'));
      c.u32.set([4000, 150, 3], c.u + U.levelsLearnt);
    });
    expect([heir.u32(U.learnt), heir.u32(U.inherited)]).toEqual([expected, expected]);
    expect([0, 1, 2].map((level) => heir.u32(U.levelsLearnt + level))).toEqual([expected, 150, 3]);
  });

  test('of one donor: its mean and range, and its spread with a tenth of the mean that pods may differ by', () => {
    const heir = heirOf({ a: { mean: 80, sigma: 6, range: [70, 95] } });
    expect([heir.value(D.value), heir.value(D.recent)]).toEqual([80, 80]);
    expect(heir.sigma()).toBeCloseTo(10, 9); // sqrt(6^2 + 8^2)
    expect([heir.value(D.low), heir.value(D.high)]).toEqual([70, 95]);
    // The whole range is behind it: a ramp is held against its top.
    expect([heir.value(D.highBefore), heir.value(D.highLately)]).toEqual([95, 95]);
  });

  test('of several: the mean of their means, the spread within and between them, the range of all, in any unit', () => {
    const heir = heirOf({
      a: { mean: 60, sigma: 3, range: [50, 70], learnt: 900 },
      b: { mean: 90, sigma: 0, range: [88, 99], origin: 1000 },
      c: { mean: 120, sigma: 3, range: [40, 130], origin: 2 },
    });
    expect(heir.value(D.value)).toBeCloseTo(90, 4);
    expect(heir.sigma()).toBeCloseTo(Math.sqrt((9 + 0 + 9) / 3 + (900 + 0 + 900) / 3), 4);
    expect([heir.value(D.low), heir.value(D.high)]).toEqual([expect.closeTo(40, 4), expect.closeTo(130, 4)]);
  });

  test('huge spreads stay finite', () => {
    const heir = heirOf({ a: { origin: 1e-30, mean: 1, sigma: 1e30 }, b: { mean: 2 } });
    expect(Number.isFinite(heir.sigma())).toBe(true);
  });

  test.each([
    ['one usual step ago', 20_000, 20_000],
    ['one interval ago, where it was polled more rarely', 30_001, 30_000],
    ['one interval ago, where no step is known', 0, 30_000],
  ])('as if its predecessor had been seen %s', (_, stepMs, agoMs) => {
    const heir = heirOf({ a: {} }, (table) => {
      const c = table.record(table.find('a'));
      c.f64[c.d + D.stepMs] = stepMs;
    });
    expect(heir.f64(D.lastAtMs)).toBe(T0 - agoMs);
  });

  test('nothing of what was the pod’s own: windows, runs, limits under way, replicas, the last score', () => {
    const counters = [U.contiguous, U.head, U.warmUpLeft, U.flaggedRun, U.peersLearnt, U.limitBreached, U.gaps, U.learntBefore];
    const doubles = [D.sums, D.spreadSum, D.spreadSquares, D.peer, D.peer + 1, D.flaggedSinceMs, D.limitSinceMs, D.lastRatio];
    const heir = heirOf({ a: {} }, (table) => {
      const c = table.record(table.find('a'));
      for (const field of counters) c.u32[c.u + field] = 7;
      for (const field of doubles) c.f64[c.d + field] = 7;
      c.f64[c.d + D.lastTail] = 0.01;
      c.f32[c.f + F.ring + 71] = 7;
    });
    expect(counters.map(heir.u32)).toEqual(counters.map(() => 0));
    expect(doubles.map(heir.f64)).toEqual(doubles.map(() => 0));
    expect(heir.f64(D.lastTail)).toBe(1);
    const c = heir.table.record(heir.table.find('heir'));
    expect(c.f32[c.f + F.ring + 71]).toBe(0);
  }); // prettier-ignore
});

describe('of its predecessor’s day and week', () => {
  const underWay = [CU.pending, CU.slotCount, CU.slowFilled, CU.slowHead, CU.slowSteady];
  const sums = [CD.sum, CD.slotSum, CD.ratio, CD.slowAtMs, CD.slowSlope, CD.slowHighSinceMs];

  function withDays(): SeriesTable {
    return heirOf({ a: {} }, (table) => {
      const [coarse, week] = [table.coarse.allocate(), table.week.allocate()];
      const c = table.record(table.find('a'));
      c.u32[c.u + U.coarse] = coarse + 1;
      c.u32[c.u + U.week] = week + 1;
      for (const part of [table.coarse.seek(coarse), table.week.seek(week)]) {
        part.f64.fill(7, part.d, part.d + table.week.shape.f64);
        part.u32.fill(7, part.u, part.u + table.week.shape.u32);
      }
      const of = table.coarse.seek(coarse);
      for (const field of sums) of.f64[of.d + field] = 7;
      for (const field of underWay) of.u32[of.u + field] = 7;
      of.f32.fill(7, of.f, of.f + CF.count);
    }).table;
  }

  test('the profiles stay, what was under way ends', () => {
    const table = withDays();
    const c = table.record(table.find('heir'));
    const [coarseSlot, weekSlot] = [c.u32[c.u + U.coarse] ?? NaN, c.u32[c.u + U.week] ?? NaN];
    const coarse = table.coarse.seek(coarseSlot - 1);
    expect(underWay.map((field) => coarse.u32[coarse.u + field])).toEqual(underWay.map(() => 0));
    expect(sums.map((field) => coarse.f64[coarse.d + field])).toEqual(sums.map(() => 0));
    const singles = (from: number, count: number): number[] => [...new Set(coarse.f32.slice(coarse.f + from, coarse.f + from + count))];
    expect([singles(CF.profile, 48), singles(CF.residuals, 12)]).toEqual([[7], [0]]);
    expect([coarse.f64[coarse.d + CD.total], coarse.f64[coarse.d + CD.residual]]).toEqual([7, 7]);
    const week = table.week.seek(weekSlot - 1);
    expect([WD.slotSum, WD.averaged, WD.ratio].map((field) => week.f64[week.d + field])).toEqual([0, 0, 0]);
    expect([week.u32[week.u + WU.slotCount], week.u32[week.u + WU.profiled], week.f64[week.d + WD.residual]]).toEqual([0, 7, 7]);
  }); // prettier-ignore

  test('and the predecessor’s own are left as they were', () => {
    const table = withDays();
    const c = table.record(table.find('a'));
    const coarse = table.coarse.seek((c.u32[c.u + U.coarse] ?? NaN) - 1);
    expect([coarse.f64[coarse.d + CD.sum], coarse.u32[coarse.u + CU.pending]]).toEqual([7, 7]);
  });
});
