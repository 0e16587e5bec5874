import { describe, expect, test } from '@jest/globals';
import { parseQuantity, podSchema, toPod, type Pod } from '../../../tools/rig/exporter/pods.ts';
import { workloadSchema, type WorkloadSpec } from '../../../tools/rig/exporter/workload.ts';
import { World } from '../../../tools/rig/exporter/world.ts';

const START_MS = 1_700_000_000_000;
const aPod = (change: Partial<Pod> = {}): Pod => ({
  ...{ namespace: 'shop', name: 'web-1', workload: 'web', createdAtMs: START_MS - 600_000 },
  ...{ isReady: true, isRunning: true, restartCount: 0, container: { name: 'app', cpuLimitCores: 1 } },
  ...change,
});
const flat: WorkloadSpec = {
  ...{ noise: 0, wave: { amplitude: 0, periodSeconds: 60 }, errorRatio: 0, requestsPerSecond: 10 },
  ...{ cpuIdleCores: 0, cpuSecondsPerRequest: 0.01, memoryBytes: 100e6, memoryBytesPerRequestPerSecond: 0 },
};
const aWorld = (spec: WorkloadSpec = {}): World => {
  const world = new World();
  world.workloads.set('shop/web', workloadSchema.parse({ ...flat, ...spec }));
  return world;
};

/** The value of one series on a page, by a part of its line. */
const valueOf = (page: string, series: string): number | undefined => {
  const line = page.split('\n').find((each) => each.startsWith(series));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ')));
};
const cpu = 'container_cpu_usage_seconds_total{namespace="shop",pod="web-1"';
const memory = 'container_memory_working_set_bytes{namespace="shop",pod="web-1"';

describe('counters', () => {
  test('grow with time, whoever scrapes how often', () => {
    const rare = aWorld();
    rare.render([aPod()], START_MS);
    const often = aWorld();
    for (let second = 0; second < 20; second++) often.render([aPod()], START_MS + second * 1000);
    const [a, b] = [rare, often].map((world) => world.render([aPod()], START_MS + 20_000));
    expect(valueOf(a ?? '', cpu)).toBeCloseTo(2); // 10 requests/s of 0.01 s for 20 s
    expect(valueOf(b ?? '', cpu)).toBeCloseTo(2);
    expect(valueOf(a ?? '', 'http_requests_total{namespace="shop",pod="web-1",code="200"}')).toBe(200);
  });

  test('begin anew with the container, and memory is what it was before the leak', () => {
    const world = aWorld({ faults: [{ kind: 'leak', bytesPerSecond: 5e6 }] });
    world.render([aPod()], START_MS);
    expect(valueOf(world.render([aPod()], START_MS + 10_000), memory)).toBe(150e6);
    const restarted = world.render([aPod({ restartCount: 1 })], START_MS + 11_000);
    expect(valueOf(restarted, memory)).toBe(100e6);
    expect(valueOf(restarted, cpu)).toBe(0);
  });

  test('histogram buckets are cumulative and end with the count', () => {
    const world = aWorld();
    world.render([aPod()], START_MS);
    const page = world.render([aPod()], START_MS + 60_000);
    const buckets = page.split('\n').filter((line) => line.startsWith('http_request_duration_seconds_bucket'));
    const counts = buckets.map((line) => Number(line.slice(line.lastIndexOf(' '))));
    expect(counts).toEqual([...counts].sort((x, y) => x - y));
    expect(counts.at(-1)).toBe(valueOf(page, 'http_request_duration_seconds_count'));
  });
});

describe('who has series', () => {
  test('a pod that waits, an unknown workload and a silent pod have none', () => {
    expect(aWorld().render([aPod({ isRunning: false })], START_MS)).toBe('');
    expect(aWorld().render([aPod({ workload: 'other' })], START_MS)).toBe('');
    expect(aWorld({ faults: [{ kind: 'silent' }] }).render([aPod()], START_MS)).toBe('');
  });

  test('limits appear only where the pod has them', () => {
    const page = aWorld().render([aPod({ container: { name: 'app' } })], START_MS);
    expect(page).not.toMatch(/cfs|spec/);
    expect(aWorld().render([aPod()], START_MS)).toMatch(/container_cpu_cfs_throttled_periods_total/);
  });

  test('each metric has one TYPE line, with all its series below it', () => {
    const page = aWorld().render([aPod(), aPod({ name: 'web-2' })], START_MS);
    const types = page.split('\n').filter((line) => line.startsWith('# TYPE'));
    expect(new Set(types).size).toBe(types.length);
  });
});

describe('pods as the API server gives them', () => {
  const raw = (change: object): Pod =>
    toPod(
      podSchema.parse({
        metadata: { name: 'web-5d-x', namespace: 'shop', creationTimestamp: '2026-01-01T00:00:00Z', ...change },
        spec: { containers: [{ name: 'app', resources: { limits: { cpu: '250m', memory: '128Mi' } } }] },
        status: { conditions: [{ type: 'Ready', status: 'True' }] },
      }),
    );

  test.each([
    [
      'a Deployment',
      { labels: { 'pod-template-hash': '5d' }, ownerReferences: [{ kind: 'ReplicaSet', name: 'web-5d' }] },
      'web',
    ],
    ['a lone ReplicaSet', { ownerReferences: [{ kind: 'ReplicaSet', name: 'web-5d' }] }, 'web-5d'],
    ['a StatefulSet', { ownerReferences: [{ kind: 'StatefulSet', name: 'db' }] }, 'db'],
    ['nobody', {}, 'web-5d-x'],
  ])('belong to %s', (_, metadata, workload) => expect(raw(metadata).workload).toBe(workload));

  test('have limits as numbers, and are not ready while they are deleted', () => {
    expect(raw({}).container).toEqual({ name: 'app', cpuLimitCores: 0.25, memoryLimitBytes: 128 * 2 ** 20 });
    expect(raw({}).isReady).toBe(true);
    expect(raw({ deletionTimestamp: '2026-01-01T00:00:01Z' }).isReady).toBe(false);
  });

  test('a text that is no quantity is an error, not a zero', () => {
    expect(() => parseQuantity('lots')).toThrow('not a quantity');
  });
});
