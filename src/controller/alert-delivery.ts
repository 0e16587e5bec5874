import { stateOf } from '../healing/lifecycle.ts';
import { markClosed, markDelivered } from '../healing/transitions.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { END_STATES } from '../policy/ledger.ts';
import type { ActionJournal } from './action-journal.ts';
import type { AlertDesk } from './alert-desk.ts';
import type { ClusterWriter, StoredAction } from './ports.ts';

export interface AlertDeliveryDeps {
  readonly writer: ClusterWriter;
  readonly alerts: AlertDesk;
  readonly journal: ActionJournal;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Has people told, on nobody's time: a sink may take minutes, with its tries and its one message a minute, and whoever
 * waited for it would carry no other action on. Killed in between, the alert is told again, under the same key.
 */
export class AlertDelivery {
  readonly #deps: AlertDeliveryDeps;
  /** Names of those under way. */
  readonly #underWay = new Set<string>();

  constructor(deps: AlertDeliveryDeps) {
    this.#deps = deps;
  }

  /** Begins it, unless it is under way. What became of it is in the action's status once the sinks have answered. */
  begin(action: StoredAction): void {
    const { name } = action.intent;
    if (this.#underWay.has(name)) return;
    this.#underWay.add(name);
    void this.#deliver(action)
      .catch((error: unknown) => this.#deps.log.error('an alert cannot be told', { actionId: name, err: error }))
      .finally(() => this.#underWay.delete(name));
  }

  async #deliver(action: StoredAction): Promise<void> {
    const { writer, alerts, journal, clock } = this.#deps;
    const { intent } = action;
    // With the store down people are told all the same; the row is owed.
    await journal.announce(action, 'alert');
    const reply = await alerts.deliver(intent, clock.nowMs());
    // Minutes may have passed: it may have been given up, or written by somebody else.
    const now = await writer.readAction(intent.namespace, intent.name);
    if (!now.ok || END_STATES.has(stateOf(intent, now.value.status))) return;
    const { status } = now.value;
    const nowMs = clock.nowMs();
    if (reply.delivered.length > 0) {
      await journal.write(now.value, markDelivered(status, reply.delivered, nowMs));
    } else {
      const message = `no sink took it: ${reply.failed.join('; ')}`;
      await journal.write(now.value, markClosed(status, { state: 'Failed', reason: 'NotDelivered', message }, nowMs));
    }
  }
}
