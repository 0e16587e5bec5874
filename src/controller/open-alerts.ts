import { mayReturnUntilMs, type Incident } from '../detection/incident.ts';
import { HOUR } from '../lib/duration.ts';
import type { Log } from '../lib/log.ts';
import type { Intent } from '../policy/action.ts';
import type { FailureType } from '../diagnosis/failure-type.ts';
import type { Store } from './store-ports.ts';
import { takeUp } from './stored-state.ts';

const BLOB = 'alerts';
/** Longer than a new leader looks back for ends that were not told. */
const ENDS_KEPT_MS = HOUR;
/** Bounds what is stored; beyond it a change of leader may tell the oldest ends again. */
const MOST_KEPT = 10_000;

/** What people know of and have not been told the end of. */
export interface OpenAlert {
  /** Id of the incident under which it was told: the key for receivers. */
  readonly key: string;
  readonly intent: Intent;
  /** Empty: all. */
  readonly sinks: readonly string[];
  readonly startsAtMs: number;
  lastSentMs: number;
  /** The incidents that it stands for, the last one at the end. */
  incidents: readonly string[];
  /** How often the last of them came back. */
  returns: number;
  /** The last of them ended, and may come back. */
  over?: { readonly sinceMs: number; readonly tellAtMs: number };
}

/** What the action objects do not say of an alert that was told. */
interface Kept {
  readonly key: string;
  readonly incidents: readonly string[];
  /** Who was told of the end. */
  readonly ended?: { readonly atMs: number; readonly sinks: readonly string[] };
}

/**
 * The alerts that are open with people, and of those that are not, who was told of their end: stored, so that the next leader
 * tells it to nobody twice. What was delivered and could not be stored before a kill is told again: between the two nobody can look.
 */
export class OpenAlerts {
  readonly #store: Pick<Store, 'saveBlob' | 'loadBlob'>;
  readonly #log: Log;
  readonly #open = new Map<string, OpenAlert>();
  /** Those of them whose incident is over and may come back. */
  readonly #waiting = new Set<OpenAlert>();
  /** Keys of the alerts, by the incidents that they stand for. */
  readonly #keys = new Map<string, string>();
  #kept = new Map<string, Kept>();
  #saving: Promise<void> | undefined;
  #isChanged = false;

  constructor(store: Pick<Store, 'saveBlob' | 'loadBlob'>, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  /** What the last leader told. False: it cannot be read, so nobody knows what people have heard already. */
  async load(): Promise<boolean> {
    const warnings = {
      unread: 'what people were told cannot be read; nothing is decided until it can',
      damaged: 'what people were told is damaged; they may hear of an end again',
    };
    const kept = new Map<string, Kept>();
    const stored = { store: this.#store, key: BLOB, log: this.#log, warnings };
    const isRead = await takeUp<Kept[]>(stored, (all) => {
      for (const each of all) kept.set(each.key, each);
    });
    if (isRead) this.#kept = kept;
    return isRead;
  }

  /** Another process may tell people now. */
  forget(): void {
    this.#open.clear();
    this.#waiting.clear();
    this.#keys.clear();
    this.#kept.clear();
  }

  all(): readonly OpenAlert[] {
    return [...this.#open.values()];
  }

  /** The alert that stands for this incident. */
  of(incidentId: string): OpenAlert | undefined {
    return this.#open.get(this.#keys.get(incidentId) ?? '');
  }

  add(alert: OpenAlert): void {
    this.#open.set(alert.key, alert);
    for (const incidentId of [alert.key, ...alert.incidents]) this.#keys.set(incidentId, alert.key);
  }

  incidentsOf(key: string): readonly string[] {
    return this.#kept.get(key)?.incidents ?? [key];
  }

  /** The sinks that were told of its end. */
  toldEnd(key: string): readonly string[] {
    return this.#kept.get(key)?.ended?.sinks ?? [];
  }

  /**
   * Whether people know of this incident already: they were told of it, or of another one with the same failure of the same workload
   * that is over for less time than it takes to be sure. That one's alert goes on for this one.
   */
  join(incident: Incident, failureType?: FailureType): boolean {
    const own = this.of(incident.id);
    const alert = own ?? [...this.#waiting].find(({ intent }) => isAbout(intent, incident, failureType));
    if (alert === undefined) return false;
    delete alert.over;
    this.#waiting.delete(alert);
    alert.returns = incident.returns ?? alert.returns;
    if (own !== undefined) return true;
    alert.incidents = [...alert.incidents, incident.id];
    this.#keys.set(incident.id, alert.key);
    alert.returns += 1;
    void this.#keep({ key: alert.key, incidents: alert.incidents });
    return true;
  }

  /** An incident is over. The alert, if its end is to be told now; one that may come back waits for that. */
  end(incident: Incident, nowMs: number): OpenAlert | undefined {
    const alert = this.of(incident.id);
    if (alert === undefined || alert.incidents.at(-1) !== incident.id) return undefined;
    const untilMs = mayReturnUntilMs(incident);
    alert.returns = incident.returns ?? alert.returns;
    if (untilMs === undefined || untilMs <= nowMs) return this.#close(alert);
    alert.over = { sinceMs: incident.resolvedAtMs ?? nowMs, tellAtMs: untilMs };
    this.#waiting.add(alert);
    return undefined;
  }

  /** The alerts whose incidents have not come back: their ends are to be told. */
  due(nowMs: number): readonly OpenAlert[] {
    return (
      [...this.#waiting]
        // A wall clock that was set back holds up no message.
        .filter(({ over }) => over !== undefined && (nowMs >= over.tellAtMs || nowMs < over.sinceMs))
        .map((alert) => this.#close(alert))
    );
  }

  #close(alert: OpenAlert): OpenAlert {
    this.#open.delete(alert.key);
    this.#waiting.delete(alert);
    for (const incidentId of [alert.key, ...alert.incidents]) this.#keys.delete(incidentId);
    return alert;
  }

  /** These were told of its end, besides those that were before. */
  noteEnd({ key, incidents }: OpenAlert, sinks: readonly string[], nowMs: number): Promise<void> {
    const told = [...new Set([...this.toldEnd(key), ...sinks])];
    return this.#keep({ key, incidents, ended: { atMs: nowMs, sinks: told } }, nowMs);
  }

  async #keep(kept: Kept, nowMs = 0): Promise<void> {
    this.#kept.delete(kept.key);
    this.#kept.set(kept.key, kept);
    for (const [key, { ended }] of this.#kept) {
      const isOld = ended !== undefined && nowMs - ended.atMs > ENDS_KEPT_MS;
      if (isOld || this.#kept.size > MOST_KEPT) this.#kept.delete(key);
    }
    this.#isChanged = true;
    // Many at once are stored in few turns.
    this.#saving ??= this.#save().finally(() => (this.#saving = undefined));
    await this.#saving;
  }

  async #save(): Promise<void> {
    while (this.#isChanged) {
      this.#isChanged = false;
      try {
        await this.#store.saveBlob(BLOB, new TextEncoder().encode(JSON.stringify([...this.#kept.values()])));
      } catch (error) {
        this.#log.warn('what people were told cannot be stored; the next leader may tell an end again', { err: error });
      }
    }
  }
}

function isAbout({ policy, target, diagnosis }: Intent, incident: Incident, failureType?: FailureType): boolean {
  return (
    diagnosis.failureType === failureType && policy.uid === incident.policyUid && target.uid === incident.workload.uid
  );
}
