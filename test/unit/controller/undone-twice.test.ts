import { expect, jest, test } from '@jest/globals';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { aScaledShop, slowUnlessMore } from '../../support/fakes/scaled-shop.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;

test('a change that somebody undoes twice is not made a third time, and people are told', async () => {
  const world = await aScaledShop(5, 600);
  await anOperator(world);
  await world.run(3 * MINUTE);
  slowUnlessMore(world);
  for (let time = 1; time <= 2; time++) {
    await world.until(`scaled ${time}`, () => world.cluster.effects().length === time, 30 * MINUTE);
    await world.run(2_000);
    world.cluster.scale('shop', 'checkout', 3);
  }
  await world.until('told', () => world.firing().length > 0, 30 * MINUTE);
  await world.run(30 * MINUTE);
  expect(world.cluster.effects()).toEqual(['scale checkout to 6', 'scale checkout to 6']);
  const scaled = world.cluster.actions().filter(({ intent }) => intent.action === 'scale_up');
  expect(scaled.map(({ status }) => status.verified?.result.reason)).toEqual(['Reverted', 'Reverted']);
  const told = (await world.history()).filter(({ kind }) => kind === 'alert');
  expect(told).toHaveLength(1);
  expect(told[0]?.message).toContain('somebody undid 2 changes to checkout in 24 h');
  expect(world.faults()).toEqual([]);
});
