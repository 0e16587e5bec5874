import { expect, jest, test } from '@jest/globals';
import { actionStatusObject } from '../../../src/api/v1alpha1/convert-action.ts';
import type { WorkloadSnapshot } from '../../../src/lib/workload.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { aScaledShop, slowUnlessMore } from '../../support/fakes/scaled-shop.ts';
import type { World } from '../../support/fakes/world.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;

/** Ill with fewer than twelve pods, half as ill with six. */
function illWithFewerThanTwelve(world: World): () => void {
  let isOn = true;
  world.source.disturbances.push((vitals, _, { replicas: { ready } }) => {
    if (!isOn || ready >= 12) return;
    vitals['cpu_usage'] = ready >= 6 ? 92 : 99;
    vitals['response_time'] = (ready >= 6 ? 5 : 10) * (vitals['response_time'] ?? 0);
  });
  return () => void (isOn = false);
}

/** Three replicas went to six, which healed it, and the load that called for them is over. */
async function aShopScaledUp(): Promise<World> {
  const world = await aScaledShop(1, 600);
  await anOperator(world);
  await world.run(3 * MINUTE);
  const ease = slowUnlessMore(world);
  await world.until('healed', () => world.ends().includes('scale_up Healed'), 10 * MINUTE);
  ease();
  return world;
}

test('two steps up that stand on one another go back in the reverse order, five minutes apart, and nobody is told', async () => {
  const world = await aScaledShop(2, 600);
  world.cluster.editPolicy('checkout', (policy) => ({
    ...policy,
    remedies: policy.remedies.map((remedy) => ({ ...remedy, on: ['anomaly:cpu_usage'] })),
    limits: { ...policy.limits, maxReplicas: 12 },
  }));
  await anOperator(world);
  await world.run(3 * MINUTE);
  const ease = illWithFewerThanTwelve(world);
  await world.until('scaled twice', () => world.cluster.effects().length === 2, 30 * MINUTE);
  await world.run(2 * MINUTE);
  ease();
  await world.until('given back', () => world.cluster.workload('checkout').replicas.desired === 3, 60 * MINUTE);
  expect(world.cluster.effects()).toEqual([6, 12, 6, 3].map((replicas) => `scale checkout to ${replicas}`));
  const [first = 0, second = 0] = world.cluster.requests
    .filter(({ verb, dryRun }) => verb === 'scale' && !dryRun)
    .slice(2)
    .map(({ atMs }) => atMs);
  expect(second - first).toBeGreaterThanOrEqual(5 * MINUTE);
  await world.run(MINUTE);
  expect(world.cluster.actions().map(({ status }) => status.rollback?.done)).toEqual([true, true]);
  expect(world.firing()).toEqual([]);
});

const hpa = { kind: 'HorizontalPodAutoscaler', name: 'front', minReplicas: 5, maxReplicas: 10 } as const;

test.each<readonly [string, Partial<WorkloadSnapshot>, string]>([
  ['an autoscaler', { autoscalers: [hpa] }, 'front owns the replicas by now'],
  ['KEDA', { autoscalers: [{ ...hpa, kind: 'ScaledObject' }] }, 'front owns the replicas by now'],
  ['a GitOps controller', { replicasManagers: ['argocd-controller'] }, 'argocd-controller owns the replicas by now'],
])(
  '%s took the replicas over since they were raised: they are left to it, and people are told',
  async (_, over, why) => {
    const world = await aShopScaledUp();
    world.cluster.editWorkload('checkout', (workload) => ({ ...workload, ...over }));
    await world.until('told', () => world.firing().length > 0, 30 * MINUTE);
    expect(world.cluster.effects()).toEqual(['scale checkout to 6']);
    expect(world.cluster.actions()[0]?.status.rollback).toMatchObject({ done: false, abandoned: why });
  },
);

test('whether somebody took the replicas over cannot be read: nothing is written until it can', async () => {
  const world = await aShopScaledUp();
  const know = (autoscalersKnown: boolean): void =>
    world.cluster.editWorkload('checkout', (workload) => ({ ...workload, autoscalersKnown }));
  know(false);
  await world.run(12 * MINUTE);
  expect(world.cluster.effects()).toEqual(['scale checkout to 6']);
  know(true);
  await world.until('given back', () => world.cluster.effects().length === 2, 2 * MINUTE);
  expect(world.cluster.effects()).toEqual(['scale checkout to 6', 'scale checkout to 3']);
});

test('the policy asks for more replicas by now than they were raised from: they stay, and people are told', async () => {
  const world = await aShopScaledUp();
  world.cluster.editPolicy('checkout', (policy) => ({ ...policy, limits: { ...policy.limits, minReplicas: 4 } }));
  await world.until('told', () => world.firing().length > 0, 30 * MINUTE);
  expect(world.cluster.effects()).toEqual(['scale checkout to 6']);
  expect(world.cluster.actions()[0]?.status.rollback?.abandoned).toContain('at least 4');
});

/** Aegis itself took pods away since: an action that is over, as its object shows it, and what it did. */
function scaledDownSince(world: World, to: number): void {
  const [up] = world.cluster.actions();
  if (up === undefined) throw new Error('nothing was scaled up');
  const atMs = world.clock.nowMs();
  const parameters = { kind: 'scale', from: 6, to, returnAfterSeconds: 600 } as const;
  const intent = { ...up.intent, name: 'checkout-down', action: 'scale_down', decidedAtMs: atMs, parameters } as const;
  const made = world.cluster.create(intent);
  if (made === undefined) throw new Error('the action cannot be made');
  const executed = { outcome: 'applied', message: 'replicas went down', atMs } as const;
  const verified = {
    result: { verdict: 'Effective', message: 'still well', before: {}, after: {}, peers: {} },
    atMs,
  } as const;
  const status = { attempts: [], executingAtMs: atMs, executed, verified };
  world.cluster.update(made, { status: actionStatusObject(intent, status) });
  world.cluster.scale('shop', 'checkout', to);
}

test.each([
  ['part of the way: the rest goes back', 4, 3],
  ['all the way: nothing is left to do', 3, 3],
  ['further than before: it stays there', 2, 2],
])('Aegis itself scaled down since, %s, and nobody is told of a stranger', async (_, to, expected) => {
  const world = await aShopScaledUp();
  await world.run(MINUTE);
  scaledDownSince(world, to);
  const rollback = () => world.cluster.actions().find(({ intent }) => intent.action === 'scale_up')?.status.rollback;
  await world.until('over', () => rollback()?.done === true || rollback()?.abandoned !== undefined, 30 * MINUTE);
  expect(rollback()).toMatchObject({ done: true });
  expect(world.cluster.workload('checkout').replicas.desired).toBe(expected);
  expect(world.firing()).toEqual([]);
  expect(world.faults()).toEqual([]);
});

test('a stranger changed them after Aegis itself had: they are left to the stranger', async () => {
  const world = await aShopScaledUp();
  scaledDownSince(world, 4);
  world.cluster.scale('shop', 'checkout', 5);
  await world.until('told', () => world.firing().length > 0, 30 * MINUTE);
  expect(world.cluster.workload('checkout').replicas.desired).toBe(5);
});
