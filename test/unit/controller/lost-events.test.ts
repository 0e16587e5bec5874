import { expect, jest, test } from '@jest/globals';
import { play, SCENARIOS } from '../../support/fakes/scenarios.ts';

jest.setTimeout(600_000);

test.each(SCENARIOS)('$name: no change is ever told, the caches show them all: the same end', async (scenario) => {
  const [reference, run] = [await play(scenario), await play(scenario, undefined, { repeats: 0 })];
  expect(run.end).toEqual(reference.end);
  expect(run.world.faults()).toEqual([]);
});
