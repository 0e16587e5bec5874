import { expect, jest, test } from '@jest/globals';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { asReady } from '../../support/fakes/pod-states.ts';
import { releaseBadImage } from '../../support/fakes/troubles.ts';
import { aShop } from '../../support/fakes/world.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;

test('a process that is killed once it has noted the end of an incident: its successor tells people that it is over', async () => {
  const world = await aShop();
  await anOperator(world);
  await world.run(MINUTE);
  releaseBadImage(world);
  await world.until('told', () => world.ends().includes('alert_admin Healed'), 10 * MINUTE);
  const id = world.cluster.actions()[0]?.intent.incidentId;
  world.afterMutation = (_, process) => {
    if (world.mutations.at(-1) === `store incident ${id}`) process.kill();
  };
  const nowMs = world.clock.nowMs();
  world.cluster.editWorkload('checkout', (each) => ({ ...each, pods: each.pods.map((pod) => asReady(pod, nowMs)) }));
  await world.run(2 * MINUTE);
  expect((await world.incidents())[0]?.resolvedAtMs).toBeDefined();
  expect(world.sent.map(({ status }) => status)).not.toContain('resolved');
  world.afterMutation = undefined;
  await anOperator(world);
  await world.run(MINUTE);
  expect(world.sent.filter(({ status }) => status === 'resolved').map(({ key }) => key)).toEqual([id]);
});
