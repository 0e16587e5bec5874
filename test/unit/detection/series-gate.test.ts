import { describe, expect, test } from '@jest/globals';
import { newObservation, observe } from '../../../src/detection/detectors/own-history.ts';
import type { Reading } from '../../../src/detection/sample.ts';
import { admit, refusal } from '../../../src/detection/series-gate.ts';
import { D, U } from '../../../src/detection/state/series-record.ts';
import type { Cursor } from '../../../src/detection/state/slab.ts';
import { T0, aRecord, aValue } from '../../support/builders/detection.ts';

describe('a reading is judged at all', () => {
  const at = (offsetMs: number): Reading => aValue(1, T0 + offsetMs);
  test.each<readonly [string, Reading, string | undefined]>([
    ['that is fresh', at(0), undefined],
    ['that is as old as may be', at(-60_000), undefined],
    ['that is older', at(-60_001), 'StaleData'],
    ['a minute ahead, as clocks differ', at(60_000), undefined],
    ['further ahead', at(60_001), 'StaleData'],
    ['not a number', aValue(NaN, T0), 'NotFinite'],
    ['infinite', aValue(Infinity, T0), 'NotFinite'],
    ['without a time', aValue(1, NaN), 'NotFinite'],
    ['absent', { kind: 'unknown', reason: 'Absent' }, 'Absent'],
    ['not finite at its source', { kind: 'unknown', reason: 'NotFinite' }, 'NotFinite'],
    ['stale at its source', { kind: 'unknown', reason: 'Stale' }, 'StaleData'],
    ['ahead at its source', { kind: 'unknown', reason: 'InFuture' }, 'StaleData'],
    ['partial', { kind: 'unknown', reason: 'Partial' }, 'Partial'],
    ['that failed', { kind: 'unknown', reason: 'SourceError' }, 'SourceError'],
    ['of a rate that warms up', { kind: 'unknown', reason: 'WarmingUp' }, 'InsufficientData'],
  ])('%s', (_, reading, expected) => {
    expect(refusal(reading, { maxSampleAgeMs: 60_000 }, T0)).toBe(expected);
  });
});

describe('a sample finds its place in time', () => {
  /** Admits samples at these seconds, every 10 s expected unless said otherwise. */
  function admitted(seconds: readonly number[], intervalMs = 10_000): { answers: string[]; c: Cursor } {
    const c = aRecord();
    const answers = seconds.map((second) => {
      const answer = admit(c, second, T0 + second * 1000, intervalMs);
      if (answer === 'fresh') observe(c, second, newObservation());
      return answer;
    });
    return { answers, c };
  }
  const answersTo = (seconds: readonly number[], intervalMs?: number): string =>
    admitted(seconds, intervalMs).answers.join(' ');

  test.each([
    ['one after the other', [0, 10, 20], 'fresh fresh fresh'],
    ['the same again', [0, 10, 10], 'fresh fresh seen'],
    ['an older one', [0, 10, 5], 'fresh fresh seen'],
    ['one poll missed', [0, 10, 30], 'fresh fresh fresh'],
    ['one poll missed and the next a second late: no outage', [0, 10, 31], 'fresh fresh fresh'],
    ['later than that: a gap, and five samples warm up', [0, 10, 31.1, 40, 50, 60, 70, 80], 'fresh fresh warming-up warming-up warming-up warming-up warming-up fresh'],
    ['the same again while it warms up', [0, 40, 40, 50], 'fresh warming-up warming-up warming-up'],
  ])('%s', (_, seconds, expected) => {
    expect(answersTo(seconds)).toBe(expected);
  }); // prettier-ignore

  test('of an interval under two seconds the grace is half of it', () => {
    expect(answersTo([0, 2.5], 1000)).toBe('fresh fresh');
    expect(answersTo([0, 2.6], 1000)).toBe('fresh warming-up');
  });

  test('the first sample is the origin, the last one is kept with its time', () => {
    const { c } = admitted([3, 10, 20, 15]);
    const at = (field: number): number | undefined => c.f64[c.d + field];
    expect([at(D.origin), at(D.firstAtMs), at(D.lastValue), at(D.lastAtMs)]).toEqual([3, T0 + 3000, 20, T0 + 20_000]);
  });

  test('the usual step is the first one, and follows later ones by a tenth', () => {
    const { c } = admitted([0, 10, 30]);
    expect(c.f64[c.d + D.stepMs]).toBe(11_000);
  });

  test('a gap is counted, empties the windows and ends a breach of the limit under way, but leaves the usual step', () => {
    const { c } = admitted([0, 10, 20]);
    c.u32[c.u + U.limitBreached] = 1;
    c.f64[c.d + D.limitSinceMs] = T0;
    admit(c, 1, T0 + 99_000, 10_000);
    const counts = [U.gaps, U.contiguous, U.limitBreached, U.warmUpLeft].map((field) => c.u32[c.u + field]);
    expect(counts).toEqual([1, 0, 0, 4]);
    expect([c.f64[c.d + D.limitSinceMs], c.f64[c.d + D.stepMs]]).toEqual([0, 10_000]);
  });
});
