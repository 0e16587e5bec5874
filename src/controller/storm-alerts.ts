import type { Log } from '../lib/log.ts';
import type { StormState } from '../policy/guard.ts';
import { CLUSTER_SCOPE } from '../policy/storm.ts';
import type { AlertMessage } from './ports.ts';
import type { Store } from './store-ports.ts';

const BLOB = 'storm-alerts';

interface Told {
  readonly state: StormState;
  readonly startsAtMs: number;
  lastSentMs: number;
  /** A sink took it. Stored, so that the next leader neither says it again nor forgets to say that it is over. */
  isDelivered: boolean;
}

/** True: some sink took it. */
type Send = (message: AlertMessage, isRepeat: boolean) => Promise<boolean>;

/** One grouped alert for each storm, in place of one a workload, and its end; across changes of leadership. */
export class StormAlerts {
  readonly #store: Pick<Store, 'saveBlob' | 'loadBlob'>;
  readonly #send: Send;
  readonly #lapseMs: number;
  readonly #log: Log;
  readonly #told = new Map<string, Told>();

  /** `lapseMs`: after so long without a repetition receivers take an alert for over. */
  constructor(deps: {
    readonly store: Pick<Store, 'saveBlob' | 'loadBlob'>;
    readonly send: Send;
    readonly lapseMs: number;
    readonly log: Log;
  }) {
    this.#store = deps.store;
    this.#send = deps.send;
    this.#lapseMs = deps.lapseMs;
    this.#log = deps.log;
  }

  /** What the last leader told. False: it cannot be read, so nobody knows what people have heard already. */
  async load(): Promise<boolean> {
    this.#told.clear();
    let bytes: Uint8Array | undefined;
    try {
      bytes = await this.#store.loadBlob(BLOB);
    } catch (error) {
      this.#log.warn('the storm alerts cannot be read; nothing is decided until they can', { err: error });
      return false;
    }
    try {
      const told = bytes === undefined ? [] : (JSON.parse(new TextDecoder().decode(bytes)) as Told[]);
      for (const each of told) this.#told.set(each.state.scope, each);
    } catch (error) {
      this.#log.warn('the stored storm alerts are damaged; people may hear of a storm again', { err: error });
    }
    return true;
  }

  forget(): void {
    this.#told.clear();
  }

  /** A storm over the whole cluster speaks for its namespaces. */
  look(active: readonly StormState[], nowMs: number): void {
    const isEverywhere = active.some(({ scope }) => scope === CLUSTER_SCOPE);
    for (const state of active) {
      if (this.#told.has(state.scope) || (isEverywhere && state.scope !== CLUSTER_SCOPE)) continue;
      const storm: Told = { state, startsAtMs: nowMs, lastSentMs: nowMs, isDelivered: false };
      this.#told.set(state.scope, storm);
      void this.#tell(storm, nowMs, false);
    }
    for (const [scope, storm] of this.#told) {
      if (active.some((state) => state.scope === scope)) continue;
      this.#told.delete(scope);
      void this.#send(this.#message(storm, 'resolved', nowMs), false).then(() => this.#save());
    }
  }

  /** Repeats what was not repeated for so long. */
  repeat(everyMs: number, nowMs: number): void {
    for (const storm of this.#told.values()) {
      if (nowMs - storm.lastSentMs < everyMs) continue;
      storm.lastSentMs = nowMs;
      void this.#tell(storm, nowMs, true);
    }
  }

  async #tell(storm: Told, nowMs: number, isRepeat: boolean): Promise<void> {
    const isTaken = await this.#send(this.#message(storm, 'firing', nowMs), isRepeat);
    if (!isTaken || storm.isDelivered) return;
    storm.isDelivered = true;
    await this.#save();
  }

  async #save(): Promise<void> {
    const lasting = [...this.#told.values()].filter(({ isDelivered }) => isDelivered);
    try {
      await this.#store.saveBlob(BLOB, new TextEncoder().encode(JSON.stringify(lasting)));
    } catch (error) {
      this.#log.warn('that a storm was told cannot be stored; the next leader may tell it again', { err: error });
    }
  }

  #message({ state, startsAtMs }: Told, status: AlertMessage['status'], nowMs: number): AlertMessage {
    const { scope, anomalous, watched } = state;
    return {
      ...{ key: `storm/${scope}`, group: `storm/${scope}`, status, severity: 'critical' },
      title: `Aegis: many workloads turned anomalous together (${scope})`,
      ...{ namespace: scope, workload: '', policy: '', failureType: 'storm', evidence: [] },
      summary: `${anomalous} of ${watched} workloads turned anomalous within five minutes (${scope})`,
      advice:
        'Look for a shared cause: a node, DNS, a dependency, a rollout. No workload is healed until this is over.',
      startsAtMs,
      endsAtMs: status === 'firing' ? nowMs + this.#lapseMs : nowMs,
    };
  }
}
