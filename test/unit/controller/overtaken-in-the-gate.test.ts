import { expect, jest, test } from '@jest/globals';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { asReady } from '../../support/fakes/pod-states.ts';
import { crashOne } from '../../support/fakes/troubles.ts';
import { aShop, type World } from '../../support/fakes/world.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;
const SECOND = 1_000;

/** What happens while the server thinks about the first dry run, and how long that takes. */
async function whileInTheGate(strike: (world: World) => void, takesMs: number): Promise<World> {
  const world = await aShop();
  await anOperator(world);
  await world.run(MINUTE);
  let isFirst = true;
  world.onDryRun = async () => {
    if (!isFirst) return;
    isFirst = false;
    strike(world);
    await new Promise<void>((resolve) => world.clock.after(takesMs, resolve));
  };
  crashOne(world);
  await world.until('in the gate', () => !isFirst, 4 * MINUTE);
  await world.run(takesMs + MINUTE);
  return world;
}

const pauseRequests = [{ name: 'ada', reason: 'release' }];

test.each<readonly [string, (world: World) => void, number, string]>([
  ['its policy is paused', ({ cluster }) => cluster.editPolicy('checkout', (policy) => ({ ...policy, pauseRequests })), SECOND, 'PolicyChanged'],
  ['its policy goes over to Observe', ({ cluster }) => cluster.editPolicy('checkout', (policy) => ({ ...policy, mode: 'Observe' })), SECOND, 'PolicyChanged'],
  ['its policy is deleted', ({ cluster }) => cluster.deletePolicy('checkout'), SECOND, 'PolicyChanged'],
  ['its incident ends', (world) => world.cluster.editWorkload('checkout', (each) => ({ ...each, pods: each.pods.map((pod) => asReady(pod, world.clock.nowMs())) })), MINUTE, 'IncidentClosed'],
  ['its time ends', () => undefined, 6 * MINUTE, 'Expired'],
])('an action whose gate takes long, and meanwhile %s: it is not sent', async (_, strike, takesMs, reason) => {
  const world = await whileInTheGate(strike, takesMs);
  expect(world.cluster.actions()[0]?.status.closed?.reason).toBe(reason);
  expect(world.cluster.actions()[0]?.status.executingAtMs).toBeUndefined();
  expect(world.cluster.effects().length).toBe(reason === 'Expired' ? 1 : 0);
  expect(world.faults()).toEqual([]);
}); // prettier-ignore
