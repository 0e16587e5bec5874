import { sql } from 'kysely';
import { StoreFault, type Backend, type Db } from './backend.ts';
import { migrate, type Dialect } from './migrations.ts';
import { connectPostgres } from './postgres-connection.ts';
import type { InsertRows } from './predictions.ts';
import { toPostgresFault } from './postgres-faults.ts';

export interface PostgresSetting {
  /** `postgres://user:password@host:port/database?sslmode=verify-full`; never logged. */
  readonly url: string;
  readonly nowMs: () => number;
}

/** Of all advisory locks of the database the one that every writing transaction of Aegis holds. */
const WRITE_LOCK = 0x4145_4749; // "AEGI"
const READERS = 3;
/** Round trips are what a batch costs, not rows. */
const BATCH_ROWS = 1_000;
/** A statement takes no longer; the server ends it. */
const STATEMENT_TIMEOUT_MS = 5_000;
/** How long another writer is waited for before the write is `locked`; it is tried again outside of the database. */
const LOCK_TIMEOUT_MS = 1_000;
/** A replica that was frozen in the middle of a transaction keeps others waiting no longer than this. */
const IDLE_TIMEOUT_MS = 5_000;
/** An answer that does not come at all, since the server's machine is gone, is given up after the server would have. */
const ANSWER_TIMEOUT_MS = 8_000;
/** Schema changes on large tables take their time; others wait for their end with short, repeated waits. */
const MIGRATION_TIMEOUT_MS = 600_000;

interface Limits {
  readonly durable: boolean;
  readonly statementMs: number;
}

export const POSTGRES_DIALECT: Dialect = {
  bytesType: 'bytea',
  serial: 'bigserial',
  protectHistory: async (db) => {
    await sql`create or replace function history_is_append_only() returns trigger language plpgsql as $$
      begin
        if tg_op = 'DELETE' then
          if old.seq < coalesce((select seq from history_anchor where place = 'start'), 0) then return old; end if;
        end if;
        raise exception 'history is append-only' using errcode = 'integrity_constraint_violation';
      end $$`.execute(db);
    await sql`create trigger history_no_change before update or delete on history
      for each row execute function history_is_append_only()`.execute(db);
    await sql`create trigger history_no_truncate before truncate on history
      for each statement execute function history_is_append_only()`.execute(db);
  },
  releaseHistory: async (db) => {
    await sql`drop trigger history_no_change on history`.execute(db);
    await sql`drop trigger history_no_truncate on history`.execute(db);
  },
  renumber: async (db) => {
    await sql`select setval(pg_get_serial_sequence('prediction', 'seq'),
      (select coalesce(max(seq), 0) + 1 from prediction), false)`.execute(db);
  },
};

/**
 * PostgreSQL, shared by any number of replicas. One writer at a time among all of them, by an advisory lock of the
 * transaction: as with SQLite, what a write has read is still so when it is written. All that a session must know is
 * set in each transaction, so that a pooler in between does no harm.
 */
export function createPostgresBackend(setting: PostgresSetting): Backend {
  let open: { readonly writer: Db; readonly reader: Db } | undefined;
  let onLost: (fault: StoreFault) => void = () => undefined;
  let lastWrite: Promise<unknown> = Promise.resolve();

  const connected = (): { readonly writer: Db; readonly reader: Db } => {
    if (open === undefined) throw new StoreFault('unreachable', 'the database is not connected');
    return open;
  };

  /** Writes of this process wait for one another here and not for a connection, whose wait is limited. */
  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    const turn = lastWrite.then(run, run);
    lastWrite = turn.catch(() => undefined);
    return turn;
  };

  return {
    batchRows: BATCH_ROWS,
    insertPredictions: insertArrays,
    async open() {
      if (open !== undefined) return;
      await migratePostgres(setting);
      const connect = (max: number): Db =>
        connectPostgres({
          ...{ url: setting.url, max, answerTimeoutMs: ANSWER_TIMEOUT_MS },
          onLost: (fault) => onLost(toPostgresFault(fault)),
        });
      open = { writer: connect(1), reader: connect(READERS) };
    },
    write: (durability, run) =>
      inTurn(() =>
        translated(() =>
          exclusively(
            connected().writer,
            { durable: durability === 'durable', statementMs: STATEMENT_TIMEOUT_MS },
            run,
          ),
        ),
      ),
    read: (run) => translated(() => consistently(connected().reader, STATEMENT_TIMEOUT_MS, run)),
    onLost: (listener) => {
      onLost = listener;
    },
    reset() {
      const gone = open;
      open = undefined;
      // Not waited for: what hangs on the old connections runs into its own time limit.
      void Promise.allSettled([gone?.writer.destroy(), gone?.reader.destroy()]);
      return Promise.resolve();
    },
    async close() {
      const gone = open;
      open = undefined;
      onLost = () => undefined;
      await Promise.allSettled([gone?.writer.destroy(), gone?.reader.destroy()]);
    },
  };
}

/** Brings the schema up to date on a connection of its own, since it may take longer than anything else. */
export async function migratePostgres(setting: PostgresSetting): Promise<void> {
  const db = connectPostgres({ url: setting.url, max: 1, answerTimeoutMs: MIGRATION_TIMEOUT_MS });
  const limits = { durable: true, statementMs: MIGRATION_TIMEOUT_MS };
  try {
    await migrate((run) => translated(() => exclusively(db, limits, run)), {
      dialect: POSTGRES_DIALECT,
      nowMs: setting.nowMs(),
    });
  } finally {
    await db.destroy();
  }
}

/** A transaction that no other writer of Aegis is in, on any replica. */
export function exclusively<T>(db: Db, limits: Limits, run: (db: Db) => Promise<T>): Promise<T> {
  return db.transaction().execute(async (transaction) => {
    // In this order: the limits hold for the lock already.
    await sql`select
      set_config('synchronous_commit', ${limits.durable ? 'on' : 'off'}, true),
      set_config('lock_timeout', ${String(LOCK_TIMEOUT_MS)}, true),
      set_config('statement_timeout', ${String(limits.statementMs)}, true),
      set_config('idle_in_transaction_session_timeout', ${String(IDLE_TIMEOUT_MS)}, true),
      pg_advisory_xact_lock(${WRITE_LOCK})`.execute(transaction);
    return run(transaction);
  });
}

/** Everything that is read in it is of one moment. */
export function consistently<T>(db: Db, statementMs: number, run: (db: Db) => Promise<T>): Promise<T> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (transaction) => {
      await sql`select set_config('statement_timeout', ${String(statementMs)}, true)`.execute(transaction);
      return run(transaction);
    });
}

export async function translated<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (fault) {
    throw toPostgresFault(fault);
  }
}

/** One statement however many rows: each column is an array. */
const insertArrays: InsertRows = async (db, rows) => {
  const column = <K extends keyof (typeof rows)[number]>(name: K) => rows.map((row) => row[name]);
  await sql`insert into prediction (id, at_ms, model_type, severity_score, recommended_action, anomalous, body)
    select * from unnest(
      ${column('id')}::text[], ${column('at_ms')}::bigint[], ${column('model_type')}::text[],
      ${column('severity_score')}::double precision[], ${column('recommended_action')}::text[],
      ${column('anomalous')}::integer[], ${column('body')}::text[])`.execute(db);
};
