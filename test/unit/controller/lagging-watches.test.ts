import { describe, expect, jest, test } from '@jest/globals';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { crashOne } from '../../support/fakes/troubles.ts';
import { aShop } from '../../support/fakes/world.ts';

jest.setTimeout(60_000);
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** Twelve polls. */
const LAG_MS = MINUTE;

describe('what a live read finds and the watches do not show for a minute leaves one object, not one a poll', () => {
  test.each(['Auto', 'Observe'] as const)('the ill pod is gone, mode %s', async (mode) => {
    const world = await aShop({ mode });
    await anOperator(world, { lagMs: LAG_MS });
    await world.run(3 * MINUTE);
    const pod = crashOne(world);
    await world.run(LAG_MS / 2);
    // Somebody removes it before the caches so much as show that it crashes.
    world.cluster.evict('shop', pod);
    await world.run(LAG_MS + 30 * SECOND);
    expect(world.ends()).toEqual(['restart_pod Superseded']);
    expect(world.cluster.actions()[0]?.status.closed?.reason).toBe('TargetGone');
    await world.run(5 * MINUTE);
    expect(world.ends()).toEqual(['restart_pod Superseded']);
    expect(world.faults()).toEqual([]);
  });

  test('the workload was excluded: refused once, and people are told', async () => {
    const world = await aShop();
    await anOperator(world, { lagMs: LAG_MS });
    await world.run(3 * MINUTE);
    crashOne(world);
    await world.run(LAG_MS / 2);
    world.cluster.editWorkload('checkout', (workload) => ({
      ...workload,
      annotations: { 'healing.aegis.dev/exclude': 'true' },
    }));
    await world.run(LAG_MS + 30 * SECOND);
    expect(world.ends().filter((end) => end.startsWith('restart_pod'))).toEqual(['restart_pod Denied']);
    expect(world.firing()).toHaveLength(1);
    expect(world.cluster.effects()).toEqual([]);
    expect(world.faults()).toEqual([]);
  });
});
