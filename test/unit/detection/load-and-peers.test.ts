import { describe, expect, test } from '@jest/globals';
import type { Assessment } from '../../../src/detection/assessment.ts';
import { explainedByLoad, explainedByPeersLoad } from '../../../src/detection/load-explanation.ts';
import { comparePeers, teachPeers } from '../../../src/detection/peer-groups.ts';
import { D, U } from '../../../src/detection/state/series-record.ts';
import { SeriesTable } from '../../../src/detection/state/series-table.ts';
import { aWatched, anAssessment } from '../../support/builders/assessment.ts';

describe('a follower’s rise is explained by the load', () => {
  // Expected are 100 of both.
  test.each([
    ['both doubled', 200, 200, true],
    ['load rose by a fifth, and it by 1.2 * 1.3', 156, 120, true],
    ['load rose by less than a fifth', 120, 119, false],
    ['it rose by more than 1.3 times the load', 157, 120, false],
    ['it fell while load rose', 50, 150, true],
    ['load fell', 130, 90, false],
  ])('%s', (_, value, load, expected) => {
    const [follower, driver] = [anAssessment({ value }), anAssessment({ value: load })];
    expect(explainedByLoad(follower, driver)).toBe(expected);
    const peers = { peerRatio: 2, peerExpected: 100, expected: 1 };
    expect(explainedByPeersLoad({ ...follower, ...peers }, { ...driver, ...peers })).toBe(expected);
  });

  const doubled = { value: 200, peerRatio: 2, peerExpected: 100 };
  test.each<readonly [string, Partial<Assessment>, Partial<Assessment> | undefined]>([
    ['no load is measured', {}, undefined],
    ['the load was not seen', {}, { refused: 'Absent' }],
    ['nothing was expected of it', { expected: 0, peerExpected: 0 }, {}],
    ['no load was expected', {}, { expected: 0, peerExpected: 0 }],
    ['nothing is known of the load: no past, no peers', {}, { learnt: 0, peerRatio: NaN }],
  ])('never where %s', (_, follower, driver) => {
    const [a, b] = [anAssessment({ ...doubled, ...follower }), driver && anAssessment({ ...doubled, ...driver })];
    expect(explainedByLoad(a, b)).toBe(false);
    expect(explainedByPeersLoad(a, b)).toBe(false);
  });

  test('the medians of three are compared, not the newest samples', () => {
    const [a, b] = [anAssessment({ value: 900, smooth: 200 }), anAssessment({ value: 1, smooth: 200 })];
    expect(explainedByLoad(a, b)).toBe(true);
  });
});

describe('replicas', () => {
  interface Replica {
    readonly value: number;
    readonly isMeasure?: boolean;
    readonly refused?: Assessment['refused'];
    /** What is known of its usual deviation: samples, mean, variance. */
    readonly usual?: readonly [learnt: number, mean: number, variance: number];
  }

  function compared(replicas: readonly Replica[], floor = 10): { table: SeriesTable; all: readonly Assessment[] } {
    const table = new SeriesTable();
    const entries = replicas.map(({ value, isMeasure = true, refused, usual: [learnt, mean, variance] = [0, 0, 0] }, i) => {
      const slot = table.open(`pod-${i}`);
      const c = table.record(slot);
      c.u32[c.u + U.peersLearnt] = learnt;
      c.f64.set([mean, variance], c.d + D.peer);
      const watched = aWatched({ absoluteFloor: floor });
      return { isMeasure, assessment: anAssessment({ slot, refused, watched, value: 0, smooth: value }) };
    }); // prettier-ignore
    comparePeers(table, entries);
    return { table, all: entries.map(({ assessment }) => assessment) };
  }
  const ratios = (replicas: readonly Replica[], floor?: number): number[] =>
    compared(replicas, floor).all.map(({ peerRatio }) => peerRatio);
  const of = (...values: readonly number[]): Replica[] => values.map((value) => ({ value }));

  test('each is compared with the median of the others, in the floor of what is no noise', () => {
    // Others of the last: median 40, floor 10. Others of the first: 41 and 75 disagree by far.
    const [a, , c] = compared(of(40, 40, 75, 40)).all;
    expect(c).toMatchObject({ peerExpected: 40, peerDeviation: 35, peerNeeded: 10, peerRatio: 3.5 });
    expect(a).toMatchObject({ peerExpected: 40, peerDeviation: 0, peerRatio: 0 });
  });

  test('one that is no measure is compared, but is nobody’s measure', () => {
    const [a, b, c] = compared([{ value: 40 }, { value: 40 }, { value: 90, isMeasure: false }]).all;
    expect(c?.peerRatio).toBe(5);
    expect([a, b].map((each) => each?.peerExpected)).toEqual([40, 40]);
  });

  test('one that was not seen is neither compared nor a measure', () => {
    const [a, b, c] = compared([{ value: 40 }, { value: 41 }, { value: 90, refused: 'Absent' }]).all;
    expect([a?.peerExpected, b?.peerExpected]).toEqual([41, 40]);
    expect(c?.peerRatio).toBeNaN();
  });

  test('alone there is nothing to say', () => {
    expect(ratios(of(40))).toEqual([NaN]);
  });

  test.each([
    [29, 3.5],
    [30, 0.5],
  ])('what was always so counts once it was seen %p times', (learnt, expected) => {
    expect(ratios([...of(40, 40, 40), { value: 75, usual: [learnt, 30, 0] }])[3]).toBeCloseTo(expected, 9);
  });

  test('a usual deviation that varies needs five of its standard deviations: 35 of 5 * 14', () => {
    expect(ratios([...of(40, 40, 40), { value: 75, usual: [30, 0, 196] }])[3]).toBeCloseTo(0.5, 9);
  });

  test('without a floor in its unit a metric is silent until its usual deviation is known', () => {
    const others = of(40, 40, 40);
    expect(ratios([...others, { value: 75, usual: [29, 0, 1] }], 0)[3]).toBeNaN();
    // A fifth of 40 is the floor then.
    expect(ratios([...others, { value: 75, usual: [30, 0, 1] }], 0)[3]).toBeCloseTo(35 / 8, 9);
  });

  test.each([
    [25, 'all of them', 13],
    [49, 'all of them', 25],
    [50, 'every second', 25],
    [75, 'every third', 37],
  ])('of %p replicas %s is a measure: of 1, 2, 3, ... their median is %p', (count, _, expected) => {
    const replicas = Array.from({ length: count }, (__, i) => ({ value: i + 1 }));
    expect(compared([...replicas, { value: 0, isMeasure: false }]).all.at(-1)?.peerExpected).toBe(expected);
  });

  test('the present deviation becomes usual; `anew` forgets what was', () => {
    const { table, all } = compared([...of(40, 40, 40), { value: 75, usual: [1, 25, 0] }]);
    const a = all[3] ?? anAssessment();
    const known = (): number[] => {
      const c = table.record(a.slot);
      return [c.u32[c.u + U.peersLearnt] ?? NaN, c.f64[c.d + D.peer] ?? NaN, c.f64[c.d + D.peer + 1] ?? NaN];
    };
    teachPeers(table, a, false);
    expect(known()).toEqual([2, 30, 25]);
    teachPeers(table, a, true);
    expect(known()).toEqual([1, 35, 0]);
    teachPeers(table, { ...a, peerDeviation: NaN }, true);
    expect(known()).toEqual([1, 35, 0]);
  });
});
