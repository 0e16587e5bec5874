import { describe, expect, test } from '@jest/globals';
import {
  leakRate,
  loadOf,
  noiseAt,
  trafficAt,
  type ContainerFacts,
  type Load,
  type Moment,
} from '../../../tools/rig/exporter/curves.ts';
import { workloadSchema, type Workload, type WorkloadSpec } from '../../../tools/rig/exporter/workload.ts';

const flat = { noise: 0, wave: { amplitude: 0, periodSeconds: 600 }, errorRatio: 0 };
const aWorkload = (spec: WorkloadSpec = {}): Workload => workloadSchema.parse({ ...flat, ...spec });
const aMoment = (change: Partial<Moment> = {}): Moment => ({
  ...{ atSeconds: 1000, podAgeSeconds: 600, leakedBytes: 0, isReady: true, readyPods: 3 },
  ...change,
});
const limited: ContainerFacts = { name: 'app', cpuLimitCores: 0.5, memoryLimitBytes: 200e6 };
const load = (spec: WorkloadSpec, moment: Partial<Moment> = {}, container: ContainerFacts = limited): Load =>
  loadOf(aWorkload(spec), 'web-1', container, aMoment(moment));

describe('traffic', () => {
  test('is shared by the ready pods', () => {
    expect(load({ requestsPerSecond: 90 }).requestsPerSecond).toBe(30);
    expect(load({ requestsPerSecond: 90 }, { readyPods: 9 }).requestsPerSecond).toBe(10);
  });

  test('does not reach a pod that is not ready, or hangs', () => {
    expect(load({}, { isReady: false }).requestsPerSecond).toBe(0);
    expect(load({ faults: [{ kind: 'hang', pods: ['web-1'] }] }).requestsPerSecond).toBe(0);
    expect(load({ faults: [{ kind: 'hang', pods: ['web-2'] }] }).requestsPerSecond).toBeGreaterThan(0);
  });

  test('follows the wave, spikes and overload', () => {
    const wave = aWorkload({ requestsPerSecond: 100, wave: { amplitude: 0.3, periodSeconds: 60 } });
    const day = Array.from({ length: 60 }, (_, second) => trafficAt(wave, second));
    expect(Math.max(...day)).toBeCloseTo(130, 0);
    expect(Math.min(...day)).toBeCloseTo(70, 0);
    const spiky = aWorkload({ requestsPerSecond: 100, spikes: { everySeconds: 60, lastSeconds: 2, factor: 4 } });
    expect([trafficAt(spiky, 61), trafficAt(spiky, 63)]).toEqual([400, 100]);
    const over = aWorkload({ requestsPerSecond: 100, faults: [{ kind: 'overload', factor: 3 }] });
    expect(trafficAt(over, 5)).toBeCloseTo(300);
  });
});

describe('cpu, throttling and latency', () => {
  const busy = { cpuIdleCores: 0, cpuSecondsPerRequest: 0.01, latencySeconds: 0.1 };

  test.each([
    // requests/s on three pods with half a core each: 0.01 s of cpu a request
    ['a quarter of the limit', 37.5, { cores: 0.125, throttled: 0, slowdown: 4 / 3, errors: 0 }],
    ['90% of the limit', 135, { cores: 0.45, throttled: 0.25, slowdown: 10, errors: 0 }],
    ['twice the limit', 300, { cores: 0.5, throttled: 0.98, slowdown: 25, errors: 0.25 }],
  ])('%s', (_, requestsPerSecond, expected) => {
    const result = load({ ...busy, requestsPerSecond });
    expect(result.cpuCores).toBeCloseTo(expected.cores);
    expect(result.throttledRatio).toBeCloseTo(expected.throttled);
    expect(result.latencySeconds).toBeCloseTo(0.1 * expected.slowdown);
    expect(result.errorRatio).toBeCloseTo(expected.errors);
  });

  test('scaling up relieves an overload', () => {
    const over: WorkloadSpec = { ...busy, requestsPerSecond: 100, faults: [{ kind: 'overload', factor: 2 }] };
    expect(load(over).cpuCores).toBe(0.5);
    const relieved = load(over, { readyPods: 10 });
    expect(relieved.cpuCores).toBeCloseTo(0.2);
    expect(relieved.throttledRatio).toBe(0);
  });

  test('without a limit there is no throttling, but the same saturation', () => {
    const result = load({ ...busy, requestsPerSecond: 600, capacityCores: 1 }, {}, { name: 'app' });
    expect(result).toMatchObject({ cpuCores: 1, throttledRatio: 0 });
  });

  test('a slow dependency lengthens answers and uses no cpu; a hot loop uses cpu without traffic', () => {
    const well = load({ ...busy, requestsPerSecond: 30 });
    const slow = load({ ...busy, requestsPerSecond: 30, faults: [{ kind: 'slow', factor: 8 }] });
    expect(slow.latencySeconds).toBeCloseTo(8 * well.latencySeconds);
    expect(slow.cpuCores).toBe(well.cpuCores);
    const hot = load({ ...busy, requestsPerSecond: 0, faults: [{ kind: 'cpu-hot', cores: 0.4 }] });
    expect(hot).toMatchObject({ requestsPerSecond: 0, cpuCores: 0.4 });
  });
});

describe('memory', () => {
  const plain = { memoryBytes: 100e6, memoryBytesPerRequestPerSecond: 0 };

  test('warms up, leaks, and stays just below the limit', () => {
    expect(load({ ...plain, warmUpSeconds: 10 }, { podAgeSeconds: 0 }).memoryBytes).toBeCloseTo(50e6);
    expect(load({ ...plain, warmUpSeconds: 10 }, { podAgeSeconds: 10 }).memoryBytes).toBeCloseTo(100e6);
    expect(load(plain, { leakedBytes: 30e6 }).memoryBytes).toBeCloseTo(130e6);
    expect(load(plain, { leakedBytes: 900e6 }).memoryBytes).toBeCloseTo(199e6);
  });

  test('a leak is of the named pods, and several add up', () => {
    const leaky = aWorkload({
      faults: [
        { kind: 'leak', bytesPerSecond: 1e6, pods: ['web-1'] },
        { kind: 'leak', bytesPerSecond: 2e6 },
      ],
    });
    expect([leakRate(leaky, 'web-1'), leakRate(leaky, 'web-2')]).toEqual([3e6, 2e6]);
  });
});

describe('noise', () => {
  const series = (seed: number, what: string): number[] =>
    Array.from({ length: 500 }, (_, t) => noiseAt(seed, what, t));

  test('is the same for the same seed, another for another seed, pod or value', () => {
    expect(series(1, 'a')).toEqual(series(1, 'a'));
    expect(series(1, 'a')).not.toEqual(series(2, 'a'));
    expect(series(1, 'a')).not.toEqual(series(1, 'b'));
  });

  test('stays within -1 and 1 around zero and does not stand still', () => {
    const values = series(7, 'web/cpu');
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(1);
    expect(Math.abs(values.reduce((sum, x) => sum + x, 0) / values.length)).toBeLessThan(0.15);
    expect(new Set(values).size).toBeGreaterThan(490);
  });
});
