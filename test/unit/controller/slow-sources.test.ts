import { expect, jest, test } from '@jest/globals';
import type { LogSource } from '../../../src/controller/ports.ts';
import { ok } from '../../../src/lib/result.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { releaseBadImage } from '../../support/fakes/troubles.ts';
import { aShop, quickPolicy, type World } from '../../support/fakes/world.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;
const SECOND = 1_000;

/** A shop and twelve fronts, of which four are ill. */
async function fourIllOfThirteen(prepare: (world: World) => Parameters<typeof anOperator>[1]) {
  const world = await aShop();
  for (let i = 0; i < 12; i++) {
    const name = `front-${i}`;
    world.cluster.addWorkload({ name, pods: 2 });
    world.cluster.putPolicy(quickPolicy({ name, uid: `p-${name}`, target: { kind: 'Deployment', name } }));
  }
  const running = await anOperator(world, prepare(world));
  await world.run(MINUTE);
  for (let i = 0; i < 4; i++) releaseBadImage(world, `front-${i}`);
  return { world, ...running };
}

test('logs that take half a minute to come hold up no judgement, and are used once they are there', async () => {
  let reads = 0;
  const { world, book } = await fourIllOfThirteen(({ clock }) => ({
    logs: {
      read: async () => {
        reads += 1;
        await new Promise<void>((resolve) => clock.after(30 * SECOND, resolve));
        return ok([]);
      },
    } satisfies LogSource,
  }));
  let oldestMs = 0;
  for (let second = 0; second < 180; second++) {
    await world.run(SECOND);
    const judgedAtMs = book.find('p-checkout', 'w-checkout')?.verdict?.atMs ?? 0;
    oldestMs = Math.max(oldestMs, world.clock.nowMs() - judgedAtMs);
  }
  expect(oldestMs).toBeLessThan(10 * SECOND);
  expect(reads).toBeGreaterThan(8);
  expect(reads).toBeLessThan(40);
  expect(world.faults()).toEqual([]);
});
