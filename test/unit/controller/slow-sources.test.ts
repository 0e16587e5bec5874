import { expect, jest, test } from '@jest/globals';
import type { LogSource } from '../../../src/controller/ports.ts';
import { ok } from '../../../src/lib/result.ts';
import { anOperator, type RunningProcess } from '../../support/fakes/an-operator.ts';
import { crashOne, releaseBadImage } from '../../support/fakes/troubles.ts';
import { aShop, quickPolicy, type World } from '../../support/fakes/world.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;
const SECOND = 1_000;

/** A shop and twelve fronts, of which four are ill. */
async function fourIllOfThirteen(
  prepare: (world: World) => Parameters<typeof anOperator>[1],
  fallIll: (world: World, workload: string) => void = releaseBadImage,
) {
  const world = await aShop();
  for (let i = 0; i < 12; i++) {
    const name = `front-${i}`;
    world.cluster.addWorkload({ name, pods: 3 });
    world.cluster.putPolicy(quickPolicy({ name, uid: `p-${name}`, target: { kind: 'Deployment', name } }));
  }
  const running = await anOperator(world, prepare(world));
  await world.run(MINUTE);
  for (let i = 0; i < 4; i++) fallIll(world, `front-${i}`);
  return { world, ...running };
}

/** Of the one that is well, in the next three minutes. */
async function oldestJudgement(world: World, book: RunningProcess['book']): Promise<number> {
  let oldestMs = 0;
  for (let second = 0; second < 180; second++) {
    await world.run(SECOND);
    const judgedAtMs = book.find('p-checkout', 'w-checkout')?.verdict?.atMs ?? 0;
    oldestMs = Math.max(oldestMs, world.clock.nowMs() - judgedAtMs);
  }
  return oldestMs;
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
  expect(await oldestJudgement(world, book)).toBeLessThan(10 * SECOND);
  expect(reads).toBeGreaterThan(8);
  expect(reads).toBeLessThan(40);
  expect(world.faults()).toEqual([]);
});

test('a policy engine that takes its time over each question is asked about several incidents at once', async () => {
  const { world, book } = await fourIllOfThirteen(
    (created) => {
      created.engine = { kind: 'denied', reason: 'not now', policies: [] };
      created.engineTakesMs = 3 * SECOND;
      return {};
    },
    (created, workload) => void crashOne(created, workload),
  );
  expect(await oldestJudgement(world, book)).toBeLessThan(10 * SECOND);
  expect(world.cluster.effects()).toEqual([]);
  expect(world.faults()).toEqual([]);
});

test('a policy engine that answers nobody is waited for once a poll, however many incidents ask', async () => {
  const { world, book } = await fourIllOfThirteen(
    (created) => {
      created.engine = { kind: 'unavailable', message: 'no answer', failurePolicy: 'Deny' };
      created.engineTakesMs = 3 * SECOND;
      return {};
    },
    (created, workload) => void crashOne(created, workload),
  );
  expect(await oldestJudgement(world, book)).toBeLessThan(10 * SECOND);
  expect(world.cluster.effects()).toEqual([]);
});
