import type { Log } from '../lib/log.ts';
import type { HistoryRow, Store } from './store-ports.ts';

/** A store that is away for days must not fill the memory; the oldest rows go first. */
const MOST_OWED = 1_000;

/**
 * Rows of the history that the store did not take although what they tell of happened all the same: alerts, inverses,
 * decisions to wait. They are paid as soon as it takes rows again; what a killed process owed is found in the action
 * objects by its successor (`rebuild-history.ts`).
 */
export class OwedRows {
  readonly #store: Store;
  readonly #log: Log;
  readonly #rows = new Map<string, HistoryRow>();

  constructor(store: Store, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  add(row: HistoryRow): void {
    this.#rows.set(row.id, row);
    const [oldest] = this.#rows.keys();
    if (this.#rows.size > MOST_OWED && oldest !== undefined) this.#rows.delete(oldest);
  }

  async pay(): Promise<void> {
    if (this.#rows.size === 0 || !this.#store.healthy()) return;
    const rows = [...this.#rows.values()];
    try {
      await this.#store.appendHistory(rows);
      for (const { id } of rows) this.#rows.delete(id);
    } catch (error) {
      this.#log.warn('rows of the history are still owed', { rows: rows.length, err: error });
    }
  }
}
