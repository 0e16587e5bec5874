import { expect, test } from '@jest/globals';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { crashOne } from '../../support/fakes/troubles.ts';
import { aShop } from '../../support/fakes/world.ts';

const MINUTE = 60_000;

test('a state that somebody writes over one that has ended is put right, and does nothing', async () => {
  const world = await aShop();
  await anOperator(world);
  await world.run(MINUTE);
  const pod = crashOne(world);
  await world.until('healed', () => world.ends().includes('restart_pod Healed'), 4 * MINUTE);
  const name = world.cluster.actions()[0]?.intent.name ?? '';
  world.cluster.forgeState(name, 'Executing');
  expect(world.cluster.shownState(name)).toBe('Executing');
  await world.run(MINUTE);
  expect(world.cluster.shownState(name)).toBe('Healed');
  expect(world.cluster.effects()).toEqual([`evict ${pod}`]);
  const writes = world.cluster.requests.filter(({ what }) => what === name).length;
  await world.run(2 * MINUTE);
  expect(world.cluster.requests.filter(({ what }) => what === name)).toHaveLength(writes);
}, 60_000);
