import { DatabaseSync } from 'node:sqlite';
import { Kysely, SqliteDialect } from 'kysely';
import { StoreFault, type Db } from '../backend.ts';
import { migrate } from '../migrations.ts';
import { kyselyDatabase } from '../node-sqlite.ts';
import { SQLITE_DIALECT, toSqliteFault } from '../sqlite-backend.ts';
import type { Tables } from '../tables.ts';
import type { Target } from './restore.ts';

/**
 * The file, held so that no other process can read or write it. Leaving the write-ahead log is only granted to the one
 * connection that there is, so an Aegis that has the file open is found even when it is idle.
 */
export async function openSqliteTarget(file: string, nowMs: number): Promise<Target> {
  const database = new DatabaseSync(file, { enableForeignKeyConstraints: true });
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: kyselyDatabase(database) }) });
  const transact = <T>(run: (db: Db) => Promise<T>): Promise<T> => db.transaction().execute(run);
  try {
    database.exec('pragma locking_mode = exclusive');
    if (database.prepare('pragma journal_mode = delete').get()?.['journal_mode'] !== 'delete') throw inUse(file);
    database.exec('pragma synchronous = full');
    // Takes the lock, which this connection keeps to its end.
    database.exec('begin exclusive; commit');
    await migrate(transact, { dialect: SQLITE_DIALECT, nowMs });
  } catch (fault) {
    database.close();
    throw toSqliteFault(fault).cause === 'locked' ? inUse(file) : fault;
  }
  return { dialect: SQLITE_DIALECT, replace: transact, close: () => Promise.resolve(database.close()) };
}

const inUse = (file: string): StoreFault =>
  new StoreFault('locked', `another process has ${file} open: stop Aegis first`);
