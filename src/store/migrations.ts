import { sql } from 'kysely';
import { StoreFault, type Db } from './backend.ts';

/** One step of the schema. Numbers only grow, a released step is never edited. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly up: (db: Db, dialect: Dialect) => Promise<void>;
}

/** What differs between the databases in the schema itself. */
export interface Dialect {
  readonly bytesType: 'blob' | 'bytea';
  /** Rows of `prediction` number themselves. */
  readonly serial: 'integer' | 'bigserial';
  /** Makes the database itself refuse to change history. */
  readonly protectHistory: (db: Db) => Promise<void>;
  /** Takes that back, for the transaction that replaces everything. */
  readonly releaseHistory: (db: Db) => Promise<void>;
  /** New predictions are numbered after those that were put in with their numbers. */
  readonly renumber: (db: Db) => Promise<void>;
}

const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'history, predictions, ledger',
    up: async (db, dialect) => {
      await createHistory(db);
      await dialect.protectHistory(db);
      await createPredictions(db, dialect);
      await createLedger(db, dialect);
    },
  },
];

/** The schema that this program makes. */
export const LATEST_SCHEMA = MIGRATIONS.at(-1)?.version ?? 0;

async function createHistory(db: Db): Promise<void> {
  await db.schema
    .createTable('history')
    .addColumn('seq', 'bigint', (c) => c.primaryKey())
    .addColumn('entry', 'text', (c) => c.notNull())
    .addColumn('row_id', 'text', (c) => c.notNull())
    .addColumn('at_ms', 'bigint', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('incident_id', 'text')
    .addColumn('decision_id', 'text')
    .addColumn('action_name', 'text')
    .addColumn('namespace', 'text', (c) => c.notNull())
    .addColumn('workload', 'text', (c) => c.notNull())
    .addColumn('action', 'text')
    .addColumn('reason', 'text')
    .addColumn('message', 'text', (c) => c.notNull())
    .addColumn('facts', 'text', (c) => c.notNull())
    .addColumn('previous_hash', 'text', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('history_row').on('history').columns(['row_id', 'entry']).execute();
  await db.schema.createIndex('history_incident').on('history').columns(['incident_id', 'seq']).execute();
  await db.schema.createIndex('history_workload').on('history').columns(['namespace', 'workload', 'seq']).execute();
  await db.schema.createIndex('history_time').on('history').columns(['at_ms']).execute();
  await db.schema
    .createTable('history_anchor')
    .addColumn('place', 'text', (c) => c.primaryKey())
    .addColumn('seq', 'bigint', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull())
    .execute();
}

async function createPredictions(db: Db, dialect: Dialect): Promise<void> {
  await db.schema
    .createTable('prediction')
    .addColumn('seq', sql.raw(dialect.serial), (c) => c.primaryKey())
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('at_ms', 'bigint', (c) => c.notNull())
    .addColumn('model_type', 'text', (c) => c.notNull())
    .addColumn('severity_score', 'double precision', (c) => c.notNull())
    .addColumn('recommended_action', 'text', (c) => c.notNull())
    .addColumn('anomalous', 'integer', (c) => c.notNull())
    .addColumn('body', 'text', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('prediction_minute')
    .addColumn('minute', 'bigint', (c) => c.primaryKey())
    .addColumn('n', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('counter')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('value', 'bigint', (c) => c.notNull())
    .execute();
}

async function createLedger(db: Db, dialect: Dialect): Promise<void> {
  await db.schema
    .createTable('action')
    .addColumn('namespace', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('last_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('open', 'integer', (c) => c.notNull())
    .addColumn('body', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('action_key', ['namespace', 'name'])
    .execute();
  await db.schema.createIndex('action_time').on('action').columns(['open', 'last_at_ms']).execute();
  await db.schema
    .createTable('incident')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('updated_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('open', 'integer', (c) => c.notNull())
    .addColumn('body', 'text', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('incident_time').on('incident').columns(['open', 'updated_at_ms']).execute();
  await db.schema
    .createTable('target_lease')
    .addColumn('target', 'text', (c) => c.primaryKey())
    .addColumn('holder', 'text', (c) => c.notNull())
    .addColumn('until_ms', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('blob')
    .addColumn('key', 'text', (c) => c.primaryKey())
    .addColumn('bytes', sql.raw(dialect.bytesType), (c) => c.notNull())
    .addColumn('at_ms', 'bigint', (c) => c.notNull())
    .execute();
}

/** What the runner needs: a transaction in which schema changes are taken back with everything else. */
export type Transact = <T>(run: (db: Db) => Promise<T>) => Promise<T>;

export interface MigrationSetting {
  readonly dialect: Dialect;
  readonly nowMs: number;
  /** For tests; otherwise the steps above. */
  readonly migrations?: readonly Migration[];
}

/**
 * Brings the schema up to date, one transaction a step: a step that was interrupted left nothing behind and is simply
 * run again. Each looks anew how far the schema is, since another replica may have come first; `transact` lets one at a
 * time do so. A schema newer than this program is refused, since it may keep promises that this program breaks.
 * Returns the versions that were applied.
 */
export async function migrate(transact: Transact, setting: MigrationSetting): Promise<readonly number[]> {
  const steps = setting.migrations ?? MIGRATIONS;
  const latest = steps.at(-1)?.version ?? 0;
  const present = await transact(async (db) => {
    await db.schema
      .createTable('schema_version')
      .ifNotExists()
      .addColumn('version', 'integer', (c) => c.primaryKey())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('applied_at_ms', 'bigint', (c) => c.notNull())
      .execute();
    return schemaVersion(db);
  });
  if (present > latest) {
    throw new StoreFault('damaged', `the database has schema ${present}, this program knows up to ${latest}`);
  }
  const applied: number[] = [];
  for (const step of steps.filter((s) => s.version > present)) {
    await transact(async (db) => {
      if ((await schemaVersion(db)) >= step.version) return;
      await step.up(db, setting.dialect);
      await db
        .insertInto('schema_version')
        .values({ version: step.version, name: step.name, applied_at_ms: setting.nowMs })
        .execute();
      applied.push(step.version);
    });
  }
  return applied;
}

/** The newest step that was applied; 0: none. */
export async function schemaVersion(db: Db): Promise<number> {
  const row = await db
    .selectFrom('schema_version')
    .select((e) => e.fn.max('version').as('version'))
    .executeTakeFirst();
  return row?.version ?? 0;
}
