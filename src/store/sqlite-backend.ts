import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, SqliteDialect, sql } from 'kysely';
import { StoreFault, type Backend, type Db, type FaultCause } from './backend.ts';
import { migrate, type Dialect } from './migrations.ts';
import { kyselyDatabase } from './node-sqlite.ts';
import { createReserve } from './reserve.ts';
import type { Tables } from './tables.ts';

export interface SqliteSetting {
  /** Path of the database file, or `:memory:`. Its directory is created. */
  readonly file: string;
  readonly nowMs: () => number;
  /** Most bytes that the file may take; the database then answers `full`, as on a full disk. */
  readonly maxBytes?: number;
}

/** A lock held elsewhere stalls the whole process for at most this long; longer waits are retried asynchronously. */
const BUSY_TIMEOUT_MS = 20;
/** Written in one go, with the whole process: small enough that no request waits for it noticeably. */
const BATCH_ROWS = 128;
const PAGE_BYTES = 4096;
/** A write-ahead log beyond this is cut back at the next checkpoint. */
const WAL_LIMIT_BYTES = 64 * 1024 * 1024;

export const SQLITE_DIALECT: Dialect = {
  bytesType: 'blob',
  serial: 'integer',
  protectHistory: async (db) => {
    await sql`create trigger history_no_update before update on history
      begin select raise(abort, 'history is append-only'); end`.execute(db);
    await sql`create trigger history_no_delete before delete on history
      when old.seq >= coalesce((select seq from history_anchor where place = 'start'), 0)
      begin select raise(abort, 'history is append-only'); end`.execute(db);
  },
  releaseHistory: async (db) => {
    await sql`drop trigger history_no_update`.execute(db);
    await sql`drop trigger history_no_delete`.execute(db);
  },
  // A row without a number takes the one after the highest.
  renumber: () => Promise.resolve(),
};

/** SQLite in one file: write-ahead log, one connection, kysely's own queue in front of it. */
export function createSqliteBackend(setting: SqliteSetting): Backend {
  let open: { db: Db; inode: number | undefined } | undefined;
  const reserve = createReserve(setting.file);

  const session = async <T>(durability: 'durable' | 'batched', run: (db: Db) => Promise<T>): Promise<T> => {
    if (open === undefined) throw new StoreFault('unreachable', 'the database is not open');
    if (durability === 'durable') checkInode(setting.file, open.inode);
    return translated(() => transaction(current(open), durability, run));
  };

  return {
    batchRows: BATCH_ROWS,
    async open() {
      if (open !== undefined) return;
      const connected = translatedNow(() => connect(setting));
      try {
        await migrate((run) => translated(() => transaction(connected, 'durable', run)), {
          dialect: SQLITE_DIALECT,
          nowMs: setting.nowMs(),
        });
      } catch (fault) {
        await connected.destroy();
        throw fault;
      }
      open = { db: connected, inode: inodeOf(setting.file) };
    },
    async makeWay() {
      reserve.giveBack();
      // What is in the log goes to the file, and its room back to the disk: what follows needs a log of its own.
      if (open !== undefined) await sql`pragma wal_checkpoint(truncate)`.execute(open.db).catch(() => undefined);
    },
    keepRoom: () => reserve.keep(),
    write: session,
    read: (run) => {
      if (open === undefined) return Promise.reject(new StoreFault('unreachable', 'the database is not open'));
      const { db } = open;
      // One connection for the whole reading: no write comes between its queries.
      return translated(() => db.connection().execute(run));
    },
    async reset() {
      const gone = open;
      open = undefined;
      await gone?.db.destroy();
    },
    async close() {
      const gone = open;
      open = undefined;
      if (gone === undefined) return;
      // Fold the log into the file, so that a copy of the file alone is whole; not being able to is no loss.
      await sql`pragma wal_checkpoint(truncate)`.execute(gone.db).catch(() => undefined);
      await gone.db.destroy();
    },
  };
}

function connect(setting: SqliteSetting): Db {
  if (setting.file !== ':memory:') mkdirSync(dirname(setting.file), { recursive: true });
  const database = new DatabaseSync(setting.file, { enableForeignKeyConstraints: true });
  try {
    database.exec(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`);
    database.exec('pragma journal_mode = wal');
    database.exec('pragma synchronous = normal');
    database.exec('pragma foreign_keys = on');
    database.exec(`pragma journal_size_limit = ${WAL_LIMIT_BYTES}`);
    database.exec('pragma temp_store = memory');
    if (setting.maxBytes !== undefined) {
      database.exec(`pragma max_page_count = ${Math.floor(setting.maxBytes / PAGE_BYTES)}`);
    }
  } catch (fault) {
    database.close();
    throw fault;
  }
  return new Kysely<Tables>({ dialect: new SqliteDialect({ database: kyselyDatabase(database) }) });
}

function current(open: { db: Db } | undefined): Db {
  if (open === undefined) throw new StoreFault('unreachable', 'the database is not open');
  return open.db;
}

/**
 * Runs in one immediate transaction: the write lock is taken first, so that what was read cannot be stale when it is
 * written. Batched writes reach the disk with the next checkpoint, durable ones before this resolves.
 */
async function transaction<T>(db: Db, durability: 'durable' | 'batched', run: (db: Db) => Promise<T>): Promise<T> {
  return db.connection().execute(async (connection) => {
    if (durability === 'durable') await sql`pragma synchronous = full`.execute(connection);
    try {
      await sql`begin immediate`.execute(connection);
      try {
        const value = await run(connection);
        await sql`commit`.execute(connection);
        return value;
      } catch (fault) {
        // Some errors have rolled back already; then this one has nothing to say.
        await sql`rollback`.execute(connection).catch(() => undefined);
        throw fault;
      }
    } finally {
      // Closed meanwhile: a new connection sets it afresh.
      if (durability === 'durable') await sql`pragma synchronous = normal`.execute(connection).catch(() => undefined);
    }
  });
}

/** A file that was removed or replaced under us still takes writes, and loses them all: better to know. */
function checkInode(file: string, inode: number | undefined): void {
  if (file !== ':memory:' && inodeOf(file) !== inode) {
    throw new StoreFault('unreachable', 'the database file was removed or replaced');
  }
}

function inodeOf(file: string): number | undefined {
  if (file === ':memory:') return undefined;
  return statSync(file, { throwIfNoEntry: false })?.ino;
}

async function translated<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (fault) {
    throw toSqliteFault(fault);
  }
}

function translatedNow<T>(run: () => T): T {
  try {
    return run();
  } catch (fault) {
    throw toSqliteFault(fault);
  }
}

/** Primary result codes of SQLite; the low byte of `errcode`. */
const CAUSES: Readonly<Record<number, FaultCause>> = {
  3: 'read-only',
  5: 'locked',
  6: 'locked',
  8: 'read-only',
  10: 'unreachable',
  11: 'damaged',
  13: 'full',
  14: 'unreachable',
  18: 'constraint', // larger than a row may be
  19: 'constraint',
  20: 'constraint', // a value of another type
  26: 'damaged',
};

const SYSTEM_CAUSES: Readonly<Record<string, FaultCause>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EROFS: 'read-only',
  EACCES: 'read-only',
  EPERM: 'read-only',
  ERR_INVALID_STATE: 'unreachable',
};

export function toSqliteFault(fault: unknown): StoreFault {
  if (fault instanceof StoreFault) return fault;
  // Read by shape: an error may come from another realm, where it is no instance of our Error.
  const { errcode, code, message } = (fault ?? {}) as { errcode?: unknown; code?: unknown; message?: unknown };
  const text = typeof message === 'string' ? message : 'unknown fault';
  if (typeof errcode === 'number') return new StoreFault(CAUSES[errcode & 0xff] ?? 'other', text);
  return new StoreFault((typeof code === 'string' && SYSTEM_CAUSES[code]) || 'other', text);
}
