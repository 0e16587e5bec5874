import { describe, expect, jest, test } from '@jest/globals';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { crashOne, leakInOne } from '../../support/fakes/troubles.ts';
import { aShop, quickPolicy } from '../../support/fakes/world.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;
const COOLDOWN_MS = 15 * MINUTE;

describe('a wall clock that jumps', () => {
  test.each([
    ['forward by two days', 48 * 60 * MINUTE],
    ['forward by an hour', 60 * MINUTE],
    ['forward by the cooldown', COOLDOWN_MS],
    ['back by a minute', -MINUTE],
    ['back by an hour', -60 * MINUTE],
  ])('%s ends no cooldown, and prolongs none', async (_what, byMs) => {
    const limits = { ...quickPolicy().limits, cooldownSeconds: COOLDOWN_MS / 1000 };
    const world = await aShop({ limits }, 4);
    await anOperator(world);
    await world.run(MINUTE);
    crashOne(world);
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 4 * MINUTE);
    const sentMs =
      world.clock.monotonicMs() - (world.clock.nowMs() - (world.cluster.actions()[0]?.status.executed?.atMs ?? 0));
    leakInOne(world);
    await world.run(3 * MINUTE);
    world.clock.jump(byMs);
    await world.run(COOLDOWN_MS - MINUTE - (world.clock.monotonicMs() - sentMs));
    expect(world.cluster.effects()).toHaveLength(1);
    // Samples of an hour ago lie in the future now: unknown, until the source has caught up.
    if (byMs <= -60 * MINUTE) return;
    await world.until('done once it is over', () => world.cluster.effects().length === 2, 4 * MINUTE);
    expect(world.faults()).toEqual([]);
  });
});
