import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { effectiveGuardrail } from '../policy/effective-guardrail.ts';
import type { StormState } from '../policy/guard.ts';
import type { Guardrail } from '../policy/healing-policy.ts';
import { stormFor, stormStates } from '../policy/storm.ts';
import type { WatchedWorkload } from '../policy/storm.ts';
import { jumpSince, wallLead } from './steady-times.ts';
import type { Store } from './store-ports.ts';
import { takeUp } from './stored-state.ts';

const BLOB = 'storm-states';

/** Keeps the storm brake across polls and restarts. Judging is `policy/storm.ts`'s. */
export class StormWatch {
  readonly #store: Store;
  readonly #log: Log;
  #states: readonly StormState[] = [];
  #saved = '';
  readonly #clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  /** That of the last look. */
  #lead: number;

  constructor(store: Store, log: Log, clock: Pick<Clock, 'nowMs' | 'monotonicMs'>) {
    this.#store = store;
    this.#log = log;
    this.#clock = clock;
    this.#lead = wallLead(clock);
  }

  /** Takes up the brake as the last leader left it. False: it cannot be read, so none may be taken for off. */
  async load(): Promise<boolean> {
    const warnings = {
      unread: 'the storm states cannot be read; nothing is decided until they can',
      damaged: 'the stored storm states are damaged; they are judged anew',
    };
    const stored = { store: this.#store, key: BLOB, log: this.#log, warnings };
    const isRead = await takeUp<StormState[]>(stored, (states) => (this.#states = states));
    if (!isRead) return false;
    this.#saved = '';
    this.#lead = wallLead(this.#clock);
    return true;
  }

  /**
   * Looks at all watched workloads; returns the scopes in which a storm has just begun. Only the leader's look is kept:
   * what a bystander sees must not take the leader's brake off.
   */
  look(
    watched: readonly WatchedWorkload[],
    guardrails: readonly Guardrail[],
    nowMs: number,
    isLeading: boolean,
  ): readonly StormState[] {
    const before = new Set(this.#states.filter(({ active }) => active).map(({ scope }) => scope));
    this.#followJumps();
    const settings = effectiveGuardrail(guardrails).storm;
    this.#states = stormStates({ nowMs, watched, settings, previous: this.#states });
    if (isLeading) this.#save();
    return this.#states.filter(({ active, scope }) => active && !before.has(scope));
  }

  /** The brake goes on for its time, whatever the wall clock says meanwhile. */
  #followJumps(): void {
    const lead = wallLead(this.#clock);
    const jumped = jumpSince(this.#lead, lead);
    this.#lead = jumped === 0 ? this.#lead : lead;
    if (jumped === 0) return;
    this.#states = this.#states.map((state) =>
      state.endsAtMs === undefined ? state : { ...state, endsAtMs: state.endsAtMs + jumped },
    );
  }

  /** Of every scope that is watched, the cluster first. */
  states(): readonly StormState[] {
    return this.#states;
  }

  for(namespace: string): StormState {
    return stormFor(this.#states, namespace);
  }

  active(): readonly StormState[] {
    return this.#states.filter(({ active }) => active);
  }

  /** Only what must outlive the process, and only when it changed: minutes are fine enough for a brake of ten. */
  #save(): void {
    const lasting = this.#states.filter(({ active }) => active);
    const key = JSON.stringify(lasting.map(({ scope, endsAtMs }) => [scope, Math.round((endsAtMs ?? 0) / 60_000)]));
    if (key === this.#saved) return;
    this.#saved = key;
    this.#store.saveBlob(BLOB, new TextEncoder().encode(JSON.stringify(lasting))).catch((error: unknown) => {
      this.#saved = '';
      this.#log.warn('the storm state cannot be stored', { err: error });
    });
  }
}
