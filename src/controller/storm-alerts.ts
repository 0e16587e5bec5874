import { stormReport, type StormReport } from '../healing/storm-report.ts';
import { isLately, SECOND } from '../lib/duration.ts';
import type { Log } from '../lib/log.ts';
import type { StormState } from '../policy/guard.ts';
import { CLUSTER_SCOPE } from '../policy/storm.ts';
import type { AlertMessage } from './ports.ts';
import type { Store } from './store-ports.ts';
import { takeUp } from './stored-state.ts';

const BLOB = 'storm-alerts';

/** People hear of a storm once its workloads have their diagnoses, but no later than this after it was seen. */
const SETTLES_MS = 20 * SECOND;

interface Told {
  readonly state: StormState;
  /** What was known of it at the last look. */
  report: StormReport;
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
  /** When storms were first seen that nobody was told of yet, by scope. */
  readonly #seenAtMs = new Map<string, number>();

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
    const warnings = {
      unread: 'the storm alerts cannot be read; nothing is decided until they can',
      damaged: 'the stored storm alerts are damaged; people may hear of a storm again',
    };
    return takeUp<Told[]>({ store: this.#store, key: BLOB, log: this.#log, warnings }, (told) => {
      // What an older release stored has no report.
      for (const each of told)
        this.#told.set(each.state.scope, { ...each, report: each.report ?? stormReport(each.state, []) });
    });
  }

  forget(): void {
    this.#told.clear();
    this.#seenAtMs.clear();
  }

  /** A storm over the whole cluster speaks for its namespaces. */
  look(active: readonly StormState[], nowMs: number, reportOf: (state: StormState) => StormReport): void {
    const isEverywhere = active.some(({ scope }) => scope === CLUSTER_SCOPE);
    for (const state of active) {
      const known = this.#told.get(state.scope);
      if (known === undefined && isEverywhere && state.scope !== CLUSTER_SCOPE) continue;
      const report = reportOf(state);
      if (known === undefined) this.#begin(state, report, nowMs);
      // When its workloads are well again there is nothing left to say of them.
      else if (report.evidence.length > 0) known.report = report;
    }
    for (const scope of this.#seenAtMs.keys()) {
      if (!active.some((state) => state.scope === scope)) this.#seenAtMs.delete(scope);
    }
    for (const [scope, storm] of this.#told) {
      if (active.some((state) => state.scope === scope)) continue;
      this.#told.delete(scope);
      void this.#send(this.#message(storm, 'resolved', nowMs), false).then(() => this.#save());
    }
  }

  #begin(state: StormState, report: StormReport, nowMs: number): void {
    const seenAtMs = this.#seenAtMs.get(state.scope) ?? nowMs;
    this.#seenAtMs.set(state.scope, seenAtMs);
    if (!report.isNamed && isLately(seenAtMs, SETTLES_MS, nowMs)) return;
    this.#seenAtMs.delete(state.scope);
    const storm: Told = { state, report, startsAtMs: seenAtMs, lastSentMs: nowMs, isDelivered: false };
    this.#told.set(state.scope, storm);
    void this.#tell(storm, nowMs, false);
  }

  /** Repeats what was not repeated for so long. */
  repeat(everyMs: number, nowMs: number): void {
    for (const storm of this.#told.values()) {
      if (isLately(storm.lastSentMs, everyMs, nowMs)) continue;
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

  #message({ state, report, startsAtMs }: Told, status: AlertMessage['status'], nowMs: number): AlertMessage {
    const { scope } = state;
    const { summary, evidence, advice } = report;
    return {
      ...{ key: `storm/${scope}`, group: `storm/${scope}`, status, severity: 'critical' },
      title: `Aegis: many workloads turned anomalous together (${scope})`,
      ...{ namespace: scope, workload: '', policy: '', failureType: 'storm', summary, evidence, advice },
      startsAtMs,
      endsAtMs: status === 'firing' ? nowMs + this.#lapseMs : nowMs,
    };
  }
}
