import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import { StoreFault, type Db } from '../backend.ts';
import { exclusively, migratePostgres, POSTGRES_DIALECT, translated } from '../postgres-backend.ts';
import { APPLICATION_NAME, connectPostgres } from '../postgres-connection.ts';
import type { Target } from './restore.ts';

const LIMIT_MS = 600_000;

/** The database, once no running Aegis is connected to it; one that starts meanwhile waits for the write lock. */
export async function openPostgresTarget(url: string, nowMs: number): Promise<Target> {
  await migratePostgres({ url, nowMs: () => nowMs });
  const db = connectPostgres({ url, max: 1, answerTimeoutMs: LIMIT_MS });
  return {
    dialect: POSTGRES_DIALECT,
    replace: (run) =>
      translated(() =>
        exclusively(db, { durable: true, statementMs: LIMIT_MS }, async (transaction) => {
          await refuseWriters(transaction);
          await run(transaction);
        }),
      ),
    close: () => db.destroy(),
  };
}

/** A process that ended just now is a connection of the server's for a moment longer. */
const LEAVING_MS = 5_000;
const LOOK_EVERY_MS = 200;

/** A running Aegis keeps its connections, so it is seen here even when it is idle. */
async function refuseWriters(db: Db): Promise<void> {
  const untilMs = performance.now() + LEAVING_MS;
  let n = await writers(db);
  while (n > 0 && performance.now() < untilMs) {
    await wait(LOOK_EVERY_MS);
    n = await writers(db);
  }
  if (n > 0) throw new StoreFault('locked', `a running Aegis has ${n} connections to the database: stop it first`);
}

async function writers(db: Db): Promise<number> {
  // A transaction sees the connections as they were at its first look.
  await sql`select pg_stat_clear_snapshot()`.execute(db);
  const { rows } = await sql<{ n: number }>`select count(*) as n from pg_stat_activity
    where datname = current_database() and application_name = ${APPLICATION_NAME} and pid <> pg_backend_pid()`.execute(
    db,
  );
  return Number(rows[0]?.n ?? 0);
}
