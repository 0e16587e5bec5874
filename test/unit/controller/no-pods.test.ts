import { describe, expect, jest, test } from '@jest/globals';
import type { WorkloadSnapshot } from '../../../src/lib/workload.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { aShop, type World } from '../../support/fakes/world.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;
const QUOTA = 'pods "checkout-1" is forbidden: exceeded quota: team, requested: pods=1, used: pods=4, limited: pods=4';

/** All pods are gone and the quota takes no new one. `telling`: by what the cluster says so. */
function exceedQuota(world: World, telling: 'condition' | 'event'): void {
  const nowMs = world.clock.nowMs();
  const refusal = { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: QUOTA } as const;
  world.cluster.editWorkload('checkout', (each): WorkloadSnapshot => ({
    ...each,
    pods: [],
    ...(telling === 'condition' && { conditions: [{ ...refusal, changedAtMs: nowMs }] }),
  }));
  if (telling === 'condition') return;
  const { kind, namespace, name, uid } = world.cluster.workload('checkout').ref;
  const text = `create Pod ${name}-0 in StatefulSet ${name} failed error: ${QUOTA}`;
  world.cluster.events.push({
    ...{
      kind,
      namespace,
      name,
      uid,
      type: 'Warning',
      reason: 'FailedCreate',
      message: text,
      lastAtMs: nowMs,
      count: 3,
    },
  });
}

describe('a workload none of whose pods can be made', () => {
  test.each(['condition', 'event'] as const)(
    'is unschedulable, and people get the quota’s words (%s)',
    async (telling) => {
      const world = await aShop();
      await anOperator(world);
      await world.run(3 * MINUTE);
      exceedQuota(world, telling);
      await world.until('told', () => world.firing().length > 0, 5 * MINUTE);
      expect(world.condition('checkout', 'Healthy')).toBe('False IncidentOpen');
      expect(world.cluster.policyStatus('checkout')?.incidents).toMatchObject([{ failureType: 'unschedulable' }]);
      const [alert] = world.firing();
      expect(alert?.failureType).toBe('unschedulable');
      expect([alert?.summary, ...(alert?.evidence ?? [])].join('\n')).toContain('exceeded quota: team');
      expect(alert?.advice).toContain('raise the quota');
      await world.run(10 * MINUTE);
      expect(world.cluster.effects()).toEqual([]);
      expect(world.ends()).toEqual(['alert_admin Healed']);
      expect(world.faults()).toEqual([]);
    },
  );

  test('is well again when its pods run', async () => {
    const world = await aShop();
    await anOperator(world);
    await world.run(3 * MINUTE);
    const { pods } = world.cluster.workload('checkout');
    exceedQuota(world, 'condition');
    await world.until('told', () => world.firing().length > 0, 5 * MINUTE);
    world.cluster.editWorkload('checkout', (each) => ({ ...each, pods, conditions: [] }));
    await world.until('over', () => world.condition('checkout', 'Healthy') === 'True Healthy', 5 * MINUTE);
    expect(world.sent.at(-1)?.status).toBe('resolved');
  });

  test('is no news while its pods are only being replaced', async () => {
    const world = await aShop();
    await anOperator(world);
    await world.run(3 * MINUTE);
    const { pods } = world.cluster.workload('checkout');
    world.cluster.editWorkload('checkout', (each) => ({ ...each, pods: [] }));
    await world.run(30_000);
    world.cluster.editWorkload('checkout', (each) => ({ ...each, pods }));
    await world.run(5 * MINUTE);
    expect(await world.incidents()).toEqual([]);
  });
});
