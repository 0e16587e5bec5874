import type { Log } from '../lib/log.ts';
import { rowsProvenBy, type ExpectedRow } from './action-rows.ts';
import type { OwedRows } from './owed-rows.ts';
import type { StoredAction } from './ports.ts';
import type { HistoryOutcome, Store } from './store-ports.ts';

/** More than the brakes let an incident have. */
const ROWS_OF_AN_INCIDENT = 1_000;

/**
 * Adds the rows that the action objects prove and the store lacks: those that a killed process owed, and those of a
 * database that was lost. Objects are the authority; what is there is left as it is; what the store refuses for good is kept without its body.
 * False: to be tried again.
 */
export async function rebuildHistory(
  store: Store,
  owed: Pick<OwedRows, 'keep'>,
  log: Log,
  actions: readonly StoredAction[],
): Promise<boolean> {
  const byIncident = Map.groupBy(
    actions.flatMap((action) => rowsProvenBy(action)),
    ({ row }) => row.incidentId ?? '',
  );
  let added = 0;
  try {
    for (const [incidentId, expected] of byIncident) added += await complete(store, owed, incidentId, expected);
  } catch (error) {
    log.warn('the history cannot be compared with the actions; tried again', { err: error });
    return false;
  }
  if (added > 0) log.warn('rows of the history were missing and are added from the actions', { rows: added });
  return true;
}

async function complete(
  store: Store,
  owed: Pick<OwedRows, 'keep'>,
  incidentId: string,
  expected: readonly ExpectedRow[],
): Promise<number> {
  const rows = await store.history({ incidentId, limit: ROWS_OF_AN_INCIDENT });
  const known = new Map(rows.map((row) => [row.id, row]));
  const missing = expected.filter(({ row }) => !known.has(row.id));
  if (missing.length > 0) await appendAll(store, owed, missing);
  for (const { row, outcome } of expected) {
    if (outcome === undefined || known.get(row.id)?.outcome !== undefined) continue;
    await completeRow(store, row.id, outcome);
  }
  return missing.length;
}

/** Together, and where that is refused one by one. Rejects where the store is away. */
async function appendAll(store: Store, owed: Pick<OwedRows, 'keep'>, missing: readonly ExpectedRow[]): Promise<void> {
  try {
    await store.appendHistory(missing.map(({ row }) => row));
  } catch (error) {
    if (!store.healthy()) throw error;
    for (const { row } of missing) if (!(await owed.keep(row))) throw error;
  }
}

/** An outcome that a store refuses that is well, since the row itself is lost, is no reason to begin again. */
async function completeRow(store: Store, rowId: string, outcome: HistoryOutcome): Promise<void> {
  try {
    await store.completeHistory(rowId, outcome);
  } catch (error) {
    if (!store.healthy()) throw error;
  }
}
