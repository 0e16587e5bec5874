import { describe, expect, jest, test } from '@jest/globals';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { crashOne } from '../../support/fakes/troubles.ts';
import { aGuardrail } from '../../support/builders/policy.ts';
import { aShop, quickPolicy, type World } from '../../support/fakes/world.ts';

jest.setTimeout(60_000);
const SECOND = 1_000;
const MINUTE = 60_000;
const NAMES = ['checkout', 'cart'] as const;

/** Two workloads, each with a policy; the record of the first effect is not taken by the API server for so long. */
async function twoShops(sickForMs: number, maxConcurrent?: number): Promise<World> {
  const world = await aShop();
  world.cluster.addWorkload({ name: 'cart', pods: 3 });
  world.cluster.putPolicy(quickPolicy({ name: 'cart', uid: 'p-cart', target: { kind: 'Deployment', name: 'cart' } }));
  if (maxConcurrent !== undefined) {
    const usual = aGuardrail();
    world.cluster.putGuardrail({ ...usual, budget: { ...usual.budget, maxConcurrent } });
  }
  await anOperator(world);
  await world.run(MINUTE);
  world.afterMutation = () => {
    if (world.cluster.effects().length === 0) return;
    world.afterMutation = undefined;
    const sick = world.cluster.actions().find(({ status }) => status.executingAtMs !== undefined)?.intent.name ?? '';
    const untilMs = world.clock.nowMs() + sickForMs;
    world.refusesOwn = (verb) =>
      verb === 'status' && world.mutations.at(-1) === `status ${sick}` && world.clock.nowMs() < untilMs;
  };
  for (const name of NAMES) crashOne(world, name);
  return world;
}

const recorded = (world: World): number =>
  world.cluster.actions().filter(({ status }) => status.executed !== undefined).length;
const healed = (world: World): number => world.ends().filter((end) => end === 'restart_pod Healed').length;
const evictedOf = (world: World): readonly string[] =>
  world.cluster.effects().map((effect) => effect.replace(/^evict (\w+)-\d+$/, '$1'));

describe('the record of an effect that the API server does not take at once', () => {
  test('keeps no other workload waiting, and is not lost', async () => {
    const world = await twoShops(4 * SECOND);
    await world.until('the other one is treated', () => world.cluster.effects().length === 2, 4 * MINUTE);
    // Its own record has been taken, or is under way; that of the first is still refused.
    expect(recorded(world)).toBeLessThan(2);
    await world.until('both healed', () => healed(world) === 2, 6 * MINUTE);
    await world.run(10 * MINUTE);
    expect(evictedOf(world).toSorted()).toEqual(NAMES.toSorted());
    const rows = (await world.history()).filter(({ kind }) => kind === 'effect');
    expect(rows.map(({ outcome }) => outcome?.reason)).toEqual(['applied', 'applied']);
    expect(world.faults()).toEqual([]);
  });

  test('for longer than it is tried: the effect is settled by looking, and not done again', async () => {
    const world = await twoShops(30 * SECOND);
    await world.until('both healed', () => healed(world) === 2, 6 * MINUTE);
    expect(evictedOf(world).toSorted()).toEqual(NAMES.toSorted());
  });

  test('counts as under way until it is there: where one at once is allowed, the other waits for it', async () => {
    const world = await twoShops(4 * SECOND, 1);
    await world.until('the first is sent', () => world.cluster.effects().length === 1, 4 * MINUTE);
    await world.until('the first is recorded', () => recorded(world) === 1, MINUTE);
    expect(world.cluster.effects()).toHaveLength(1);
    await world.until('both healed', () => evictedOf(world).length === 2, 10 * MINUTE);
  });
});
