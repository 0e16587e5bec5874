import { describe, expect, jest, test } from '@jest/globals';
import { attributed, unattributed } from '../../../src/controller/attribution.ts';
import type { PolledReading } from '../../../src/controller/ports.ts';
import type { WorkloadKind, WorkloadRef } from '../../../src/lib/workload.ts';
import { PRESETS } from '../../../src/detection/presets.ts';
import type { HealingPolicy } from '../../../src/policy/healing-policy.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { aShop, EVERY_DEPLOYMENT, quickPolicy, type World } from '../../support/fakes/world.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;

const ref = (name: string, kind: WorkloadKind = 'Deployment'): WorkloadRef => ({
  ...{ apiVersion: 'apps/v1', kind, namespace: 'shop', name, uid: `uid-${name}` },
});
const series = (value: number, workload?: PolledReading['workload'], metric = 'lag'): PolledReading => ({
  ...{ metric, unit: '1', reading: { kind: 'value', value, atMs: 1 } },
  ...(workload !== undefined && { workload }),
});
const absent: PolledReading = { metric: 'lag', unit: '1', reading: { kind: 'unknown', reason: 'Absent' } };

describe('series without a pod', () => {
  test.each<[string, readonly PolledReading[], WorkloadRef, boolean, readonly number[]]>([
    ['are the only workload’s', [series(9)], ref('web'), true, [9]],
    ['are nobody’s where several are selected', [series(9)], ref('web'), false, []],
    ['are whose they name', [series(1, { name: 'db' }), series(2, { name: 'web' })], ref('web'), false, [2]],
    ['are not of another kind', [series(2, { name: 'web', kind: 'StatefulSet' })], ref('web'), false, []],
    ['are of the kind that they name', [series(2, { name: 'web', kind: 'Deployment' })], ref('web'), false, [2]],
    ['that name another are the only workload’s all the same', [series(1, { name: 'db' })], ref('web'), true, [1]],
    ['of several others are not guessed', [series(1, { name: 'db' }), series(2, { name: 'mq' })], ref('web'), true, []],
    [
      'that name it twice are not guessed',
      [series(1, { name: 'web' }), series(2, { name: 'web' })],
      ref('web'),
      true,
      [],
    ],
    ['of two metrics are taken one by one', [series(1), series(2, { name: 'web' }, 'size')], ref('web'), false, [2]],
  ])('%s', (_, shared, workload, isOnly, expected) => {
    const values = attributed(shared, workload, isOnly).map(({ reading }) => reading.kind === 'value' && reading.value);
    expect(values).toEqual(expected);
  });

  test('of which nothing is known are nobody’s health', () => {
    expect(attributed([absent], ref('web'), false)).toEqual([absent]);
  });

  test('that belong to nobody are told of together, and only where several workloads are selected', () => {
    const shared = [series(1), series(2, { name: 'mq' }, 'size'), series(3, { name: 'db' }, 'depth')];
    expect(unattributed(shared, [ref('web')])).toEqual([]);
    const [problem, ...more] = unattributed(shared, [ref('web'), ref('db')]);
    expect(more).toEqual([]);
    expect(problem).toMatchObject({ metric: 'lag, size', reason: 'WorkloadNotNamed' });
    expect(problem?.message).toContain('by (deployment)');
  });
});

/** Two workloads under one policy that may scale them, and the length of a queue as one series. */
async function aShopWithAQueue(owner: PolledReading['workload']): Promise<World> {
  const { detection } = quickPolicy();
  const metrics: HealingPolicy['detection']['metrics'] = [
    { ...PRESETS.cpu_usage, limit: { enter: 90, leave: 80, forSeconds: 0 } },
    { name: 'lag', query: 'sum(lag)', unit: '1', direction: 'Above', limit: { enter: 100, leave: 50, forSeconds: 0 } },
  ];
  const world = await aShop({
    detection: { ...detection, metrics },
    target: EVERY_DEPLOYMENT,
  });
  world.cluster.addWorkload({ name: 'cart', pods: 3 });
  const { source } = world;
  world.metricSource = {
    async poll(wishes, nowMs) {
      const reply = await source.poll(wishes);
      const lag = { ...series(0, owner), reading: { kind: 'value' as const, value: 9_000, atMs: nowMs - 1_000 } };
      return { ...reply, policies: reply.policies.map((each) => ({ ...each, readings: [...each.readings, lag] })) };
    },
    backfill: (wish, fromMs, toMs, stepMs) => source.backfill(wish, fromMs, toMs, stepMs),
    firingAlerts: () => source.firingAlerts(),
    lookBackMs: () => source.lookBackMs(),
    checkQueries: (wish) => source.checkQueries(wish),
    close: () => source.close(),
  };
  return world;
}

describe('a long queue under a policy that selects two workloads', () => {
  test.each<[string, PolledReading['workload'], readonly string[], string]>([
    ['that names neither makes neither ill, and people read what to add', undefined, [], 'False WorkloadNotNamed'],
    ['that names one makes that one ill', { name: 'cart' }, ['cart'], 'True Available'],
  ])('%s', async (_, owner, expected, available) => {
    const world = await aShopWithAQueue(owner);
    await anOperator(world);
    await world.run(5 * MINUTE);
    expect((await world.incidents()).map(({ workload }) => workload.name)).toEqual(expected);
    expect(world.condition('checkout', 'MetricsAvailable')).toBe(available);
    expect(world.faults()).toEqual([]);
  });

  test('judges the one that is left once the other is gone', async () => {
    const world = await aShopWithAQueue(undefined);
    world.cluster.deleteWorkload('cart');
    await anOperator(world);
    await world.run(5 * MINUTE);
    expect((await world.incidents()).map(({ workload }) => workload.name)).toEqual(['checkout']);
  });
});
