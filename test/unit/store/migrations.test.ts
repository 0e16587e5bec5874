import { describe, expect, test } from '@jest/globals';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, SqliteDialect, sql } from 'kysely';
import type { Db } from '../../../src/store/backend.ts';
import { migrate, type Dialect, type Migration, type Transact } from '../../../src/store/migrations.ts';
import { kyselyDatabase } from '../../../src/store/node-sqlite.ts';
import { SQLITE_DIALECT } from '../../../src/store/sqlite-backend.ts';
import type { Tables } from '../../../src/store/tables.ts';
import { migrationSuite } from '../../support/suites/migrations.ts';

const nothing = (): Promise<void> => Promise.resolve();
const dialect: Dialect = {
  bytesType: 'blob',
  serial: 'integer',
  protectHistory: nothing,
  releaseHistory: nothing,
  renumber: nothing,
};

const open = (): { db: Db; transact: Transact } => {
  const db = new Kysely<Tables>({
    dialect: new SqliteDialect({ database: kyselyDatabase(new DatabaseSync(':memory:')) }),
  });
  return { db, transact: (run) => db.transaction().execute(run) };
};

const step = (version: number, table: string, fail = false): Migration => ({
  version,
  name: table,
  up: async (db) => {
    await sql.raw(`create table ${table} (a integer)`).execute(db);
    if (fail) throw new Error('the power went');
  },
});

describe('migrations', () => {
  test('run once, in order', async () => {
    const { db, transact } = open();
    expect(await migrate(transact, { dialect, nowMs: 1 })).toEqual([1]);
    expect(await migrate(transact, { dialect, nowMs: 2 })).toEqual([]);
    await db.destroy();
  });

  test('one that was interrupted leaves nothing behind and is run again with those after it', async () => {
    const { db, transact } = open();
    const broken = [step(1, 'one'), step(2, 'two', true), step(3, 'three')];
    await expect(migrate(transact, { dialect, nowMs: 1, migrations: broken })).rejects.toThrow('the power went');
    const whole = [step(1, 'one'), step(2, 'two'), step(3, 'three')];
    expect(await migrate(transact, { dialect, nowMs: 2, migrations: whole })).toEqual([2, 3]);
    await db.destroy();
  });

  test('a schema from the future is refused', async () => {
    const { db, transact } = open();
    await migrate(transact, { dialect, nowMs: 1, migrations: [step(1, 'one'), step(2, 'two')] });
    await expect(migrate(transact, { dialect, nowMs: 1, migrations: [step(1, 'one')] })).rejects.toMatchObject({
      cause: 'damaged',
    });
    await db.destroy();
  });
});

migrationSuite(() => {
  const database = new DatabaseSync(':memory:');
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: kyselyDatabase(database) }) });
  return Promise.resolve({
    dialect: SQLITE_DIALECT,
    transact: (run) => db.transaction().execute(run),
    tables: () => {
      const rows = database.prepare(`select name from sqlite_master where type = 'table' order by name`).all();
      return Promise.resolve(rows.map(({ name }) => String(name)));
    },
    close: () => db.destroy(),
  });
});
