import { describe, expect, jest, test } from '@jest/globals';
import { CACHE, differences, killedRuns, LIMITS, play, SECOND } from '../../support/fakes/scenarios.ts';

jest.setTimeout(600_000);

describe.each(LIMITS)('$name', (scenario) => {
  test('killed before, in and after each write: the same end, and not one effect more', async () => {
    const reference = await play(scenario);
    expect(reference.end.effects).toHaveLength(2);
    const divergences: string[] = [];
    for await (const run of killedRuns(scenario, reference, scenario.isKilledAt)) {
      divergences.push(...differences(run.where, run, reference));
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
    for await (const { where, world, end } of killedRuns(CACHE, reference)) {
      const status = world.cluster.actions()[0]?.status;
      const isUnknown = status?.executingAtMs !== undefined && status.executed === undefined;
      // Marked as sent and never answered: given up, whatever the cache did.
      expect([where, world.faults(), end.effects.length <= 1, status?.closed?.reason === 'Ambiguous']).toEqual([
        ...[where, [], true, isUnknown],
      ]);
      ends.push(isUnknown ? 'given up' : 'answered');
    }
    expect(ends).toEqual(expect.arrayContaining(['given up', 'answered']));
  });
});
