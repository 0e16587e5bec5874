import { expect, test } from '@jest/globals';
import type { KyselyPlugin } from 'kysely';
import { LATEST_SCHEMA, migrate, schemaVersion, type Dialect, type Transact } from '../../../src/store/migrations.ts';

/** A new database, and the transactions in which its backend changes the schema. */
export interface MigrationBench {
  readonly dialect: Dialect;
  readonly transact: Transact;
  /** Names of all tables that there are. */
  tables(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Ends everything at the n-th statement, as a kill between two statements does. */
function endsAt(n: number, bench: MigrationBench): { readonly transact: Transact; readonly statements: () => number } {
  let statements = 0;
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => {
      statements += 1;
      if (statements === n) throw new Error('killed');
      return node;
    },
    transformResult: ({ result }) => Promise.resolve(result),
  };
  return { transact: (run) => bench.transact((db) => run(db.withPlugin(plugin))), statements: () => statements };
}

export function migrationSuite(aBench: () => Promise<MigrationBench>): void {
  test('killed before each of its statements it leaves nothing half done, and resumes', async () => {
    const whole = await aBench();
    const counted = endsAt(Infinity, whole);
    await migrate(counted.transact, { dialect: whole.dialect, nowMs: 1 });
    const expected = await whole.tables();
    await whole.close();
    expect(counted.statements()).toBeGreaterThan(20);

    for (let n = 1; n <= counted.statements(); n += 1) {
      const bench = await aBench();
      const setting = { dialect: bench.dialect, nowMs: 1 };
      await expect(migrate(endsAt(n, bench).transact, setting)).rejects.toThrow('killed');
      const left = await bench.tables();
      expect(left.length === 0 || left.length === 1 || left.length === expected.length).toBe(true);
      await migrate(bench.transact, setting);
      expect(await bench.tables()).toEqual(expected);
      expect(await bench.transact(schemaVersion)).toBe(LATEST_SCHEMA);
      await bench.close();
    }
  });
}
