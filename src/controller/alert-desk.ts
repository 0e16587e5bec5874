import type { Incident } from '../detection/incident.ts';
import type { StormReport } from '../healing/storm-report.ts';
import { MINUTE } from '../lib/duration.ts';
import type { Log } from '../lib/log.ts';
import { workloadKey } from '../lib/workload.ts';
import type { Intent } from '../policy/action.ts';
import type { StormState } from '../policy/guard.ts';
import { severityOf } from '../policy/severity.ts';
import type { AlertMessage, MetricsSink, Notifier, StoredAction } from './ports.ts';
import type { Store } from './store-ports.ts';
import { StormAlerts } from './storm-alerts.ts';

/** Receivers let an alert lapse that is not repeated; it is repeated each minute while the incident is open. */
const REPEAT_MS = MINUTE;
const LAPSE_MS = 3 * REPEAT_MS;
/** Longer than a resolved message waits for its group's turn and its tries, and than a new leader takes to begin. */
const RESOLVED_LATELY_MS = 10 * MINUTE;
/** Where the administrator configured no sink, the Kubernetes Event and the action object are all that people get. */
const EVENTS_ONLY = 'kubernetes-event';

interface Open {
  readonly intent: Intent;
  readonly sinks: readonly string[];
  readonly startsAtMs: number;
  lastSentMs: number;
}

/** Tells people of incidents: once, again while they last, and when they are over. Never on the healing path's time. */
export class AlertDesk {
  readonly #notifier: Notifier;
  readonly #metrics: MetricsSink;
  readonly #log: Log;
  readonly #open = new Map<string, Open>();
  /** Incidents of which people are just being told without an object. */
  readonly #unrecorded = new Set<string>();
  readonly #storms: StormAlerts;

  constructor(deps: {
    readonly notifier: Notifier;
    readonly store: Pick<Store, 'saveBlob' | 'loadBlob'>;
    readonly metrics: MetricsSink;
    readonly log: Log;
  }) {
    this.#notifier = deps.notifier;
    this.#metrics = deps.metrics;
    this.#log = deps.log;
    this.#storms = new StormAlerts({
      ...{ store: deps.store, log: deps.log, lapseMs: LAPSE_MS },
      send: async (message, isRepeat) => (await this.#send([], message, isRepeat)).delivered.length > 0,
    });
  }

  /** Takes up what the last leader told of storms; false: it cannot be read. */
  load(): Promise<boolean> {
    return this.#storms.load();
  }

  /** Sends the alert of an `alert_admin` intent; resolves with the sinks that took it. */
  async deliver(intent: Intent, nowMs: number): Promise<{ delivered: readonly string[]; failed: readonly string[] }> {
    const sinks = intent.parameters.kind === 'alert' ? intent.parameters.sinks : [];
    if (this.#notifier.sinks().length === 0) return { delivered: [EVENTS_ONLY], failed: [] };
    const reply = await this.#send(sinks, messageOf(intent, 'firing', intent.decidedAtMs, nowMs));
    if (reply.delivered.length > 0) {
      this.#open.set(intent.incidentId, { intent, sinks, startsAtMs: intent.decidedAtMs, lastSentMs: nowMs });
    }
    return reply;
  }

  /**
   * Takes up the alerts that a predecessor delivered, so that their ends are told too. It may have noted an end and not told
   * it any more: a group's minute, or a kill. Of those lately resolved it is told again; receivers know the key.
   */
  takeUp(
    actions: readonly Pick<StoredAction, 'intent' | 'status'>[],
    { isOpen, resolved }: { readonly isOpen: (incidentId: string) => boolean; readonly resolved: readonly Incident[] },
    nowMs: number,
  ): void {
    const lately = new Map(
      resolved
        .filter(({ resolvedAtMs }) => resolvedAtMs !== undefined && nowMs - resolvedAtMs < RESOLVED_LATELY_MS)
        .map((incident) => [incident.id, incident]),
    );
    for (const { intent, status } of actions) {
      if (status.delivered === undefined) continue;
      const over = isOpen(intent.incidentId) ? undefined : lately.get(intent.incidentId);
      if (over === undefined && !isOpen(intent.incidentId)) continue;
      this.#adopt(intent, status.delivered.atMs);
      if (over !== undefined) this.resolve(over, nowMs);
    }
  }

  #adopt(intent: Intent, deliveredAtMs: number): void {
    if (this.#open.has(intent.incidentId) || intent.parameters.kind !== 'alert') return;
    const { sinks } = intent.parameters;
    this.#open.set(intent.incidentId, { intent, sinks, startsAtMs: intent.decidedAtMs, lastSentMs: deliveredAtMs });
  }

  /** Without an object that could say so: told once, and again by each process, under the same key. */
  tellUnrecorded(intent: Intent, why: string, nowMs: number): void {
    const { incidentId } = intent;
    if (this.#open.has(incidentId) || this.#unrecorded.has(incidentId)) return;
    this.#unrecorded.add(incidentId);
    void this.deliver({ ...intent, reason: `${intent.reason} (${why})` }, nowMs).finally(() =>
      this.#unrecorded.delete(incidentId),
    );
  }

  /** An inverse was given up because somebody else changed the field: told once, and nothing resolves it. */
  abandoned(intent: Intent, why: string, nowMs: number): void {
    if (this.#notifier.sinks().length === 0) return;
    void this.#send([], {
      ...messageOf(intent, 'firing', nowMs, nowMs),
      key: `undo/${intent.name}`,
      title: `${workloadKey(intent.target)}: ${intent.action} was not taken back`,
      summary: `${intent.name} was not taken back: ${why}`,
      advice: 'Aegis writes only over what it wrote. Look at the object, and restore what it held before by hand.',
    });
  }

  /** Repeats what is still true. */
  repeat(nowMs: number): void {
    for (const open of this.#open.values()) {
      if (nowMs - open.lastSentMs < REPEAT_MS) continue;
      open.lastSentMs = nowMs;
      void this.#send(open.sinks, messageOf(open.intent, 'firing', open.startsAtMs, nowMs), true);
    }
    this.#storms.repeat(REPEAT_MS, nowMs);
  }

  /** Another process may tell people now: what it has resolved must not be repeated from here. */
  forget(): void {
    this.#open.clear();
    this.#storms.forget();
  }

  resolve(incident: Incident, nowMs: number): void {
    const open = this.#open.get(incident.id);
    if (open === undefined) return;
    this.#open.delete(incident.id);
    void this.#send(open.sinks, messageOf(open.intent, 'resolved', open.startsAtMs, nowMs));
  }

  /** The storms that brake now: one grouped alert each, and its end. */
  storms(active: readonly StormState[], nowMs: number, reportOf: (state: StormState) => StormReport): void {
    this.#storms.look(active, nowMs, reportOf);
  }

  async #send(
    sinks: readonly string[],
    message: AlertMessage,
    isRepeat = false,
  ): Promise<{ delivered: readonly string[]; failed: readonly string[] }> {
    const reply = await this.#notifier.send(sinks, message, { isRepeat });
    for (const sink of reply.delivered) this.#metrics.count('aegis_notifications_total', { sink, result: 'delivered' });
    for (const { sink, message: why } of reply.failed) {
      this.#metrics.count('aegis_notifications_total', { sink, result: 'failed' });
      this.#log.warn('an alert was not delivered', { sink, key: message.key, why });
    }
    return { delivered: reply.delivered, failed: reply.failed.map(({ sink, message: why }) => `${sink}: ${why}`) };
  }
}

function messageOf(intent: Intent, status: AlertMessage['status'], startsAtMs: number, nowMs: number): AlertMessage {
  const { target, diagnosis, policy } = intent;
  return {
    ...{ key: intent.incidentId, group: `${target.namespace}/${policy.name}`, status },
    severity: severityOf(intent.severityScore),
    title: `${workloadKey(target)}: ${diagnosis.failureType}`,
    ...{ namespace: target.namespace, workload: target.name, policy: policy.name, failureType: diagnosis.failureType },
    summary: intent.reason,
    evidence: diagnosis.evidence.map(({ what }) => what),
    advice: diagnosis.advice,
    startsAtMs,
    endsAtMs: status === 'firing' ? nowMs + LAPSE_MS : nowMs,
  };
}
