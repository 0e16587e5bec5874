import type { Incident } from '../detection/incident.ts';
import { END_STATES, type ActionRecord } from '../policy/ledger.ts';
import type { Db } from './backend.ts';

/** Latest time that an action carries: what a sliding window must still see it by. */
function lastAtMs(record: ActionRecord): number {
  return Math.round(Math.max(record.decidedAtMs, record.executedAtMs ?? 0, record.endedAtMs ?? 0));
}

/** Inserts or replaces. */
export async function putAction(db: Db, record: ActionRecord): Promise<void> {
  const row = {
    last_at_ms: lastAtMs(record),
    open: END_STATES.has(record.state) ? 0 : 1,
    body: JSON.stringify(record),
  };
  await db
    .insertInto('action')
    .values({ namespace: record.namespace, name: record.name, ...row })
    .onConflict((c) => c.columns(['namespace', 'name']).doUpdateSet(row))
    .execute();
}

/** Actions decided, executed or ended since then, and every one that has not ended; oldest first. */
export async function listActions(db: Db, sinceMs: number): Promise<readonly ActionRecord[]> {
  const rows = await db
    .selectFrom('action')
    .select('body')
    .where((e) => e.or([e('open', '=', 1), e('last_at_ms', '>=', sinceMs)]))
    .orderBy('last_at_ms')
    .orderBy('name')
    .execute();
  return rows.map((row) => JSON.parse(row.body) as ActionRecord);
}

export async function putIncident(db: Db, incident: Incident): Promise<void> {
  const row = {
    updated_at_ms: Math.round(incident.updatedAtMs),
    open: incident.resolvedAtMs === undefined ? 1 : 0,
    body: JSON.stringify(incident),
  };
  await db
    .insertInto('incident')
    .values({ id: incident.id, ...row })
    .onConflict((c) => c.column('id').doUpdateSet(row))
    .execute();
}

export async function listOpenIncidents(db: Db): Promise<readonly Incident[]> {
  const rows = await db.selectFrom('incident').select('body').where('open', '=', 1).orderBy('id').execute();
  return rows.map((row) => JSON.parse(row.body) as Incident);
}

/** Newest first, resolved ones included. */
export async function listIncidents(db: Db, limit: number): Promise<readonly Incident[]> {
  // Two walks along the index: one over both would sort every incident that was ever stored.
  const ofState = (open: 0 | 1) =>
    db
      .selectFrom('incident')
      .select(['id', 'updated_at_ms', 'body'])
      .where('open', '=', open)
      .orderBy('updated_at_ms', 'desc')
      .orderBy('id')
      .limit(limit)
      .execute();
  return [...(await ofState(1)), ...(await ofState(0))]
    .sort((a, b) => b.updated_at_ms - a.updated_at_ms || (a.id < b.id ? -1 : 1))
    .slice(0, limit)
    .map((row) => JSON.parse(row.body) as Incident);
}

/**
 * Takes the lease when it is free, over, or held by the same holder. One that holds longer than any lease that is taken now was
 * stamped before a clock was set back: it counts as taken now, so that nobody waits until the clock has caught up.
 */
export async function takeLease(
  db: Db,
  lease: { readonly target: string; readonly holder: string; readonly nowMs: number; readonly untilMs: number },
): Promise<boolean> {
  const { target, holder } = lease;
  const [nowMs, untilMs] = [Math.round(lease.nowMs), Math.round(lease.untilMs)];
  await db
    .updateTable('target_lease')
    .set({ until_ms: untilMs })
    .where('target', '=', target)
    .where('until_ms', '>', untilMs)
    .execute();
  const result = await db
    .insertInto('target_lease')
    .values({ target, holder, until_ms: untilMs })
    .onConflict((c) =>
      c
        .column('target')
        .doUpdateSet({ holder, until_ms: untilMs })
        .where((e) => e.or([e('target_lease.holder', '=', holder), e('target_lease.until_ms', '<=', nowMs)])),
    )
    .executeTakeFirst();
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export async function releaseLease(db: Db, target: string, holder: string): Promise<void> {
  await db.deleteFrom('target_lease').where('target', '=', target).where('holder', '=', holder).execute();
}

export async function putBlob(db: Db, key: string, bytes: Uint8Array, nowMs: number): Promise<void> {
  const row = { bytes, at_ms: nowMs };
  await db
    .insertInto('blob')
    .values({ key, ...row })
    .onConflict((c) => c.column('key').doUpdateSet(row))
    .execute();
}

export async function getBlob(db: Db, key: string): Promise<Uint8Array | undefined> {
  const row = await db.selectFrom('blob').select('bytes').where('key', '=', key).executeTakeFirst();
  return row?.bytes;
}

/** Removes ended actions and resolved incidents that are older; returns how many. */
export async function pruneLedger(db: Db, beforeMs: number): Promise<number> {
  const actions = await db
    .deleteFrom('action')
    .where('open', '=', 0)
    .where('last_at_ms', '<', beforeMs)
    .executeTakeFirst();
  const incidents = await db
    .deleteFrom('incident')
    .where('open', '=', 0)
    .where('updated_at_ms', '<', beforeMs)
    .executeTakeFirst();
  return Number(actions.numDeletedRows + incidents.numDeletedRows);
}
