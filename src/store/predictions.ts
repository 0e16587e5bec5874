import type { ListedPrediction, Prediction, PredictionStats } from '../controller/store-ports.ts';
import { type CompiledQuery, type Insertable, type Kysely, type Selectable } from 'kysely';
import type { Db } from './backend.ts';
import type { PredictionTable, Tables } from './tables.ts';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;

/** What the counters call their rows. */
type CounterName = 'predictions' | 'anomalies' | 'failures';

/** How many of what kind: kept in memory for rows that wait, in the database for rows that are stored. */
export interface PredictionCounts {
  readonly total: number;
  readonly anomalies: number;
  readonly failures: number;
}

export function countPredictions(rows: readonly Prediction[]): PredictionCounts {
  let anomalies = 0;
  let failures = 0;
  for (const row of rows) {
    if (!row.anomalous) continue;
    if (row.modelType === 'anomaly') anomalies += 1;
    else failures += 1;
  }
  return { total: rows.length, anomalies, failures };
}

/**
 * Writes a batch and moves the counters with it, in the caller's transaction: the statistics are read from a handful
 * of rows, however many predictions there are.
 */
export async function insertPredictions(
  db: Db,
  rows: readonly Prediction[],
  insertRows: InsertRows = insertInStatements,
): Promise<void> {
  await insertRows(db, rows.map(toRow));
  const minutes = new Map<number, number>();
  for (const { atMs } of rows) {
    const minute = Math.floor(atMs / MINUTE_MS);
    minutes.set(minute, (minutes.get(minute) ?? 0) + 1);
  }
  for (const [minute, n] of minutes) {
    await db
      .insertInto('prediction_minute')
      .values({ minute, n })
      .onConflict((c) => c.column('minute').doUpdateSet((e) => ({ n: e('prediction_minute.n', '+', n) })))
      .execute();
  }
  const { total, anomalies, failures } = countPredictions(rows);
  const counters = Object.entries({ predictions: total, anomalies, failures } satisfies Record<CounterName, number>);
  await db
    .insertInto('counter')
    .values(counters.map(([name, value]) => ({ name, value })))
    .onConflict((c) =>
      c.column('name').doUpdateSet((e) => ({ value: e('counter.value', '+', e.ref('excluded.value')) })),
    )
    .execute();
}

/**
 * True when the batch is in the database although its writer was told of a fault: the answer to the commit was lost. A
 * batch is written whole or not at all, so its first row tells. Looks at the newest rows only.
 */
export async function isStored(db: Db, rows: readonly Prediction[]): Promise<boolean> {
  const newest = await edgeOf(db, 'desc');
  const [first] = rows;
  if (newest === undefined || first === undefined) return false;
  const found = await db
    .selectFrom('prediction')
    .select('seq')
    .where('seq', '>', newest.seq - LOOK_BACK_ROWS)
    .where('id', '=', first.id)
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}

/** A prediction as its table has it. */
type PredictionRow = Insertable<PredictionTable>;
/** How the rows of a batch are written, where a database has a better way than statements of several rows. */
export type InsertRows = (db: Db, rows: readonly PredictionRow[]) => Promise<void>;

const toRow = (row: Prediction): PredictionRow => ({
  id: row.id,
  at_ms: Math.round(row.atMs),
  model_type: row.modelType,
  severity_score: row.severityScore,
  recommended_action: row.recommendedAction,
  anomalous: row.anomalous ? 1 : 0,
  body: row.body,
});

async function insertInStatements(db: Db, rows: readonly PredictionRow[]): Promise<void> {
  for (let at = 0; at < rows.length;) {
    const size = ROWS_OF_A_STATEMENT.find((n) => n <= rows.length - at) ?? 1;
    const parameters = rows.slice(at, at + size).flatMap((row) => Object.values(row));
    await db.executeQuery({ ...insertOf(db, size), parameters });
    at += size;
  }
}

/** A batch is cut into these: few round trips, and few statements to keep prepared. */
const ROWS_OF_A_STATEMENT = [64, 8, 1];
const LOOK_BACK_ROWS = 20_000;

/** Compiled once for each database and size: building the statement anew costs more than running it. */
const inserts = new WeakMap<object, Map<number, CompiledQuery>>();

function insertOf(db: Kysely<Tables>, size: number): CompiledQuery {
  // One a dialect, whichever connection the transaction has.
  const { adapter } = db.getExecutor();
  const known = inserts.get(adapter) ?? new Map<number, CompiledQuery>();
  inserts.set(adapter, known);
  const compiled = known.get(size) ?? compileInsert(db, size);
  known.set(size, compiled);
  return compiled;
}

function compileInsert(db: Kysely<Tables>, size: number): CompiledQuery {
  // In the order of `toRow`.
  const row: PredictionRow = {
    id: '',
    at_ms: 0,
    model_type: '',
    severity_score: 0,
    recommended_action: '',
    anomalous: 0,
    body: '',
  };
  return db
    .insertInto('prediction')
    .values(Array.from({ length: size }, () => row))
    .compile();
}

/**
 * Newest first: what waits, then what is stored, after the row with the given cursor. The cursor of a stored row is its
 * number; a row that waits has none yet, so its cursor is its id with the highest number that is below it.
 */
export async function listPredictions(
  db: Db,
  waiting: readonly Prediction[],
  limit: number,
  after?: string,
): Promise<readonly ListedPrediction[]> {
  const place = after === undefined ? undefined : await placeOf(db, waiting, after);
  const unstored = place === undefined ? waiting : waiting.slice(0, place.waiting);
  const newest = unstored.slice(-limit).reverse();
  const top = newest.length === 0 ? 0 : ((await edgeOf(db, 'desc'))?.seq ?? 0);
  const listed: ListedPrediction[] = newest.map((row) => ({ ...row, cursor: `${top}.${row.id}` }));
  if (listed.length === limit) return listed;
  let select = db.selectFrom('prediction').selectAll();
  if (place?.below !== undefined) select = select.where('seq', '<', place.below);
  const rows = await select
    .orderBy('seq', 'desc')
    .limit(limit + newest.length)
    .execute();
  // A row may have been stored since the waiting ones were looked at.
  const known = new Set(unstored.map(({ id }) => id));
  for (const row of rows) if (listed.length < limit && !known.has(row.id)) listed.push(toPrediction(row));
  return listed;
}

/** Where a page goes on: how many of the waiting rows are older, and below which number the stored ones are. */
async function placeOf(
  db: Db,
  waiting: readonly Prediction[],
  cursor: string,
): Promise<{ readonly waiting: number; readonly below?: number }> {
  const [digits = '0', id] = cursor.split('.');
  const seq = Number(digits);
  if (id === undefined) return { waiting: 0, below: seq };
  const at = waiting.findIndex((row) => row.id === id);
  if (at >= 0) return { waiting: at };
  // It was stored meanwhile, just above the highest number of that time, or was dropped.
  const stored = await db
    .selectFrom('prediction')
    .select('seq')
    .where('seq', '>', seq)
    .where('id', '=', id)
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst();
  return { waiting: 0, below: stored?.seq ?? seq + 1 };
}

const toPrediction = (row: Selectable<PredictionTable>): ListedPrediction => ({
  id: row.id,
  atMs: row.at_ms,
  modelType: row.model_type === 'failure' ? 'failure' : 'anomaly',
  severityScore: row.severity_score,
  recommendedAction: row.recommended_action,
  anomalous: row.anomalous === 1,
  body: row.body,
  cursor: String(row.seq),
});

/** The last 24 h are counted in whole minutes, the one that began 24 h ago left out. */
export async function predictionStats(db: Db, nowMs: number): Promise<PredictionStats> {
  const counters = await db.selectFrom('counter').selectAll().execute();
  const value = (name: CounterName) => counters.find((counter) => counter.name === name)?.value ?? 0;
  const day = await db
    .selectFrom('prediction_minute')
    .select((e) => e.fn.sum<number>('n').as('n'))
    .where('minute', '>', Math.floor(nowMs / MINUTE_MS) - DAY_MINUTES)
    .executeTakeFirst();
  return {
    total: value('predictions'),
    last24h: day?.n ?? 0,
    anomalies: value('anomalies'),
    failures: value('failures'),
  };
}

/** Which predictions may go. The counters stay: they count what was ever predicted. */
export interface PredictionRetention {
  readonly maxRows: number;
  readonly maxAgeMs: number;
}

/** Removes at most `most` of the oldest rows that are too many or too old, and minutes beyond two days. */
export async function prunePredictions(
  db: Db,
  retention: PredictionRetention,
  nowMs: number,
  most: number,
): Promise<number> {
  const newest = await edgeOf(db, 'desc');
  const oldest = await edgeOf(db, 'asc');
  if (newest === undefined || oldest === undefined) return 0;
  let below = Math.min(newest.seq - retention.maxRows + 1, oldest.seq + most);
  if (below <= oldest.seq && oldest.at_ms < nowMs - retention.maxAgeMs) {
    below = await firstYoung(db, nowMs - retention.maxAgeMs, oldest.seq + most);
  }
  if (below <= oldest.seq) return 0;
  const gone = await db.deleteFrom('prediction').where('seq', '<', below).executeTakeFirst();
  await db
    .deleteFrom('prediction_minute')
    .where('minute', '<', Math.floor(nowMs / MINUTE_MS) - 2 * DAY_MINUTES)
    .execute();
  return Number(gone.numDeletedRows);
}

/** What a row takes, by the newest and the oldest of them; the larger of both. */
export async function averageBytes(db: Db): Promise<number> {
  let most = ROW_BYTES;
  for (const order of ['asc', 'desc'] as const) {
    const rows = db.selectFrom('prediction').select('body').orderBy('seq', order).limit(SAMPLED_ROWS).as('sampled');
    const found = await db
      .selectFrom(rows)
      .select((e) => e.fn.avg<number | null>(e.fn('length', ['body'])).as('bytes'))
      .executeTakeFirst();
    most = Math.max(most, ROW_BYTES + (found?.bytes ?? 0));
  }
  return most;
}

/** Of everything but the body, in the row, its key and the page around it. */
const ROW_BYTES = 160;
const SAMPLED_ROWS = 100;

/** The first number up to `bound` that is young enough to stay. */
async function firstYoung(db: Db, youngFromMs: number, bound: number): Promise<number> {
  const young = await db
    .selectFrom('prediction')
    .select('seq')
    .where('seq', '<', bound)
    .where('at_ms', '>=', youngFromMs)
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst();
  return young?.seq ?? bound;
}

function edgeOf(db: Db, order: 'asc' | 'desc'): Promise<{ seq: number; at_ms: number } | undefined> {
  return db.selectFrom('prediction').select(['seq', 'at_ms']).orderBy('seq', order).limit(1).executeTakeFirst();
}
