import { describe, expect, test } from '@jest/globals';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { asCrashing } from '../../support/fakes/fake-cluster.ts';
import { quickPolicy, World } from '../../support/fakes/world.ts';

/** A world with one watched Deployment of three pods, learnt, and an operator that leads. */
async function aShop(over: Parameters<typeof quickPolicy>[0] = {}) {
  const world = await World.create();
  world.cluster.addWorkload({ name: 'checkout', pods: 3 });
  world.cluster.putPolicy(quickPolicy(over));
  const operator = await anOperator(world);
  await world.run(60_000);
  const pods = world.cluster.workload('checkout').pods.map(({ name }) => name);
  return { world, operator, pods };
}

describe('one pod of three', () => {
  test('that crash-loops is evicted once, and its replacement proves it', async () => {
    const { world, pods } = await aShop();
    const [first = ''] = pods;
    expect(world.ends()).toEqual([]);
    world.cluster.editPod(first, (pod) => asCrashing(pod, world.clock.nowMs()));
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 240_000);
    await world.run(600_000);
    expect(world.cluster.effects()).toEqual([`evict ${first}`]);
    expect(world.ends()).toEqual(['restart_pod Healed']);
    expect(world.faults()).toEqual([]);
  });
});
