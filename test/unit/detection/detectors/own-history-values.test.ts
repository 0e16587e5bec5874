import { describe, expect, test } from '@jest/globals';
import {
  FEATURES,
  acceptPresent,
  newObservation,
  observe,
  recent,
  scaled,
  startOwnHistory,
  teachOwnHistory,
  unscaled,
} from '../../../../src/detection/detectors/own-history.ts';
import { D, U } from '../../../../src/detection/state/series-record.ts';
import type { Cursor } from '../../../../src/detection/state/slab.ts';
import { seededRandom } from '../../../../src/lib/seeded-random.ts';
import { aRecord } from '../../../support/builders/detection.ts';
import { Past, meanOf, varianceOf } from '../../../support/plain-statistics.ts';

/** How far beyond the 99th percentile of its past a value lies: nothing before 20 are known. */
const ratioTo = (past: Past, value: number): number =>
  past.count < 20 ? 0 : Math.min(value / Math.max(past.upper(0.01), 0.005), 20);

const deviationOf = (values: readonly number[]): number => Math.sqrt(varianceOf(values));

interface Expected {
  readonly means: readonly number[];
  readonly z: readonly number[];
  readonly spread: number;
  readonly distance: number;
  readonly ratio: number;
  readonly feature: string;
  readonly tail: number;
}

/**
 * The same by plain arithmetic over the whole past, kept as lists: what the doc of `own-history.ts` says, without rings,
 * running sums and typed arrays. Every sample is learnt.
 */
class PlainHistory {
  readonly #ys: number[] = [];
  readonly #levels = [
    { width: 12, line: 1.4, means: [] as number[], past: new Past() },
    { width: 24, line: 1.25, means: [] as number[], past: new Past() },
    { width: 72, line: 1.25, means: [] as number[], past: new Past() },
  ];
  /** At most 112, the one that was matched last in front. */
  readonly #states: { y: number; spread: number }[] = [];
  readonly #spreads: number[] = [];
  readonly #distances = new Past();

  next(y: number): Expected {
    const before = [...this.#ys];
    this.#ys.push(y);
    const spoken: { feature: string; ratio: number; tail: number }[] = [{ feature: 'none', ratio: 0, tail: 1 }];
    const found = this.#levels.map(({ width, line, means, past }) => {
      if (this.#ys.length < width) return { mean: 0, z: -1 };
      const present = meanOf(this.#ys.slice(-width));
      const z = means.length < 2 ? 0 : Math.abs(present - meanOf(means)) / deviationOf(means);
      spoken.push({ feature: `level-${width}`, ratio: ratioTo(past, z) / line, tail: past.tail(z) });
      if (means.length >= 2 && this.#ys.length > 100) past.add(z);
      means.push(present);
      return { mean: present, z };
    });
    // Kept in single precision, and while few are known a hair of spread is a large part of their range.
    const spread = this.#ys.length < 36 ? NaN : Math.fround(deviationOf(this.#ys.slice(-36)));
    const distance = this.#ys.length < 36 ? -1 : this.#distance(before, y, spread);
    if (distance >= 0) {
      const [ratio, tail] = [ratioTo(this.#distances, distance) / 1.3, this.#distances.tail(distance)];
      spoken.push({ feature: 'prototype', ratio, tail });
      if (this.#ys.length > 100) this.#distances.add(distance);
      if (this.#states.length === 0 || distance > 0.25) this.#states.unshift({ y, spread });
      if (this.#states.length > 112) this.#states.pop();
      this.#spreads.push(spread);
    }
    if (before.length >= 20) {
      const [low, high] = [Math.min(...before), Math.max(...before)];
      const beyond = Math.max(y - high, low - y, 0);
      const ratio = Math.min(Math.min(beyond / (high - low), 1) / 0.05, 20);
      spoken.push({ feature: 'range', ratio, tail: 1 / (before.length + 1) });
    }
    const loudest = spoken.reduce((best, each) => (each.ratio > best.ratio ? each : best));
    const [means, z] = [found.map((each) => each.mean), found.map((each) => each.z)];
    return { means, z, spread, distance, ...loudest, ratio: loudest.ratio / 1.05 };
  }

  /** To the nearest state, each axis in quarters of its own range, the larger of the two. */
  #distance(before: readonly number[], y: number, spread: number): number {
    const quarter = (values: readonly number[]): number => (Math.max(...values) - Math.min(...values)) / 4;
    const apart = (a: number, unit: number): number => (a === 0 ? 0 : unit > 0 ? a / unit : 4);
    const all = this.#states.map((state) =>
      Math.max(
        apart(Math.abs(y - state.y), quarter(before)),
        apart(Math.abs(spread - state.spread), quarter(this.#spreads)),
      ),
    );
    if (all.length === 0) return 0;
    const nearest = Math.min(...all);
    this.#states.unshift(...this.#states.splice(all.indexOf(nearest), 1));
    return nearest;
  }
}

/** A swinging series that gets louder, jumps, falls silent and comes back, in quarters around 64. */
function eventful(): number[] {
  const random = seededRandom(11);
  return Array.from({ length: 480 }, (_, i) => {
    if (i >= 300 && i < 330) return 64;
    const swing = 3 * Math.sin(i / 9) + (i > 250 ? 2 : 1) * random.normal() + (i >= 360 && i < 372 ? 6 : 0);
    return i === 0 ? 64 : 64 + Math.round(4 * swing) / 4;
  });
}

test('what is seen in a sample is what plain arithmetic over the whole past says', () => {
  const c = aRecord();
  const plain = new PlainHistory();
  startOwnHistory(c, 64);
  const spoken = new Set<string>();
  const close = (value: number): unknown => expect.closeTo(value, 6);
  eventful().forEach((value, i) => {
    const seen = newObservation();
    observe(c, value, seen);
    teachOwnHistory(c, seen);
    const expected = plain.next((value - 64) / 64);
    spoken.add(expected.feature);
    expect({
      i,
      means: [...seen.means],
      z: [...seen.z],
      spread: i < 35 ? NaN : seen.spread,
      distance: seen.distance,
      ratio: seen.ratio,
      feature: FEATURES[seen.feature],
      tail: seen.tail,
    }).toEqual({
      i,
      means: expected.means.map(close),
      z: expected.z.map((z) => expect.closeTo(z, 4)),
      spread: i < 35 ? NaN : close(expected.spread),
      distance: expect.closeTo(expected.distance, 4),
      ratio: expect.closeTo(expected.ratio, 3),
      feature: expected.feature,
      tail: close(expected.tail),
    });
  });
  // A guard of this test: every feature has spoken.
  expect([...spoken].sort()).toEqual([...FEATURES].sort());
});

/** A record that was taught all these, the first of them its origin. */
function taught(values: readonly number[]): Cursor {
  const c = aRecord();
  startOwnHistory(c, values[0] ?? 0);
  for (const value of values) teach(c, value);
  return c;
}

function teach(c: Cursor, value: number): void {
  const observation = newObservation();
  observe(c, value, observation);
  teachOwnHistory(c, observation);
}

describe('a record’s own units', () => {
  test.each([
    [48, 112, 1],
    [64, 0, -1],
    [-48, -112, -1],
    [0, 2.5, 2.5],
    [0.2, 0.45, 1],
  ])('begun with %p, %p is %p sizes away', (origin, value, expected) => {
    const c = aRecord();
    startOwnHistory(c, origin);
    expect(scaled(c, value)).toBe(expected);
    expect(unscaled(c, expected)).toBeCloseTo(value, 12);
  });

  test('the window gives back its last 72 samples, newest first', () => {
    const c = taught(Array.from({ length: 100 }, (_, i) => i));
    for (let ago = 0; ago < 72; ago++) expect(recent(c, ago)).toBe(99 - ago);
  });
});

describe('what a ramp is held against', () => {
  test('the highest before the last 24 to 48 samples, so never the ramp’s own last two dozen', () => {
    const c = taught([]);
    for (let n = 1; n < 130; n++) {
      teach(c, n - 1);
      const before = c.f64[c.d + D.highBefore] ?? NaN;
      expect(before).toBeLessThanOrEqual(Math.max(n - 24, 0));
      expect(before).toBeGreaterThanOrEqual(n - 49);
    }
  });

  test('is the first sample, while there are no more than two dozen', () => {
    const c = taught([5, 6, 7, 8]);
    expect(unscaled(c, c.f64[c.d + D.highBefore] ?? NaN)).toBe(5);
  });
});

describe('accepting the present', () => {
  const values = [
    ...Array.from({ length: 100 }, (_, i) => 8 + (i % 2)),
    ...Array.from({ length: 72 }, (_, i) => 40 + (i % 4)),
  ];

  function accepted(): { before: Cursor; c: Cursor } {
    const before = taught(values.slice(0, 100));
    const c = taught(values.slice(0, 100));
    for (const value of values.slice(100)) observe(c, value, newObservation());
    acceptPresent(c);
    return { before, c };
  }
  const at = (c: Cursor, field: number): number => c.f64[c.d + field] ?? NaN;

  test('both models expect the mean of the window: of 40, 41, 42 and 43', () => {
    const { c } = accepted();
    expect(unscaled(c, at(c, D.value))).toBeCloseTo(41.5, 9);
    expect(unscaled(c, at(c, D.recent))).toBeCloseTo(41.5, 9);
  });

  test('the young model takes the window’s spread, the old one the wider of the two', () => {
    const { c } = accepted();
    // Variance of 40, 41, 42, 43: 1.25; of the past, 8 and 9 in turn: 0.25. In sizes of 8, squared.
    expect(at(c, D.recent + 1) * 64).toBeCloseTo(1.25, 9);
    expect(at(c, D.value + 1) * 64).toBeCloseTo(1.25, 9);
    const wide = taught([0, ...Array.from({ length: 99 }, (_, i) => 60 * (i % 2))]);
    const variance = wide.f64[wide.d + D.value + 1] ?? NaN;
    for (let i = 0; i < 72; i++) observe(wide, 30, newObservation());
    acceptPresent(wide);
    expect(wide.f64[wide.d + D.value + 1]).toBe(variance);
    expect(wide.f64[wide.d + D.recent + 1]).toBe(0);
  });

  test('the range takes the window in, on both sides', () => {
    const { c } = accepted();
    expect(unscaled(c, at(c, D.low))).toBe(8);
    expect(unscaled(c, at(c, D.high))).toBe(43);
    for (let i = 0; i < 72; i++) observe(c, 2, newObservation());
    acceptPresent(c);
    expect(unscaled(c, at(c, D.low))).toBe(2);
  });

  test('histories of means become as young as 20, and what was learnt before is noted', () => {
    const { before, c } = accepted();
    const known = (of: Cursor): number[] => [0, 1, 2].map((level) => of.u32[of.u + U.levelsLearnt + level] ?? NaN);
    expect(known(before)).toEqual([89, 77, 29]);
    expect(known(c)).toEqual([20, 20, 20]);
    expect(c.u32[c.u + U.learntBefore]).toBe(100);
  });

  test('of nothing changes nothing', () => {
    const empty = aRecord();
    startOwnHistory(empty, 5);
    acceptPresent(empty);
    expect(empty.f64[empty.d + D.value]).toBe(0);
  });
});
