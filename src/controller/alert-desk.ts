import { mayReturnUntilMs, type Incident } from '../detection/incident.ts';
import type { FailureType } from '../diagnosis/failure-type.ts';
import type { StormReport } from '../healing/storm-report.ts';
import { HOUR, inWords, isLately, MINUTE } from '../lib/duration.ts';
import type { Log } from '../lib/log.ts';
import { workloadKey } from '../lib/workload.ts';
import type { Intent } from '../policy/action.ts';
import type { StormState } from '../policy/guard.ts';
import { severityOf } from '../policy/severity.ts';
import { OpenAlerts, type OpenAlert } from './open-alerts.ts';
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

/** A resolved message that a sink did not take is tried again each minute for so long. */
const OWED_FOR_MS = HOUR;

/** The end of an alert that some sinks were not told of yet. */
interface Ending {
  readonly alert: OpenAlert;
  readonly sinks: readonly string[];
  readonly endedAtMs: number;
  lastSentMs: number;
  /** It is being told, and not to be told again meanwhile. */
  isUnderWay: boolean;
}

interface Reply {
  readonly delivered: readonly string[];
  readonly failed: readonly { readonly sink: string; readonly message: string }[];
}

/** Tells people of incidents: once, again while they last, and when they are over. Never on the healing path's time. */
export class AlertDesk {
  readonly #notifier: Notifier;
  readonly #metrics: MetricsSink;
  readonly #log: Log;
  readonly #open: OpenAlerts;
  /** By key. */
  readonly #endings = new Map<string, Ending>();
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
    this.#open = new OpenAlerts(deps.store, deps.log);
    this.#storms = new StormAlerts({
      ...{ store: deps.store, log: deps.log, lapseMs: LAPSE_MS },
      send: async (message, isRepeat) => (await this.#send([], message, isRepeat)).delivered.length > 0,
    });
  }

  /** Takes up what the last leader told of storms, and of the ends of alerts; false: it cannot be read. */
  async load(): Promise<boolean> {
    return (await this.#storms.load()) && (await this.#open.load());
  }

  /** Sends the alert of an `alert_admin` intent; resolves with the sinks that took it. */
  async deliver(intent: Intent, nowMs: number): Promise<{ delivered: readonly string[]; failed: readonly string[] }> {
    const sinks = intent.parameters.kind === 'alert' ? intent.parameters.sinks : [];
    if (this.#notifier.sinks().length === 0) return { delivered: [EVENTS_ONLY], failed: [] };
    const reply = await this.#send(sinks, messageOf(intent, 'firing', intent.decidedAtMs, nowMs));
    if (reply.delivered.length > 0) this.#adopt(intent, nowMs);
    return { delivered: reply.delivered, failed: reply.failed.map(({ sink, message }) => `${sink}: ${message}`) };
  }

  /**
   * Whether people know of this incident, or of one with the same failure of the same workload that is over and may come back: then that
   * alert goes on for this one, instead of a second beside it.
   */
  join(incident: Incident, failureType?: FailureType): boolean {
    return this.#open.join(incident, failureType);
  }

  /**
   * Takes up the alerts that a predecessor delivered, so that their ends are told too. It may have noted an end and not told
   * it any more: a group's minute, or a kill. Of those lately resolved it is told to the sinks that are not known to have taken it.
   */
  takeUp(
    actions: readonly Pick<StoredAction, 'intent' | 'status'>[],
    { isOpen, resolved }: { readonly isOpen: (incidentId: string) => boolean; readonly resolved: readonly Incident[] },
    nowMs: number,
  ): void {
    const lately = new Map(
      resolved
        .filter((incident) => nowMs - (toldFromMs(incident) ?? -Infinity) < RESOLVED_LATELY_MS)
        .map((incident) => [incident.id, incident]),
    );
    for (const { intent, status } of actions) {
      if (status.delivered === undefined) continue;
      const incidents = this.#open.incidentsOf(intent.incidentId);
      const over = incidents.some(isOpen) ? undefined : lately.get(incidents.at(-1) ?? '');
      if (over === undefined && !incidents.some(isOpen)) continue;
      this.#adopt(intent, status.delivered.atMs);
      if (over !== undefined) this.resolve(over, nowMs);
    }
  }

  #adopt(intent: Intent, lastSentMs: number): void {
    if (intent.parameters.kind !== 'alert' || this.#open.of(intent.incidentId) !== undefined) return;
    const { sinks } = intent.parameters;
    const key = intent.incidentId;
    const incidents = this.#open.incidentsOf(key);
    this.#open.add({ key, intent, sinks, startsAtMs: intent.decidedAtMs, lastSentMs, incidents, returns: 0 });
  }

  /** Without an object that could say so: told once, and again by each process, under the same key. */
  tellUnrecorded(intent: Intent, why: string, nowMs: number): void {
    const { incidentId } = intent;
    if (this.#open.of(incidentId) !== undefined || this.#unrecorded.has(incidentId)) return;
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

  /** Repeats what is still true, and tells the ends that were waited for. */
  repeat(nowMs: number): void {
    for (const alert of this.#open.due(nowMs)) this.#tellEnd(alert, nowMs);
    for (const open of this.#open.all()) {
      if (isLately(open.lastSentMs, REPEAT_MS, nowMs)) continue;
      open.lastSentMs = nowMs;
      void this.#send(open.sinks, courseOf(open, 'firing', nowMs), true);
    }
    for (const ending of [...this.#endings.values()]) {
      if (ending.isUnderWay || isLately(ending.lastSentMs, REPEAT_MS, nowMs)) continue;
      if (nowMs - ending.endedAtMs < OWED_FOR_MS) void this.#sendEnd(ending, nowMs);
      else this.#endings.delete(ending.alert.key);
    }
    this.#storms.repeat(REPEAT_MS, nowMs);
  }

  /** Another process may tell people now: what it has resolved must not be repeated from here. */
  forget(): void {
    this.#open.forget();
    this.#endings.clear();
    this.#storms.forget();
  }

  /** The incident is over. People hear of it once it cannot come back as the same one. */
  resolve(incident: Incident, nowMs: number): void {
    const alert = this.#open.end(incident, nowMs);
    if (alert !== undefined) this.#tellEnd(alert, nowMs);
  }

  #tellEnd(alert: OpenAlert, nowMs: number): void {
    const told = this.#open.toldEnd(alert.key);
    const meant = alert.sinks.length > 0 ? alert.sinks : this.#notifier.sinks();
    const sinks = meant.filter((sink) => !told.includes(sink));
    if (sinks.length === 0) return;
    const ending = { alert, sinks, endedAtMs: nowMs, lastSentMs: nowMs, isUnderWay: false };
    this.#endings.set(alert.key, ending);
    void this.#sendEnd(ending, nowMs);
  }

  /** Who did not take it is told again after a minute. */
  async #sendEnd(ending: Ending, nowMs: number): Promise<void> {
    const { alert, sinks } = ending;
    ending.isUnderWay = true;
    const message = courseOf(alert, 'resolved', nowMs);
    const others = this.#open.all().some(({ intent }) => groupOf(intent) === message.group);
    const reply = await this.#send(sinks, { ...message, ...(!others && { endsGroup: true }) });
    // Another process may lead by now: what it noted is not written over.
    if (this.#endings.get(alert.key) !== ending) return;
    this.#endings.delete(alert.key);
    const owed = sinks.filter((sink) => !reply.delivered.includes(sink));
    if (owed.length > 0) this.#endings.set(alert.key, { ...ending, sinks: owed, lastSentMs: nowMs, isUnderWay: false });
    if (reply.delivered.length > 0) await this.#open.noteEnd(alert, reply.delivered, nowMs);
  }

  /** The storms that brake now: one grouped alert each, and its end. */
  storms(active: readonly StormState[], nowMs: number, reportOf: (state: StormState) => StormReport): void {
    this.#storms.look(active, nowMs, reportOf);
  }

  async #send(sinks: readonly string[], message: AlertMessage, isRepeat = false): Promise<Reply> {
    const reply = await this.#notifier.send(sinks, message, { isRepeat });
    for (const sink of reply.delivered) this.#metrics.count('aegis_notifications_total', { sink, result: 'delivered' });
    for (const { sink, message: why } of reply.failed) {
      this.#metrics.count('aegis_notifications_total', { sink, result: 'failed' });
      this.#log.warn('an alert was not delivered', { sink, key: message.key, why });
    }
    return reply;
  }
}

/** When the end of a resolved incident is told. */
const toldFromMs = (incident: Incident): number | undefined => mayReturnUntilMs(incident) ?? incident.resolvedAtMs;

/** An alert as it stands now: what was told at first, and what has become of it. */
function courseOf(
  { key, intent, startsAtMs, returns, over }: OpenAlert,
  status: AlertMessage['status'],
  nowMs: number,
): AlertMessage {
  const message = messageOf(intent, status, startsAtMs, nowMs);
  const course = [
    ...(returns === 0 ? [] : [`it flaps: it came back ${returns} ${returns === 1 ? 'time' : 'times'}`]),
    ...(over === undefined ? [] : [`in band for ${inWords(Math.max(0, nowMs - over.sinceMs))}`]),
  ];
  return { ...message, key, summary: [message.summary, ...course].join('; ') };
}

const groupOf = ({ target, policy }: Intent): string => `${target.namespace}/${policy.name}`;

function messageOf(intent: Intent, status: AlertMessage['status'], startsAtMs: number, nowMs: number): AlertMessage {
  const { target, diagnosis, policy } = intent;
  return {
    ...{ key: intent.incidentId, group: groupOf(intent), status },
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
