import { messageOf } from '../lib/thrown.ts';
import type { HistoryOutcome, HistoryRow } from '../controller/store-ports.ts';
import { StoreFault, type Db } from './backend.ts';
import { brokenLink, chain, GENESIS, hashOf, type ChainCheck, type Unchained } from './history-chain.ts';
import type { HistoryTable } from './tables.ts';

const PAGE = 1_000;

export interface HistoryQuery {
  readonly limit: number;
  readonly namespace?: string;
  readonly workload?: string;
  readonly incidentId?: string;
  readonly id?: string;
}

/**
 * Appends rows at the head of the chain, within the caller's transaction. A row that is there already with the same
 * content is not written again, so a caller whose answer was lost may simply repeat; with other content it is refused.
 */
export async function appendRows(db: Db, rows: readonly HistoryRow[]): Promise<readonly HistoryRow[]> {
  const fresh: HistoryRow[] = [];
  for (const row of rows) {
    const known = await findEntry(db, row.id);
    if (known === undefined) fresh.push(row);
    else if (!sameContent(known, toEntry(row, known.seq))) {
      throw new StoreFault('constraint', `history row ${row.id} exists with other content`);
    }
  }
  await append(
    db,
    fresh.map((row) => (seq: number) => toEntry(row, seq)),
  );
  return fresh;
}

/**
 * Appends the outcome of a row. The row itself stays as it is; of several outcomes the last one is shown. The same
 * outcome again is not written again: whoever lost the answer may repeat it.
 */
export async function appendOutcome(db: Db, id: string, outcome: HistoryOutcome): Promise<void> {
  const row = await findEntry(db, id);
  if (row === undefined) throw new StoreFault('constraint', `there is no history row ${id}`);
  const entry = (seq: number): Unchained => ({
    ...toEntry(fromEntry(row), seq),
    entry: 'outcome',
    at_ms: Math.round(outcome.atMs),
    reason: storable(outcome.reason ?? null),
    message: storable(outcome.message),
    facts: '{}',
  });
  const last = await findEntry(db, id, 'outcome');
  if (last !== undefined && sameContent(last, entry(last.seq))) return;
  await append(db, [entry]);
}

/** Newest first, each with its last outcome. */
export async function readHistory(db: Db, query: HistoryQuery): Promise<readonly HistoryRow[]> {
  let select = db.selectFrom('history').selectAll().where('entry', '=', 'row');
  if (query.namespace !== undefined) select = select.where('namespace', '=', query.namespace);
  if (query.workload !== undefined) select = select.where('workload', '=', query.workload);
  if (query.incidentId !== undefined) select = select.where('incident_id', '=', query.incidentId);
  if (query.id !== undefined) select = select.where('row_id', '=', query.id);
  const rows = await select.orderBy('seq', 'desc').limit(query.limit).execute();
  const outcomes = await outcomesOf(
    db,
    rows.map((row) => row.row_id),
  );
  return rows.map((row) => {
    const outcome = outcomes.get(row.row_id);
    return outcome === undefined ? fromEntry(row) : { ...fromEntry(row), outcome };
  });
}

/** Walks the whole chain, a page at a time, from the anchor that retention left to the recorded head. */
export async function verifyChain(db: Db): Promise<ChainCheck> {
  const start = await anchor(db, 'start');
  const head = await anchor(db, 'head');
  let seq = start?.seq ?? 1;
  let hash = start?.hash ?? GENESIS;
  let entries = 0;
  for (;;) {
    const page = await db
      .selectFrom('history')
      .selectAll()
      .where('seq', '>=', seq)
      .orderBy('seq')
      .limit(PAGE)
      .execute();
    for (const entry of page) {
      const problem = brokenLink(entry, seq, hash);
      if (problem !== undefined) return { ok: false, seq, problem };
      hash = entry.hash;
      seq += 1;
      entries += 1;
    }
    if (page.length < PAGE) break;
  }
  if (hash !== (head?.hash ?? GENESIS)) return { ok: false, seq, problem: 'the end of the chain is missing' };
  return { ok: true, entries, head: hash };
}

/**
 * Retention: removes at most `most` of the oldest entries that are older than `beforeMs` and remembers the hash from
 * which the rest goes on. Entries go in order, so one young entry keeps all after it.
 */
export async function pruneHistory(db: Db, beforeMs: number, most: number): Promise<number> {
  const start = (await anchor(db, 'start')) ?? { seq: 1, hash: GENESIS };
  const oldest = await db
    .selectFrom('history')
    .select(['seq', 'at_ms', 'hash'])
    .where('seq', '>=', start.seq)
    .orderBy('seq')
    .limit(most)
    .execute();
  const young = oldest.findIndex((entry) => entry.at_ms >= beforeMs);
  const gone = young < 0 ? oldest : oldest.slice(0, young);
  const last = gone.at(-1);
  if (last === undefined) return 0;
  await setAnchor(db, 'start', last.seq + 1, last.hash);
  await db.deleteFrom('history').where('seq', '<=', last.seq).execute();
  return gone.length;
}

async function append(db: Db, makers: readonly ((seq: number) => Unchained)[]): Promise<void> {
  if (makers.length === 0) return;
  const head = (await anchor(db, 'head')) ?? { seq: 0, hash: GENESIS };
  let { seq, hash } = head;
  for (const make of makers) {
    seq += 1;
    const entry = chain(make(seq), hash);
    hash = entry.hash;
    await db.insertInto('history').values(entry).execute();
  }
  await setAnchor(db, 'head', seq, hash);
}

function anchor(db: Db, place: 'start' | 'head'): Promise<{ seq: number; hash: string } | undefined> {
  return db.selectFrom('history_anchor').select(['seq', 'hash']).where('place', '=', place).executeTakeFirst();
}

async function setAnchor(db: Db, place: 'start' | 'head', seq: number, hash: string): Promise<void> {
  await db
    .insertInto('history_anchor')
    .values({ place, seq, hash })
    .onConflict((c) => c.column('place').doUpdateSet({ seq, hash }))
    .execute();
}

/** The row, or its last outcome. */
function findEntry(db: Db, id: string, entry: HistoryTable['entry'] = 'row'): Promise<HistoryTable | undefined> {
  return db
    .selectFrom('history')
    .selectAll()
    .where('row_id', '=', storable(id))
    .where('entry', '=', entry)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
}

async function outcomesOf(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, HistoryOutcome>> {
  const outcomes = new Map<string, HistoryOutcome>();
  // Bound lists stay well below what the databases take in one statement.
  for (let from = 0; from < ids.length; from += PAGE) {
    const found = await db
      .selectFrom('history')
      .select(['row_id', 'at_ms', 'reason', 'message'])
      .where('entry', '=', 'outcome')
      .where('row_id', 'in', ids.slice(from, from + PAGE))
      .orderBy('seq')
      .execute();
    for (const { row_id, at_ms, reason, message } of found) {
      outcomes.set(row_id, { atMs: at_ms, ...(reason === null ? {} : { reason }), message });
    }
  }
  return outcomes;
}

function toEntry(row: HistoryRow, seq: number): Unchained {
  return {
    seq,
    entry: 'row',
    row_id: storable(row.id),
    at_ms: Math.round(row.atMs),
    kind: row.kind,
    incident_id: storable(row.incidentId ?? null),
    decision_id: storable(row.decisionId ?? null),
    action_name: storable(row.actionName ?? null),
    namespace: storable(row.namespace),
    workload: storable(row.workload),
    action: storable(row.action ?? null),
    reason: storable(row.reason ?? null),
    message: storable(row.message),
    facts: factsOf(row),
  };
}

/** What has no JSON makes the row wrong, and not the store. */
function factsOf({ id, facts }: HistoryRow): string {
  try {
    return JSON.stringify(facts);
  } catch (error) {
    throw new StoreFault('constraint', `the facts of history row ${id} have no JSON: ${messageOf(error)}`);
  }
}

/**
 * What comes back from the database as it went in, or the hash would not hold: PostgreSQL refuses U+0000, and half of a
 * surrogate pair has no UTF-8. JSON escapes both.
 */
function storable<T extends string | null>(text: T): T {
  return (text === null ? text : text.replaceAll('\0', '\uFFFD').toWellFormed()) as T;
}

function fromEntry(entry: HistoryTable): HistoryRow {
  return {
    id: entry.row_id,
    atMs: entry.at_ms,
    kind: entry.kind as HistoryRow['kind'],
    ...(entry.incident_id === null ? {} : { incidentId: entry.incident_id }),
    ...(entry.decision_id === null ? {} : { decisionId: entry.decision_id }),
    ...(entry.action_name === null ? {} : { actionName: entry.action_name }),
    namespace: entry.namespace,
    workload: entry.workload,
    ...(entry.action === null ? {} : { action: entry.action }),
    ...(entry.reason === null ? {} : { reason: entry.reason }),
    message: entry.message,
    facts: JSON.parse(entry.facts) as Record<string, unknown>,
  };
}

function sameContent(known: HistoryTable, wanted: Unchained): boolean {
  return hashOf(known, GENESIS) === hashOf(wanted, GENESIS);
}
