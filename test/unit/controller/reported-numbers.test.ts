import { describe, expect, jest, test } from '@jest/globals';
import {
  countedLogSource,
  countedMetricEvidence,
  countedMetricSource,
} from '../../../src/controller/counted-sources.ts';
import type { PollReply, SourceError } from '../../../src/controller/ports.ts';
import { aGuardrail } from '../../support/builders/policy.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { FakeCluster } from '../../support/fakes/fake-cluster.ts';
import { FakeMetricSource } from '../../support/fakes/fake-metric-source.ts';
import { crashOne } from '../../support/fakes/troubles.ts';
import { aShop, quickPolicy } from '../../support/fakes/world.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { recordedMetrics } from '../../support/recorders.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;
const value = { kind: 'value', value: 1, atMs: 0 } as const;

/** A poll of two policies that met these troubles. */
async function polled(kinds: readonly SourceError['kind'][], isAnyValue: boolean) {
  const metrics = recordedMetrics();
  const source = new FakeMetricSource(new FakeCluster(fakeClock()));
  const readings = isAnyValue ? [{ metric: 'cpu_usage', unit: '%', reading: value }] : [];
  const problems = kinds.map((kind) => ({ metric: 'cpu_usage', error: { kind, message: 'no' } }));
  source.poll = (): Promise<PollReply> =>
    Promise.resolve({
      ...{ atMs: 0, queries: 4 },
      policies: ['a', 'b'].map((policyUid) => ({ policyUid, readings, problems })),
    });
  await countedMetricSource(source, metrics).poll([], 0);
  return metrics;
}

describe('the metrics source', () => {
  test.each<[what: string, kinds: readonly SourceError['kind'][], isAnyValue: boolean, up: number]>([
    ['that answers is up', [], true, 1],
    ['that has no series yet is up', [], false, 1],
    ['that refuses a query is up', ['QueryInvalid'], false, 1],
    ['that nobody reaches is down', ['Unreachable'], false, 0],
    ['that takes no credentials is down', ['Unauthorized'], false, 0],
    ['that times out on one query and answers another is up', ['Timeout'], true, 1],
  ])('%s', async (_, kinds, isAnyValue, up) => {
    const metrics = await polled(kinds, isAnyValue);
    expect(metrics.value('aegis_source_up', { source: 'metrics' })).toBe(up);
    expect(metrics.value('aegis_queries_total', { source: 'metrics' })).toBe(4);
  });

  test('meets one trouble, however many policies share the query', async () => {
    const metrics = await polled(['Unreachable'], false);
    expect(metrics.value('aegis_source_errors_total', { source: 'metrics', kind: 'Unreachable' })).toBe(1);
  });

  test('is asked for evidence too, which is counted and says nothing of its being up', async () => {
    const metrics = recordedMetrics();
    const error = { kind: 'Timeout', message: 'slow' } as const;
    const evidence = countedMetricEvidence(
      { claims: () => Promise.resolve({ ok: true, value: [] }), calls: () => Promise.resolve({ ok: false, error }) },
      metrics,
    );
    expect(await evidence.claims('shop', ['data'])).toEqual({ ok: true, value: [] });
    expect(await evidence.calls(['shop'])).toEqual({ ok: false, error });
    expect(metrics.value('aegis_queries_total', { source: 'metrics' })).toBe(2);
    expect(metrics.value('aegis_source_errors_total', { source: 'metrics', kind: 'Timeout' })).toBe(1);
    expect([...metrics.names()]).not.toContain('aegis_source_up');
  });

  test('of logs is counted apart', async () => {
    const metrics = recordedMetrics();
    const error = { kind: 'Timeout', message: 'slow' } as const;
    const logs = countedLogSource({ read: () => Promise.resolve({ ok: false, error }) }, metrics);
    await logs.read('shop', ['a'], 0, 10);
    expect(metrics.value('aegis_source_up', { source: 'logs' })).toBe(0);
    expect(metrics.value('aegis_source_errors_total', { source: 'logs', kind: 'Timeout' })).toBe(1);
    expect(metrics.value('aegis_queries_total', { source: 'metrics' })).toBe(0);
  });
});

describe('states', () => {
  test('of policies: each counts once, under the first that applies', async () => {
    const world = await aShop();
    const pauseRequests = [{ name: 'ada', reason: 'release' }];
    world.cluster.putPolicy(quickPolicy({ name: 'paused', uid: 'p-2', priority: 2, pauseRequests }));
    world.cluster.putPolicy(quickPolicy({ name: 'lower', uid: 'p-3', priority: 1 }));
    world.cluster.putInvalidPolicy({
      ...{ kind: 'invalid', namespace: 'shop', name: 'broken', uid: 'p-4', generation: 1 },
      problems: [{ path: 'spec.target', reason: 'Invalid', message: 'no' }],
    });
    await anOperator(world);
    await world.run(MINUTE);
    const states = ['accepted', 'invalid', 'paused', 'conflict'].map((state) =>
      world.metrics.value('aegis_policies', { state }),
    );
    expect(states).toEqual([1, 1, 1, 1]);
  });

  test('of the budget: a treatment counts while it is under way, for its minute, and for its hour', async () => {
    const world = await aShop();
    world.cluster.putGuardrail(aGuardrail());
    await anOperator(world);
    await world.run(MINUTE);
    const spent = () =>
      ['concurrent', 'minute', 'hour'].map((window) => world.metrics.value('aegis_budget_spent', { window }));
    expect(spent()).toEqual([0, 0, 0]);
    crashOne(world);
    await world.until('done', () => world.cluster.effects().length > 0, 4 * MINUTE);
    await world.run(15_000);
    expect(spent()).toEqual([1, 1, 1]);
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 4 * MINUTE);
    await world.run(2 * MINUTE);
    expect(spent()).toEqual([0, 0, 1]);
  });
});
