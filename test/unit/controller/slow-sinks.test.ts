import { expect, jest, test } from '@jest/globals';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { crashOne, releaseBadImage } from '../../support/fakes/troubles.ts';
import { aShop, quickPolicy, type World } from '../../support/fakes/world.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;

/** A shop beside which so many others can fall ill without a storm. */
async function aMall(others: number): Promise<World> {
  const world = await aShop();
  for (let i = 0; i < others; i++) {
    const name = `front-${i}`;
    world.cluster.addWorkload({ name, pods: 2 });
    world.cluster.putPolicy(quickPolicy({ name, uid: `p-${name}`, target: { kind: 'Deployment', name } }));
  }
  return world;
}

test('sinks that take minutes hold up no healing, and what they took is noted once', async () => {
  const world = await aMall(14);
  await anOperator(world);
  await world.run(MINUTE);
  world.sinkTakesMs = 5 * MINUTE;
  for (let i = 0; i < 4; i++) releaseBadImage(world, `front-${i}`);
  await world.until('being told', () => world.cluster.actions().length === 4, 5 * MINUTE);
  const pod = crashOne(world);
  await world.until('healed', () => world.ends().includes('restart_pod Healed'), 2 * MINUTE);
  expect(world.cluster.effects()).toEqual([`evict ${pod}`]);
  await world.until('told', () => world.ends().filter((end) => end === 'alert_admin Healed').length === 4, 6 * MINUTE);
  expect(new Set(world.firing().map(({ key }) => key)).size).toBe(4);
  const told = (await world.history()).filter(({ kind }) => kind === 'alert');
  expect(told).toHaveLength(4);
  expect(world.faults()).toEqual([]);
});
