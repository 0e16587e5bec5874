import { expect, jest, test } from '@jest/globals';
import { CACHE, LIMITS, SCENARIOS, type Scenario } from '../../support/fakes/scenarios.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';

jest.setTimeout(240_000);

/** Plays it to its end, with the history that it leaves. */
async function ledgerOf(scenario: Scenario) {
  const world = await scenario.begin();
  const running = await anOperator(world);
  await world.run(20_000);
  scenario.strike(world);
  await world.run(scenario.lastsMs + 60_000);
  const rows = await world.history();
  running.kill();
  await world.store.close();
  return { effects: world.cluster.effects(), rows };
}

test.each([...SCENARIOS, ...LIMITS, CACHE])(
  'I26: $name: every effect and every undo has exactly one row of the history, and each such row one of them',
  async (scenario) => {
    const { effects, rows } = await ledgerOf(scenario);
    const done = rows.filter(
      ({ kind, outcome }) => (kind === 'effect' || kind === 'undo') && outcome?.reason === 'applied',
    );
    expect(done.map(({ kind, outcome }) => `${kind} ${outcome?.message}`)).toHaveLength(effects.length);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
    // What was begun has an end.
    expect(rows.filter(({ kind, outcome }) => kind === 'effect' && outcome === undefined)).toEqual([]);
  },
);
