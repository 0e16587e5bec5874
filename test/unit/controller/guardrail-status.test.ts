import { describe, expect, jest, test } from '@jest/globals';
import { aGuardrail } from '../../support/builders/policy.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { aShop, quickPolicy, type World } from '../../support/fakes/world.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;

const told = (world: World, name: string): Record<string, string> =>
  Object.fromEntries(
    (world.cluster.guardrailStatus(name)?.conditions ?? []).map(({ type, status, reason }) => [
      type,
      `${status} ${reason}`,
    ]),
  );

const writes = (world: World): number =>
  world.cluster.requests.filter(({ verb }) => verb === 'guardrail-status').length;

const invalid = {
  kind: 'invalid',
  ...{ name: 'broken', namespace: '', uid: 'g-x', generation: 3 },
  problems: [{ path: 'spec.windows[0].schedule', reason: 'WindowInvalid', message: 'is no cron expression' }],
} as const;

describe('the guardrail’s status', () => {
  test('says that it makes sense, whether it is suspended, and how many policies it bounds', async () => {
    const world = await aShop();
    world.cluster.putGuardrail(aGuardrail({ name: 'all', suspended: true, generation: 4 }));
    await anOperator(world);
    await world.run(MINUTE);
    expect(told(world, 'all')).toEqual({ Accepted: 'True Valid', Suspended: 'True Suspended' });
    expect(world.cluster.guardrailStatus('all')).toMatchObject({ observedGeneration: 4, boundPolicies: 1 });
  });

  test('counts only the policies in namespaces that it selects', async () => {
    const world = await aShop();
    world.cluster.addWorkload({ name: 'till', namespace: 'bank', pods: 1 });
    world.cluster.putPolicy(quickPolicy({ name: 'till', namespace: 'bank', uid: 'p-bank' }));
    const namespaceSelector = { matchLabels: { name: 'bank' }, matchExpressions: [] };
    world.cluster.putGuardrail(aGuardrail({ name: 'bank', namespaceSelector }));
    await anOperator(world);
    await world.run(MINUTE);
    expect(world.cluster.guardrailStatus('bank')?.boundPolicies).toBe(1);
    world.cluster.deletePolicy('till', 'bank');
    await world.run(MINUTE);
    expect(world.cluster.guardrailStatus('bank')?.boundPolicies).toBe(0);
  });

  test('names everything that is wrong with it, and that every effect is held', async () => {
    const world = await aShop();
    world.cluster.putInvalidGuardrail(invalid);
    await anOperator(world);
    await world.run(MINUTE);
    expect(told(world, 'broken')).toEqual({ Accepted: 'False WindowInvalid', Suspended: 'True Invalid' });
    const [accepted] = world.cluster.guardrailStatus('broken')?.conditions ?? [];
    expect(accepted?.message).toContain('spec.windows[0].schedule: is no cron expression');
    expect(accepted?.message).toContain('every effect is held');
    world.cluster.putGuardrail(aGuardrail({ name: 'broken', generation: 4 }));
    await world.run(MINUTE);
    expect(told(world, 'broken')).toEqual({ Accepted: 'True Valid', Suspended: 'False Running' });
  });

  test('is written once while nothing changes, also by the next leader, and put right after a foreign hand', async () => {
    const world = await aShop();
    world.cluster.putGuardrail(aGuardrail({ name: 'all' }));
    const first = await anOperator(world);
    await world.run(10 * MINUTE);
    expect(writes(world)).toBe(1);
    first.kill();
    await anOperator(world);
    await world.run(10 * MINUTE);
    expect(writes(world)).toBe(1);
    world.cluster.putGuardrailStatus('all', { observedGeneration: 99 });
    await world.run(3 * MINUTE);
    expect(writes(world)).toBe(2);
    expect(told(world, 'all')).toEqual({ Accepted: 'True Valid', Suspended: 'False Running' });
  });

  test('is not written by a process that does not lead', async () => {
    const world = await aShop();
    world.cluster.putGuardrail(aGuardrail({ name: 'all' }));
    await anOperator(world, { leads: false });
    await world.run(5 * MINUTE);
    expect(writes(world)).toBe(0);
  });

  test('is tried again when the API server did not take it', async () => {
    const world = await aShop();
    world.cluster.putGuardrail(aGuardrail({ name: 'all' }));
    world.refusesOwn = (verb) => verb === 'guardrail-status';
    await anOperator(world);
    await world.run(MINUTE);
    expect(told(world, 'all')).toEqual({});
    world.refusesOwn = () => false;
    await world.run(MINUTE);
    expect(told(world, 'all')).toEqual({ Accepted: 'True Valid', Suspended: 'False Running' });
  });
});
