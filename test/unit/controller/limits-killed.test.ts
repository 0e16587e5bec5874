import { describe, expect, jest, test } from '@jest/globals';
import { CACHE, LIMITS, play, SECOND } from '../../support/fakes/scenarios.ts';

jest.setTimeout(600_000);
const WHEN = ['before', 'after', 'replied'] as const;

describe.each(LIMITS)('$name', (scenario) => {
  test('killed before, in and after each write: the same end, and not one effect more', async () => {
    const reference = await play(scenario);
    expect(reference.end.effects).toHaveLength(2);
    const divergences: string[] = [];
    for (let at = reference.from; at <= reference.to; at++) {
      if (!scenario.isKilledAt(reference.world.mutations[at - 1] ?? '')) continue;
      for (const when of WHEN) {
        const { world, end } = await play(scenario, { at, when });
        const where = `${when} ${at}: ${reference.world.mutations[at - 1]}`;
        if (JSON.stringify(end) !== JSON.stringify(reference.end)) divergences.push(`${where}: ${JSON.stringify(end)}`);
        if (world.faults().length > 0) divergences.push(`${where}: ${world.faults().join()}`);
      }
    }
    expect({ reference: reference.end, divergences }).toEqual({ reference: reference.end, divergences: [] });
  });

  test.each([
    ['each change is told three times', { repeats: 3 }],
    ['the watches lag by 4 s', { lagMs: 4 * SECOND }],
  ])('%s: the same end', async (_, options) => {
    const [reference, run] = [await play(scenario), await play(scenario, undefined, options)];
    expect(run.end).toEqual(reference.end);
    expect(run.world.faults()).toEqual([]);
  });
});

describe(CACHE.name, () => {
  test('killed before, in and after each write: asked for once at most, and given up where that is not known', async () => {
    const reference = await play(CACHE);
    expect(reference.end.effects).toHaveLength(1);
    const ends: string[] = [];
    for (let at = reference.from; at <= reference.to; at++) {
      for (const when of WHEN) {
        const { world, end } = await play(CACHE, { at, when });
        const where = `${when} ${at}: ${reference.world.mutations[at - 1]}`;
        const status = world.cluster.actions()[0]?.status;
        const isUnknown = status?.executingAtMs !== undefined && status.executed === undefined;
        // Marked as sent and never answered: given up, whatever the cache did.
        expect([where, world.faults(), end.effects.length <= 1, status?.closed?.reason === 'Ambiguous']).toEqual([
          ...[where, [], true, isUnknown],
        ]);
        ends.push(isUnknown ? 'given up' : 'answered');
      }
    }
    expect(ends).toEqual(expect.arrayContaining(['given up', 'answered']));
  });
});
