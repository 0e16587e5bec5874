import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { exclusively, POSTGRES_DIALECT } from '../../src/store/postgres-backend.ts';
import { connectPostgres } from '../../src/store/postgres-connection.ts';
import { LATEST_SCHEMA, migrate, type Migration } from '../../src/store/migrations.ts';
import { createPostgresStore } from '../../src/store/store.ts';
import { hasPostgres, postgresServer } from '../support/postgres.ts';
import { realClock } from '../support/real-clock.ts';
import { recordedLog, recordedMetrics } from '../support/recorders.ts';
import { migrationSuite } from '../support/suites/migrations.ts';
import { query } from '../support/suites/postgres-database.ts';

const TABLES = `select table_name as name from information_schema.tables where table_schema = 'public' order by 1`;
const LIMITS = { durable: true, statementMs: 60_000 };

(hasPostgres ? describe : describe.skip)('the schema on PostgreSQL', () => {
  const server = postgresServer();
  const connect = (url: string) => connectPostgres({ url, max: 1, answerTimeoutMs: 60_000 });
  const open = (url: string, log = recordedLog()) =>
    createPostgresStore({ url, clock: realClock(), log, metrics: recordedMetrics() });

  migrationSuite(async () => {
    const url = await server().createDatabase();
    const db = connect(url);
    return {
      dialect: POSTGRES_DIALECT,
      transact: (run) => exclusively(db, LIMITS, run),
      tables: async () => (await query(url, TABLES)).map(({ name }) => String(name)),
      close: () => db.destroy(),
    };
  });

  test('the connection ends in the middle of a step: the step is taken back, and the rows from before stay', async () => {
    const url = await server().createDatabase();
    const step = (version: number, ends: boolean): Migration => ({
      version,
      name: `step ${version}`,
      up: async (db) => {
        await sql.raw(`create table t${version} (a integer)`).execute(db);
        await sql.raw(`insert into t${version} values (${version})`).execute(db);
        if (ends) await sql`select pg_terminate_backend(pg_backend_pid())`.execute(db);
      },
    });
    const run = async (ends: boolean): Promise<readonly number[]> => {
      const db = connect(url);
      const migrations = [step(1, false), step(2, ends), step(3, false)];
      try {
        return await migrate((inside) => exclusively(db, LIMITS, inside), {
          ...{ dialect: POSTGRES_DIALECT, nowMs: 1, migrations },
        });
      } finally {
        await db.destroy();
      }
    };
    await expect(run(true)).rejects.toThrow(/terminat/);
    expect((await query(url, TABLES)).map(({ name }) => name)).toEqual(['schema_version', 't1']);
    expect(await run(false)).toEqual([2, 3]);
    expect(await query(url, 'select a from t1 union select a from t2 order by 1')).toEqual([{ a: 1 }, { a: 2 }]);
  });

  test('replicas that start together make it once', async () => {
    const url = await server().createDatabase();
    const stores = await Promise.all(Array.from({ length: 8 }, () => open(url)));
    expect(stores.map((store) => store.healthy())).toEqual(stores.map(() => true));
    expect(await query(url, 'select version from schema_version')).toEqual([{ version: LATEST_SCHEMA }]);
    await Promise.all(stores.map((store) => store.close()));
  });

  test('one from the future is refused and left as it is', async () => {
    const url = await server().createDatabase();
    await (await open(url)).close();
    await query(url, `insert into schema_version values (999, 'from the future', 0)`);
    const log = recordedLog();
    const store = await open(url, log);
    expect(store.healthy()).toBe(false);
    expect(log.lines.map(({ facts }) => String(facts['error'])).join()).toContain('schema 999');
    await store.close();
  });

  test('the documented role reads everything, tables to come included, and writes nothing', async () => {
    const url = await server().createDatabase();
    await (await open(url)).close();
    const page = readFileSync(join(import.meta.dirname, '../../docs/database.md'), 'utf8');
    const [, documented = ''] = /read-only role: a test runs this -->\s*```sql\n([\s\S]*?)```/.exec(page) ?? [];
    expect(documented).toContain('grant select');
    await query(url, documented.replace("'...'", "'reader'"));
    await query(url, 'create table of_the_next_release (a integer)');

    const reader = new URL(url);
    [reader.username, reader.password] = ['aegis_reader', 'reader'];
    const names = (await query(url, TABLES)).map(({ name }) => String(name));
    expect(names).toContain('history');
    for (const name of names) {
      expect(await query(reader.href, `select count(*)::int as n from ${name}`)).toHaveLength(1);
      for (const write of [`delete from ${name}`, `truncate ${name}`, `drop table ${name}`]) {
        await expect(query(reader.href, write)).rejects.toThrow(
          /read-only transaction|permission denied|must be owner/,
        );
        const insistent = `begin read write; ${write}; commit`;
        await expect(query(reader.href, insistent)).rejects.toThrow(/permission denied|must be owner/);
      }
    }
    await expect(query(reader.href, 'begin read write; create table mine (a integer); commit')).rejects.toThrow(
      /permission denied/,
    );
  });
});
