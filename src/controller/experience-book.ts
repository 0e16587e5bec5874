import type { Log } from '../lib/log.ts';
import { isLately, MINUTE } from '../lib/duration.ts';
import type { ActionRecord } from '../policy/ledger.ts';
import {
  effectivenessOf,
  lessonOf,
  LESSONS_KEPT_MS,
  type Effectiveness,
  type EffectivenessReset,
  type Lesson,
} from '../policy/effectiveness.ts';
import { readResets } from './effectiveness-desk.ts';
import type { Store } from './store-ports.ts';

/** More than three months of the cluster's budget would be; the oldest go first. */
const MOST_LESSONS = 50_000;
/** What was learnt ages out by the hour: so long an answer is good for. */
const ANSWER_HOLDS_MS = MINUTE;

/**
 * What the actions of the last three months taught, as decisions need it: in memory, read once from the ledger's rows and
 * kept up with them. Nothing is stored beside those rows and the resets: a restart learns the same from the same rows.
 */
export class ExperienceBook {
  readonly #store: Pick<Store, 'actionsSince' | 'history'>;
  readonly #log: Log;
  readonly #earlier: readonly Effectiveness[];
  readonly #lessons = new Map<string, Lesson>();
  #resets: readonly EffectivenessReset[] = [];
  #isLoaded = false;
  #answer: { readonly atMs: number; readonly effectiveness: readonly Effectiveness[] } | undefined;

  /** `earlier`: what another operator has learnt, to go on from. */
  constructor(store: Pick<Store, 'actionsSince' | 'history'>, log: Log, earlier: readonly Effectiveness[] = []) {
    this.#store = store;
    this.#log = log;
    this.#earlier = earlier;
  }

  /** Another process may have acted since. */
  unload(): void {
    this.#lessons.clear();
    this.#resets = [];
    this.#isLoaded = false;
    this.#answer = undefined;
  }

  /** Reads what is not read yet, and the resets anew: another replica may have taken one. A failure is tried again. */
  async refresh(nowMs: number): Promise<void> {
    try {
      const resets = await readResets(this.#store);
      if (!this.#isLoaded) {
        for (const record of await this.#store.actionsSince(nowMs - LESSONS_KEPT_MS)) this.note(record);
      }
      this.#resets = resets;
      this.#isLoaded = true;
      this.#answer = undefined;
    } catch (error) {
      this.#log.warn('what was learnt of the effects cannot be read; ladders stay as written', { err: error });
    }
  }

  /** A row of the ledger, new or changed. */
  note(record: ActionRecord): void {
    const lesson = lessonOf(record);
    if (lesson === undefined) {
      if (!this.#lessons.delete(record.name)) return;
    } else this.#lessons.set(record.name, lesson);
    this.#answer = undefined;
    const [oldest] = this.#lessons.keys();
    if (this.#lessons.size > MOST_LESSONS && oldest !== undefined) this.#lessons.delete(oldest);
  }

  /** How often each effect helped; `undefined`: it cannot be told yet. */
  effectiveness(nowMs: number): readonly Effectiveness[] | undefined {
    if (!this.#isLoaded) return undefined;
    if (this.#answer === undefined || !isLately(this.#answer.atMs, ANSWER_HOLDS_MS, nowMs)) {
      const effectiveness = effectivenessOf([...this.#lessons.values()], this.#resets, nowMs, this.#earlier);
      this.#answer = { atMs: nowMs, effectiveness };
    }
    return this.#answer.effectiveness;
  }
}
