import { describe, expect, test } from '@jest/globals';
import { createPostgresStore } from '../../src/store/store.ts';
import { play, SCENARIOS, type Scenario } from '../support/fakes/scenarios.ts';
import { hasPostgres, postgresServer } from '../support/postgres.ts';
import { recordedLog, recordedMetrics } from '../support/recorders.ts';

const WHENS = ['before', 'after', 'replied'] as const;

(hasPostgres ? describe : describe.skip)('with its history on PostgreSQL', () => {
  const server = postgresServer();

  const onPostgres = (scenario: Scenario): Scenario => ({
    ...scenario,
    begin: async () => {
      const world = await scenario.begin();
      const url = await server().createDatabase();
      const { clock } = world;
      await world.moveTo(await createPostgresStore({ url, clock, log: recordedLog(), metrics: recordedMetrics() }));
      return world;
    },
  });

  test.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
    '%s: killed at writes of the store, all ends as it does with a store in memory',
    async (_, scenario) => {
      const { from, to, world: reference } = await play(onPostgres(scenario));
      expect(reference.faults()).toEqual([]);
      const divergences: string[] = [];
      const writes = reference.mutations.flatMap((what, i) => (what.startsWith('store ') ? [i + 1] : []));
      // Each third write of the store, the three moments in turn: that all of them end well is proven in memory.
      const struck = writes.filter((at) => at >= from && at <= to).filter((_, n) => n % 3 === 0);
      for (const [n, at] of struck.entries()) {
        const what = reference.mutations[at - 1] ?? '';
        const when = WHENS[n % WHENS.length] ?? 'before';
        const [inMemory, stored] = [await play(scenario, { at, when }), await play(onPostgres(scenario), { at, when })];
        const ends = [inMemory.end, stored.end].map((end) => JSON.stringify(end));
        if (ends[0] !== ends[1]) divergences.push(`${when} ${at}: ${what}: ${ends.join(' but ')}`);
        if (stored.world.faults().length > 0) divergences.push(`${when} ${at}: ${stored.world.faults().join()}`);
      }
      expect(divergences).toEqual([]);
    },
    600_000,
  );
});
