import { expect, jest, test } from '@jest/globals';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { crashOne, releaseBadImage } from '../../support/fakes/troubles.ts';
import { aShop, type World } from '../../support/fakes/world.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;
const SECOND = 1_000;

/** A shop whose API server takes no new action, for want of a right or by a webhook. */
async function aShopWithoutActions(strike: (world: World) => void): Promise<World> {
  const world = await aShop();
  await anOperator(world);
  await world.run(MINUTE);
  world.refusesOwn = (verb) => verb === 'create';
  strike(world);
  return world;
}

test.each<readonly [string, (world: World) => void, number]>([
  ['an alert: after a minute', releaseBadImage, 2 * MINUTE],
  ['an effect: after five minutes', (world) => void crashOne(world), 6 * MINUTE],
])(
  'no action object can be made: nothing is done, the policy says so, and people are told of %s',
  async (_, strike, inMs) => {
    const world = await aShopWithoutActions(strike);
    await world.run(inMs - 70 * SECOND);
    expect(world.firing()).toEqual([]);
    expect(world.cluster.policyStatus('checkout')?.incidents[0]).toMatchObject({ decision: 'hold' });
    expect(world.cluster.policyStatus('checkout')?.incidents[0]?.reason).toContain('the action object cannot be made');
    await world.until('told', () => world.firing().length > 0, 2 * MINUTE);
    await world.run(5 * MINUTE);
    expect(new Set(world.firing().map(({ key }) => key)).size).toBe(1);
    expect(world.cluster.effects()).toEqual([]);
    const held = (await world.history()).filter(({ kind }) => kind === 'hold');
    expect(held.filter(({ message }) => message.includes('cannot be made'))).toHaveLength(1);
    expect(world.faults()).toEqual([]);
  },
);
