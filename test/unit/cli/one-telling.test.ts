import { expect, jest, test } from '@jest/globals';
import { explanationOf } from '../../../src/cli/explain/explanation.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { aScaledShop, slowUnlessMore } from '../../support/fakes/scaled-shop.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;

test('an inverse that somebody else’s change forbade is told as abandoned, by the API and by the command line alike', async () => {
  const world = await aScaledShop(1, 300);
  const { view } = await anOperator(world);
  await world.run(3 * MINUTE);
  const ease = slowUnlessMore(world);
  await world.until('healed', () => world.ends().includes('scale_up Healed'), 10 * MINUTE);
  ease();
  world.cluster.scale('shop', 'checkout', 5);
  const [scaled] = world.cluster.actions();
  const rollback = () => world.cluster.actions()[0]?.status.rollback;
  await world.until('abandoned', () => rollback()?.abandoned !== undefined, 30 * MINUTE);
  expect(world.cluster.workload('checkout').replicas.desired).toBe(5);

  const outcome = (await view.decision(scaled?.intent.name ?? ''))?.outcome ?? [];
  const known = { policies: [], actions: world.cluster.actions(), decisions: [] };
  const course = explanationOf(known, { name: 'checkout' }, world.clock.nowMs())?.actions[0]?.course ?? [];
  expect(outcome.map(({ what }) => what)).toEqual(['applied', 'verified: Effective', 'rollback abandoned']);
  expect(course.slice(1).map(({ what }) => what)).toEqual(outcome.map(({ what, message }) => `${what}: ${message}`));
});
