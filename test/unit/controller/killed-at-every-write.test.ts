import { describe, expect, jest, test } from '@jest/globals';
import { differences, killedRuns, play, SCENARIOS, SECOND } from '../../support/fakes/scenarios.ts';

jest.setTimeout(600_000);

describe.each(SCENARIOS)('$name', (scenario) => {
  test('killed before, in and after each write: the same end, and not one effect more', async () => {
    const reference = await play(scenario);
    expect(reference.to - reference.from).toBeGreaterThan(8);
    const divergences: string[] = [];
    for await (const run of killedRuns(scenario, reference)) {
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
