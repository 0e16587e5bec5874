import type { Log } from '../lib/log.ts';
import { keepRow } from './kept-row.ts';
import type { MetricsSink } from './ports.ts';
import type { HistoryOutcome, HistoryRow, Store } from './store-ports.ts';

/** A store that is away for days must not fill the memory; the oldest rows go first. */
const MOST_OWED = 1_000;

/**
 * Rows of the history that the store did not take although what they tell of happened all the same: alerts, inverses,
 * decisions to wait; and how effects went whose rows it has. They are paid as soon as it takes rows again; what a killed process owed is found in the action
 * objects by its successor (`rebuild-history.ts`). One that is refused for good is kept without its body, and told of: nothing is tried for ever.
 */
export class OwedRows {
  readonly #store: Store;
  readonly #log: Log;
  readonly #metrics: Pick<MetricsSink, 'count'>;
  readonly #rows = new Map<string, HistoryRow>();
  /** By row. */
  readonly #outcomes = new Map<string, HistoryOutcome>();
  /** Of this process: rows that were refused, and the last of them. */
  readonly #refused = { marked: 0, lost: 0, last: '' };

  constructor(store: Store, log: Log, metrics: Pick<MetricsSink, 'count'>) {
    this.#store = store;
    this.#log = log;
    this.#metrics = metrics;
  }

  add(row: HistoryRow): void {
    owe(this.#rows, row.id, row);
  }

  /** How it went, of a row that the store has. */
  addOutcome(rowId: string, outcome: HistoryOutcome): void {
    owe(this.#outcomes, rowId, outcome);
  }

  async pay(): Promise<void> {
    await this.#payRows();
    await this.#payOutcomes();
  }

  /** Sentences for `/health`: what the history does not hold as it should. */
  problems(): readonly string[] {
    const { marked, lost, last } = this.#refused;
    if (marked + lost === 0) return [];
    return [
      `history: ${marked} rows are kept without their body, ${lost} are missing, since the store refused them (last: ${last})`,
    ];
  }

  /** Adds a row that is known to be refused among others, or what can be kept of it. False: the store is away. */
  async keep(row: HistoryRow): Promise<boolean> {
    const { kept, because } = await keepRow(this.#store, row);
    if (kept === 'away') return false;
    if (kept === 'kept') return true;
    // What the row would have told is in the log, whole.
    this.#metrics.count('aegis_faults_total', { where: 'history-row' });
    this.#log.error('a row of the history was refused', { row, kept, because });
    if (kept === 'known') return true;
    this.#refused[kept] += 1;
    this.#refused.last = `${row.id}: ${because}`;
    return true;
  }

  async #payOutcomes(): Promise<void> {
    for (const [rowId, outcome] of [...this.#outcomes]) {
      if (!this.#store.healthy()) return;
      try {
        await this.#store.completeHistory(rowId, outcome);
        this.#outcomes.delete(rowId);
      } catch (error) {
        this.#log.warn('the outcome of a row is still owed', { row: rowId, err: error });
        // A store that is well and refuses it has no such row: it would refuse it for ever.
        if (this.#store.healthy()) this.#outcomes.delete(rowId);
      }
    }
  }

  async #payRows(): Promise<void> {
    if (this.#rows.size === 0 || !this.#store.healthy()) return;
    const rows = [...this.#rows.values()];
    try {
      await this.#store.appendHistory(rows);
      for (const { id } of rows) this.#rows.delete(id);
    } catch (error) {
      this.#log.warn('rows of the history are still owed', { rows: rows.length, err: error });
      for (const row of rows) if (!(await this.#payRow(row))) return;
    }
  }

  /** Alone: one that a constraint refuses must not keep back the others. False: the store is away. */
  async #payRow(row: HistoryRow): Promise<boolean> {
    const isDone = await this.keep(row);
    if (isDone) this.#rows.delete(row.id);
    return isDone;
  }
}

function owe<T>(owed: Map<string, T>, rowId: string, what: T): void {
  owed.set(rowId, what);
  const [oldest] = owed.keys();
  if (owed.size > MOST_OWED && oldest !== undefined) owed.delete(oldest);
}
