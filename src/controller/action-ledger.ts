import type { Clock } from '../lib/clock.ts';
import { HOUR } from '../lib/duration.ts';
import type { Log } from '../lib/log.ts';
import { isEffect } from '../policy/action.ts';
import { END_STATES, type ActionRecord } from '../policy/ledger.ts';
import { steadyRecord, timedRow, wallLead, type TimedRow } from './steady-times.ts';
import type { Store } from './store-ports.ts';

/** The brakes look back a day (`IneffectiveChain`); older rows are for people. */
const MEMORY_MS = 24 * HOUR;

/**
 * What the brakes remember of every action, in memory for speed and in the store for the next process. A row is durable
 * before it is visible here: a budget that was spent stays spent. Objects are the authority over rows.
 */
export class ActionLedger {
  readonly #store: Store;
  readonly #log: Log;
  readonly #onRow: (record: ActionRecord) => void;
  readonly #clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  readonly #rows = new Map<string, TimedRow>();
  #isLoaded = false;

  /** `onRow` hears of every row that is new or changed, once it is durable. */
  constructor(
    store: Store,
    log: Log,
    clock: Pick<Clock, 'nowMs' | 'monotonicMs'>,
    onRow: (record: ActionRecord) => void = () => undefined,
  ) {
    this.#store = store;
    this.#log = log;
    this.#clock = clock;
    this.#onRow = onRow;
  }

  /** Another process may have acted since: nothing is known until it is read again. */
  unload(): void {
    this.#rows.clear();
    this.#isLoaded = false;
  }

  /** Reads the last day from the store; may be called again after a failure, or to learn what others wrote. */
  async load(nowMs: number): Promise<boolean> {
    try {
      for (const record of await this.#store.actionsSince(nowMs - MEMORY_MS)) this.#keep(record);
      this.#isLoaded = true;
    } catch (error) {
      this.#log.warn('the action ledger cannot be read; no effect until it can', { err: error });
    }
    return this.#isLoaded;
  }

  /**
   * Every row of the last day, its times moved by the jumps of the wall clock since; `undefined` while the store cannot be
   * trusted: then no guard lets an effect pass.
   */
  records(nowMs: number): readonly ActionRecord[] | undefined {
    if (!this.#isLoaded || !this.#store.healthy()) return undefined;
    const lead = wallLead(this.#clock);
    const records: ActionRecord[] = [];
    for (const [name, row] of this.#rows) {
      const record = steadyRecord(row, lead);
      if (record.decidedAtMs < nowMs - MEMORY_MS && record.endedAtMs !== undefined) this.#rows.delete(name);
      else records.push(record);
    }
    return records;
  }

  get(name: string): ActionRecord | undefined {
    return this.#rows.get(name)?.record;
  }

  /** Whether an effect has healed this incident, as far as is known here. */
  hasHealed(incidentId: string): boolean {
    return [...this.#rows.values()].some(
      ({ record }) =>
        record.incidentId === incidentId && record.state === 'Healed' && isEffect(record.action) && !record.dryRun,
    );
  }

  /** Durable first. Rejects if the store cannot take it: then the effect must not happen. */
  async put(record: ActionRecord): Promise<void> {
    if (isSame(this.get(record.name), record)) return;
    await this.#store.saveAction(record);
    this.#keep(record);
  }

  /** What is not over as far as is known here. */
  open(): readonly ActionRecord[] {
    return [...this.#rows.values()].map(({ record }) => record).filter(({ state }) => !END_STATES.has(state));
  }

  /**
   * The object of this action is gone: nobody carries it on, so it must not count as under way for ever. What it sent
   * stays spent. Rejects if the store cannot take it.
   */
  async end(name: string, nowMs: number): Promise<void> {
    const record = this.get(name);
    if (record === undefined || END_STATES.has(record.state)) return;
    await this.put({ ...record, state: 'Superseded', reason: 'Deleted', endedAtMs: nowMs });
  }

  #keep(record: ActionRecord): void {
    this.#rows.set(record.name, timedRow(record, this.#rows.get(record.name), wallLead(this.#clock)));
    this.#onRow(record);
  }

  /** Takes what the objects say, e.g. after a database was lost. A failure is retried with the next object. */
  async adopt(records: readonly ActionRecord[]): Promise<void> {
    for (const record of records) {
      try {
        await this.put(record);
      } catch (error) {
        this.#log.warn('an action cannot be recorded', { actionId: record.name, err: error });
        return;
      }
    }
  }
}

function isSame(a: ActionRecord | undefined, b: ActionRecord): boolean {
  return a !== undefined && JSON.stringify(a) === JSON.stringify(b);
}
