import { messageOf } from '../lib/thrown.ts';
import type { HistoryRow, Store } from './store-ports.ts';

/**
 * What became of a row that the store did not take among others. `known`: a row of this id is there, and stands for the same thing;
 * `marked`: it is there without its body; `lost`: not even that; `away`: the store takes nothing now.
 */
export type Kept = 'kept' | 'known' | 'marked' | 'lost' | 'away';

/** Longer words of a database are cut. */
const MOST_WORDS = 500;

/**
 * Adds a row, alone. A store that is well and refuses it would refuse it for ever; but each effect has exactly one row, so it is kept
 * as one that says who, what and when, and that its body was refused. Never rejects.
 */
export async function keepRow(
  store: Store,
  row: HistoryRow,
): Promise<{ readonly kept: Kept; readonly because: string }> {
  if (!store.healthy()) return { kept: 'away', because: 'the store is away' };
  try {
    await store.appendHistory([row]);
    return { kept: 'kept', because: '' };
  } catch (error) {
    const because = messageOf(error).slice(0, MOST_WORDS);
    if (!store.healthy()) return { kept: 'away', because };
    try {
      if (await isKnown(store, row)) return { kept: 'known', because };
      await store.appendHistory([marked(row, because)]);
      return { kept: 'marked', because };
    } catch (again) {
      return { kept: store.healthy() ? 'lost' : 'away', because: `${because}; without its body: ${messageOf(again)}` };
    }
  }
}

/** Whether the store has a row of this id that tells of the same thing. */
export async function isKnown(store: Pick<Store, 'history'>, { id, kind, actionName }: HistoryRow): Promise<boolean> {
  const [known] = await store.history({ id, limit: 1 });
  return known !== undefined && known.kind === kind && known.actionName === actionName;
}

/** The least that the chain and the counts need. */
function marked({ facts: _refused, message: _too, ...row }: HistoryRow, because: string): HistoryRow {
  return {
    ...row,
    reason: 'BodyRefused',
    message: `the body of this row was refused by the store: ${because}`,
    facts: { bodyRefused: true },
  };
}
