import { sql } from 'kysely';
import type { Db } from '../backend.ts';
import type { Tables } from '../tables.ts';

type Row = Readonly<Record<string, unknown>>;

/** What a copy takes along, each table with the columns that order it. The schema's own version is the copy's. */
export const COPIED: Readonly<Record<Exclude<keyof Tables, 'schema_version'>, readonly [string, ...string[]]>> = {
  history: ['seq'],
  history_anchor: ['place'],
  prediction: ['seq'],
  prediction_minute: ['minute'],
  counter: ['name'],
  action: ['namespace', 'name'],
  incident: ['id'],
  target_lease: ['target'],
  blob: ['key'],
};
type Table = keyof typeof COPIED;

/** Models are tens of megabytes each. */
const PAGE_ROWS: Partial<Record<Table, number>> = { blob: 1 };
const USUAL_PAGE_ROWS = 500;

/** Copies every row of every table, within the transactions of both sides; the tables of `to` are empty. */
export async function copyRows(from: Db, to: Db): Promise<void> {
  for (const table of Object.keys(COPIED) as Table[]) {
    for await (const rows of pagesOf(from, table)) await insert(to, table, rows);
  }
}

/** How many rows there are that a person would miss. */
export async function rowsIn(db: Db): Promise<number> {
  let rows = 0;
  for (const table of ['history', 'prediction', 'action', 'incident'] as const) {
    const counted = db.selectFrom(table).select((e) => e.fn.countAll<number>().as('n'));
    rows += (await counted.executeTakeFirstOrThrow()).n;
  }
  return rows;
}

export async function emptyTables(db: Db): Promise<void> {
  for (const table of Object.keys(COPIED)) await sql`delete from ${sql.table(table)}`.execute(db);
}

/** All rows in order, a page at a time: each page begins behind the last row of the one before. */
async function* pagesOf(db: Db, table: Table): AsyncGenerator<readonly Row[]> {
  const keys = COPIED[table];
  const columns = sql.join(keys.map((key) => sql.ref(key)));
  const limit = sql.lit(PAGE_ROWS[table] ?? USUAL_PAGE_ROWS);
  let behind = sql``;
  for (;;) {
    const { rows } =
      await sql<Row>`select * from ${sql.table(table)} ${behind} order by ${columns} limit ${limit}`.execute(db);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    behind = sql`where (${columns}) > (${sql.join(keys.map((key) => last[key]))})`;
  }
}

async function insert(db: Db, table: Table, rows: readonly Row[]): Promise<void> {
  const [first = {}] = rows;
  const columns = Object.keys(first);
  const values = rows.map((row) => sql`(${sql.join(columns.map((column) => row[column]))})`);
  const names = sql.join(columns.map((column) => sql.ref(column)));
  await sql`insert into ${sql.table(table)} (${names}) values ${sql.join(values)}`.execute(db);
}
