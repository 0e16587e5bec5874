import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  FEATURES,
  acceptPresent,
  clearWindows,
  newObservation,
  observe,
  recent,
  startOwnHistory,
  teachOwnHistory,
  unscaled,
} from '../../../../src/detection/detectors/own-history.ts';
import { F, RING, U, bytesPerSeries } from '../../../../src/detection/state/series-record.ts';
import { bytesPerFullSeries } from '../../../../src/detection/state/coarse-record.ts';
import { seededRandom } from '../../../../src/lib/seeded-random.ts';
import { aRecord } from '../../../support/builders/detection.ts';

/** Ratios of every sample, each scored before it is learnt. */
function ratiosOf(values: readonly number[], learnt = values.length): { ratios: number[]; features: string[] } {
  const c = aRecord();
  const observation = newObservation();
  startOwnHistory(c, values[0] ?? 0);
  const ratios: number[] = [];
  const features: string[] = [];
  values.forEach((value, i) => {
    observe(c, value, observation);
    ratios.push(observation.ratio);
    features.push(FEATURES[observation.feature] ?? '');
    if (i < learnt) teachOwnHistory(c, observation);
  });
  return { ratios, features };
}

const noise = (seed: number, n: number, level = 50, sigma = 2): number[] => {
  const random = seededRandom(seed);
  return Array.from({ length: n }, () => level + sigma * random.normal());
};

describe('own history', () => {
  test('state per series is what the specification allows, by construction', () => {
    expect(bytesPerSeries).toBeLessThanOrEqual(3000);
    expect(bytesPerFullSeries).toBeLessThanOrEqual(16_000);
  });

  test('noise stays under the line in all but one of a hundred samples', () => {
    const over = [1, 2, 3, 4, 5].flatMap((seed) => ratiosOf(noise(seed, 3000)).ratios.slice(200)).filter((r) => r >= 1);
    expect(over.length).toBeLessThan(0.01 * 5 * 2800);
  });

  test.each([
    ['a jump is out of range at once', [...noise(1, 500), 90], 'range'],
    ['a fall below everything', [...noise(2, 500), 10], 'range'],
    [
      'a small but lasting shift inside the range moves the means',
      [...noise(3, 500), ...noise(4, 30, 54, 1.2)],
      'level',
    ],
    ['noise that dies out is a state never seen', [...noise(5, 500), ...Array<number>(60).fill(50)], 'prototype'],
  ])('%s', (_, values, feature) => {
    const { ratios, features } = ratiosOf(values, 500);
    const tail = ratios.slice(500);
    const worst = Math.max(...tail);
    expect(worst).toBeGreaterThan(1);
    const speaking = features.slice(500).filter((_name, i) => (tail[i] ?? 0) >= 1);
    expect(speaking.some((name) => name.startsWith(feature))).toBe(true);
  });

  test('the score of a sample does not change when later ones are cut off', () => {
    const values = noise(7, 900).map((value, i) => (i > 600 && i < 640 ? value + 30 : value));
    expect(ratiosOf(values.slice(0, 650)).ratios).toEqual(ratiosOf(values).ratios.slice(0, 650));
  });

  test('scaling by a power of two and shifting by a multiple of it change nothing', () => {
    const values = noise(8, 400).map((value) => Math.round(value * 64) / 64);
    const moved = values.map((value) => value * 1024 + 4096);
    const [plain, other] = [ratiosOf(values).ratios, ratiosOf(moved).ratios];
    plain.forEach((ratio, i) => expect(other[i]).toBeCloseTo(ratio, 3));
  });

  test.each([
    ['constant', Array<number>(400).fill(3.7)],
    ['zero', Array<number>(400).fill(0)],
    ['huge', noise(1, 400).map((value, i) => (i === 300 ? -1.7e308 : value * 1e306))],
    ['denormal', noise(1, 400).map((value) => Math.round(value) * 5e-324)],
    ['alternating extremes', Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? 1.7e308 : -1.7e308))],
    ['a single sample', [42]],
  ])('%s input: every ratio is finite, 0 to 20', (_, values) => {
    for (const ratio of ratiosOf(values).ratios) expect(ratio >= 0 && ratio <= 20).toBe(true);
  });

  test('any finite input keeps ratios finite and bounded', () => {
    const arbitrary = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 150 });
    fc.assert(
      fc.property(arbitrary, (values) => {
        for (const ratio of ratiosOf(values).ratios) expect(ratio >= 0 && ratio <= 20).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('a constant series is calm, and its first move is not', () => {
    const { ratios } = ratiosOf([...Array<number>(200).fill(5), 5.001, 5]);
    expect(Math.max(...ratios.slice(0, 200))).toBe(0);
    expect(ratios[200]).toBeGreaterThan(1);
  });

  test('window sums recover from a huge sample once it has left', () => {
    const c = aRecord();
    const observation = newObservation();
    startOwnHistory(c, 1);
    [1e25, ...Array<number>(3 * RING).fill(1)].forEach((value) => {
      observe(c, value, observation);
      teachOwnHistory(c, observation);
    });
    expect(unscaled(c, observation.means[0] ?? NaN)).toBeCloseTo(1, 6);
    expect(observation.spread).toBeCloseTo(0, 6);
  });

  test('cleared windows are empty, what was learnt stays', () => {
    const c = aRecord();
    const observation = newObservation();
    startOwnHistory(c, 50);
    for (const value of noise(1, 100)) {
      observe(c, value, observation);
      teachOwnHistory(c, observation);
    }
    clearWindows(c);
    expect(c.u32[c.u + U.contiguous]).toBe(0);
    expect(c.u32[c.u + U.learnt]).toBe(100);
    expect(c.f32.slice(c.f + F.ring, c.f + F.ring + RING).every((value) => value === 0)).toBe(true);
    observe(c, 51, observation);
    expect(unscaled(c, recent(c, 0))).toBeCloseTo(51, 5);
  });

  test('an accepted level is calm within a few dozen samples', () => {
    const c = aRecord();
    const observation = newObservation();
    startOwnHistory(c, 50);
    noise(1, 2000).forEach((value) => {
      observe(c, value, observation);
      teachOwnHistory(c, observation);
    });
    noise(2, 72, 120).forEach((value) => observe(c, value, observation));
    expect(observation.ratio).toBeGreaterThan(1);
    acceptPresent(c);
    const after = noise(3, 400, 120).map((value) => {
      observe(c, value, observation);
      teachOwnHistory(c, observation);
      return observation.ratio;
    });
    expect(after.slice(100).filter((ratio) => ratio >= 1).length).toBeLessThan(10);
  });
});
