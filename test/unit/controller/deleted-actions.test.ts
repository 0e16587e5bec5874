import { expect, jest, test } from '@jest/globals';
import type { Mode } from '../../../src/policy/healing-policy.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { crashOne } from '../../support/fakes/troubles.ts';
import { aShop, type World } from '../../support/fakes/world.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;

/** A shop with an action in this state, and its name. */
async function inState(state: string, mode: Mode) {
  const world = await aShop({ mode });
  const running = await anOperator(world);
  await world.run(MINUTE);
  crashOne(world);
  await world.until(state, () => world.ends().includes(`restart_pod ${state}`), 4 * MINUTE);
  return { world, running, name: world.cluster.actions()[0]?.intent.name ?? '' };
}

const delay = (world: World): Promise<void> => world.run(10 * MINUTE);

test('an action that somebody deletes while it is verified: its effect counts, and the next failure is healed', async () => {
  const { world, running, name } = await inState('Verifying', 'Auto');
  world.cluster.requestDeletion(name);
  await world.run(5_000);
  expect(running.ledger.get(name)).toMatchObject({ state: 'Superseded', reason: 'Deleted', spent: true });
  await delay(world);
  const pod = crashOne(world);
  await world.until('healed', () => world.ends().includes('restart_pod Healed'), 10 * MINUTE);
  expect(world.cluster.effects()).toEqual([expect.stringMatching(/^evict /), `evict ${pod}`]);
  expect(world.faults()).toEqual([]);
});

test('an action that somebody deletes while it awaits approval: it is asked for anew', async () => {
  const { world, name } = await inState('AwaitingApproval', 'Approve');
  world.cluster.requestDeletion(name);
  await world.until('asked anew', () => world.ends().includes('restart_pod AwaitingApproval'), 2 * MINUTE);
  expect(world.cluster.actions()[0]?.intent).toMatchObject({ attempt: 2 });
  expect(world.cluster.effects()).toEqual([]);
});

test('an action that somebody deletes while nobody leads, or the store is down, is over once somebody does and it is back', async () => {
  const { world, running, name } = await inState('Verifying', 'Auto');
  running.kill();
  world.cluster.requestDeletion(name);
  const next = await anOperator(world);
  world.isStoreDown = true;
  await world.run(MINUTE);
  world.isStoreDown = false;
  await world.run(MINUTE);
  expect(next.ledger.get(name)).toMatchObject({ state: 'Superseded', reason: 'Deleted' });
  await delay(world);
  crashOne(world);
  await world.until('healed', () => world.ends().includes('restart_pod Healed'), 10 * MINUTE);
});
