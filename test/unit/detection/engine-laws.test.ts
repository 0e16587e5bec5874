import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createEngine } from '../../../src/detection/engine.ts';
import { metricSpec } from '../../../src/detection/metric-profile.ts';
import { bytesPerFullSeries } from '../../../src/detection/state/coarse-record.ts';
import { bytesPerSeries } from '../../../src/detection/state/series-record.ts';
import { SeriesTable } from '../../../src/detection/state/series-table.ts';
import type { WorkloadVerdict } from '../../../src/detection/verdict.ts';
import { SimulatedWorkload } from '../../support/simulated-workload.ts';
import { STEP, T0, aValue, someSettings } from '../../support/builders/detection.ts';

const simulation = (): SimulatedWorkload =>
  new SimulatedWorkload({ seed: 5, pods: 3, intervalMs: 60_000, minSamples: 30 });

/** Verdicts of a simulated workload, one a poll. */
function lived(polls: number, order: 'as it is' | 'reversed' = 'as it is'): readonly WorkloadVerdict[] {
  const engine = createEngine({ seed: 1 });
  const workload = simulation();
  return Array.from({ length: polls }, () => {
    const input = workload.poll();
    return engine.judge(order === 'reversed' ? { ...input, pods: input.pods.toReversed() } : input);
  });
}

const byPod = (verdicts: readonly WorkloadVerdict[]): unknown =>
  verdicts.map(({ state, score, pods }) => ({
    state,
    score,
    pods: Object.fromEntries(pods.map(({ pod, vector: _left, ...verdict }) => [pod.uid, verdict])),
  }));

describe('laws of the engine', () => {
  test('no look-ahead: the verdicts of the first polls do not depend on there being later ones', () => {
    expect(lived(200)).toEqual(lived(320).slice(0, 200));
  });

  test('the order in which pods are listed changes no verdict on metrics', () => {
    expect(byPod(lived(150, 'reversed'))).toEqual(byPod(lived(150)));
  });

  test('equal calls give equal verdicts: it holds no clock and no randomness of its own', () => {
    expect(lived(150)).toEqual(lived(150));
  });

  test.each([
    ['cpu_usage', 'constant', () => 0],
    ['cpu_usage', 'huge', (i: number) => (i % 2 === 0 ? 1e308 : -1e308)],
    ['memory_usage', 'rising beyond all bounds', (i: number) => 10 ** (i / 2)],
    ['request_rate', 'denormal', (i: number) => (i % 3) * 5e-324],
    ['queue_depth', 'alternating in sign', (i: number) => (i % 2 === 0 ? 1.7e308 : -1.7e308)],
  ])('%s, %s over days: every number of every verdict is a number', (metric, _, value) => {
    const engine = createEngine({ seed: 1, shapeFor: () => true });
    const settings = someSettings({ maxSampleAgeMs: Infinity, intervalMs: 300_000 });
    for (let i = 0; i < 700; i++) {
      const atMs = T0 + i * 300_000;
      const verdict = engine.judgeSeries('s', metricSpec(metric), aValue(value(i), atMs), settings, atMs);
      for (const { score, ...rest } of verdict.detectors) {
        expect(score >= 0 && score <= 1).toBe(true);
        for (const each of [Object.values(rest), rest.band ?? []].flat(2)) expect(each).not.toBeNaN();
      }
    }
  });

  test('any values, any jumps in time: scores stay in [0, 1]', () => {
    const samples = fc.array(fc.tuple(fc.double({ noNaN: true }), fc.integer({ min: 0, max: 90_000_000 })), { minLength: 1, maxLength: 120 }); // prettier-ignore
    fc.assert(
      fc.property(samples, (points) => {
        const engine = createEngine({ seed: 1 });
        let atMs = T0;
        for (const [value, later] of points) {
          atMs += later;
          const settings = someSettings({ minSamples: 10, maxSampleAgeMs: Infinity });
          const { verdict } = engine.judgeSeries('s', metricSpec('memory_usage'), aValue(value, atMs), settings, atMs);
          if (verdict.kind === 'score') expect(verdict.score >= 0 && verdict.score <= 1).toBe(true);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('memory', () => {
  test('follows the number of series, rounded up to chunks of 64, and not the number of samples', () => {
    const table = new SeriesTable();
    for (let i = 0; i < 1000; i++) table.open(`s${i}`);
    expect(table.bytes()).toBe(Math.ceil(1000 / 64) * 64 * bytesPerSeries);
    expect(bytesPerSeries).toBeLessThanOrEqual(3000);
    expect(bytesPerFullSeries).toBeLessThanOrEqual(16_000);
  });

  test('a stored model of one series with everything is as large after a month as after two days', () => {
    const size = (days: number): number => {
      const engine = createEngine({ seed: 1, shapeFor: () => true });
      const n = days * 288;
      const times = Float64Array.from({ length: n }, (_, i) => T0 + i * 300_000);
      const values = Float64Array.from({ length: n }, (_, i) => 50 + (i % 17));
      engine.teach('s', metricSpec('memory_usage'), times, values);
      return engine.snapshot().length;
    };
    expect(size(30)).toBe(size(2));
    expect(size(30)).toBeLessThan(bytesPerFullSeries + 300);
  });

  test('profiles of the week are given to as many series as are allowed, and to no more', () => {
    const size = (weeklyProfiles: number): number => {
      const engine = createEngine({ seed: 1, weeklyProfiles });
      const times = Float64Array.from({ length: 600 }, (_, i) => T0 + i * 300_000);
      for (const key of ['a', 'b', 'c'])
        engine.teach(
          key,
          metricSpec('cpu_usage'),
          times,
          times.map(() => STEP),
        );
      return engine.snapshot().length;
    };
    expect(size(0)).toBeLessThan(size(1));
    expect(size(1)).toBeLessThan(size(3));
    expect(size(9)).toBe(size(3));
  });
});
