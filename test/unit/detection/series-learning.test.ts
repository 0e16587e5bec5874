import { describe, expect, test } from '@jest/globals';
import type { Assessment } from '../../../src/detection/assessment.ts';
import { observe, startOwnHistory } from '../../../src/detection/detectors/own-history.ts';
import { learn } from '../../../src/detection/series-learning.ts';
import type { Objection } from '../../../src/detection/series-learning.ts';
import { D, U } from '../../../src/detection/state/series-record.ts';
import { SeriesTable } from '../../../src/detection/state/series-table.ts';
import { vectorRow } from '../../../src/detection/vector-row.ts';
import { aWatched, anAssessment, anObserved } from '../../support/builders/assessment.ts';
import { T0 } from '../../support/builders/detection.ts';

const MINUTE = 60_000;
const ACCEPT_AFTER = 30 * MINUTE;

/** A series that is told, sample by sample and minute by minute, what stood against learning it. */
class Series {
  readonly table = new SeriesTable();
  readonly slot = this.table.open('s');
  #minute = 0;
  last: Assessment = anAssessment();

  constructor() {
    startOwnHistory(this.table.record(this.slot), 0);
  }

  show(value: number, objection: Objection, over: Partial<Assessment> = {}): this {
    const observation = anObserved(0);
    observe(this.table.record(this.slot), value, observation);
    const atMs = T0 + this.#minute++ * MINUTE;
    this.last = anAssessment({ slot: this.slot, value, atMs, observation, ...over });
    learn(this.table, this.last, objection, ACCEPT_AFTER);
    return this;
  }

  many(count: number, value: number, objection: Objection): this {
    for (let i = 0; i < count; i++) this.show(value, objection);
    return this;
  }

  of(field: number): number {
    const c = this.table.record(this.slot);
    return c.u32[c.u + field] ?? NaN;
  }

  expected(): number {
    const c = this.table.record(this.slot);
    return c.f64[c.d + D.value] ?? NaN;
  }

  flaggedSince(): number {
    const c = this.table.record(this.slot);
    return c.f64[c.d + D.flaggedSinceMs] ?? NaN;
  }
}

describe('learning', () => {
  test('what is normal is learnt', () => {
    const series = new Series().many(3, 6, 'normal').show(2, 'normal');
    expect([series.of(U.learnt), series.expected()]).toEqual([4, 5]);
  });

  test.each<readonly [string, Objection, Partial<Assessment>]>([
    ['that waits for confirmation', 'suspect', {}],
    ['that was seen before', 'normal', { fresh: false }],
    ['of a series that is not known', 'normal', { slot: -1 }],
    ['that learnt expectations object to', 'learned', {}],
    ['that a limit objects to', 'fixed', {}],
  ])('a sample %s is not', (_, objection, over) => {
    const series = new Series().many(3, 6, 'normal').show(50, objection, over);
    expect([series.of(U.learnt), series.expected()]).toEqual([3, 6]);
  });

  test('a new level is accepted when it has lasted for half an hour, and not a minute before', () => {
    const series = new Series().many(80, 6, 'normal').many(30, 50, 'learned');
    expect([series.of(U.flaggedRun), series.flaggedSince()]).toEqual([30, T0 + 80 * MINUTE]);
    expect(series.expected()).toBe(6);
    series.show(50, 'learned');
    expect(series.expected()).toBeGreaterThan(20);
    expect([series.of(U.flaggedRun), series.flaggedSince(), series.of(U.learnt)]).toEqual([0, 0, 81]);
  });

  test('what a limit objects to is never accepted, however long it lasts', () => {
    const series = new Series().many(80, 6, 'normal').many(200, 50, 'fixed');
    expect([series.of(U.flaggedRun), series.expected()]).toEqual([200, 6]);
  });

  test('one normal sample ends the run, and the half hour begins anew', () => {
    const series = new Series().many(80, 6, 'normal').many(20, 50, 'learned').show(6, 'normal').many(20, 50, 'learned');
    expect([series.of(U.flaggedRun), series.flaggedSince()]).toEqual([20, T0 + 101 * MINUTE]);
    expect(series.of(U.learnt)).toBe(81);
  });

  test.each([
    [2, 'two anomalous samples stay in the windows', 83],
    [3, 'three are taken out with all before: they would be a false past', 0],
  ])('after a run of %p: %s', (run, _, contiguous) => {
    const series = new Series().many(80, 6, 'normal').many(run, 50, 'fixed').show(6, 'normal');
    expect(series.of(U.contiguous)).toBe(contiguous);
    expect([series.of(U.flaggedRun), series.flaggedSince(), series.of(U.learnt)]).toEqual([0, 0, 81]);
    // The features that were seen over the run are not learnt with the sample.
    expect(series.last.observation.distance >= 0).toBe(run === 2);
    expect([...series.last.observation.z].every((z) => z >= 0)).toBe(run === 2);
  });

  test('the deviation from the replicas is learnt with it, and anew with a new level', () => {
    const peers = { peerDeviation: 4 };
    const series = new Series();
    for (let i = 0; i < 80; i++) series.show(6, 'normal', peers);
    expect(series.of(U.peersLearnt)).toBe(80);
    for (let i = 0; i < 31; i++) series.show(50, 'learned', { peerDeviation: 40 });
    expect(series.of(U.peersLearnt)).toBe(1);
    const c = series.table.record(series.slot);
    expect(c.f64[c.d + D.peer]).toBe(40);
  });
});

describe('a pod’s row', () => {
  const metric = (name: string, value: number, over: Partial<Assessment> = {}): Assessment =>
    anAssessment({ value, watched: aWatched({}, { name }), ...over });
  const load = metric('load', 7, { watched: aWatched({ load: 'driver' }, { name: 'load' }) });

  test('has its metrics in their order, and the load beside them', () => {
    const row = vectorRow([metric('a', 1), load, metric('b', 2)]);
    expect(row).toEqual({ columns: ['a', 'b'], values: Float32Array.of(1, 2), load: 7 });
    expect(vectorRow([metric('a', 1), metric('b', 2)])?.load).toBe(0);
  });

  test.each<readonly [string, readonly Assessment[]]>([
    ['one of its metrics was not seen', [metric('a', 1), metric('b', 2), metric('c', NaN, { refused: 'Absent' })]],
    ['only one remains beside the load', [metric('a', 1), load]],
  ])('there is none where %s', (_, all) => {
    expect(vectorRow(all)).toBeUndefined();
  });

  test('a metric that the pod never had leaves no hole', () => {
    const never = metric('c', NaN, { refused: 'Absent', slot: -1 });
    expect(vectorRow([metric('a', 1), never, metric('b', 2)])?.columns).toEqual(['a', 'b']);
  });

  test('has twelve columns at most, and no value that squares to infinity', () => {
    const all = Array.from({ length: 13 }, (_, i) => metric(`m${i}`, i === 0 ? -1e40 : 1e40));
    const huge = vectorRow([...all, { ...load, value: 1e40 }]);
    expect(huge?.columns).toHaveLength(12);
    expect([huge?.values[0], huge?.values[1], huge?.load]).toEqual([Math.fround(-1e30), Math.fround(1e30), 1e30]);
    expect(vectorRow([...all, { ...load, value: -1e40 }])?.load).toBe(-1e30);
  });
});
