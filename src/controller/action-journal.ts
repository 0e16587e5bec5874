import type { ActionStatus } from '../healing/decision.ts';
import { stateOf } from '../healing/lifecycle.ts';
import { toRecord } from '../healing/record.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { ActionState } from '../policy/ledger.ts';
import { isKnown } from './kept-row.ts';
import { rowIdOf, rowOf } from './action-rows.ts';
import type { ActionLedger } from './action-ledger.ts';
import type { ActionTimes } from './action-times.ts';
import type { EventReason } from './events.ts';
import { eventNote, regardingAction, regardingWorkload } from './events.ts';
import type { OwedRows } from './owed-rows.ts';
import type { ClusterWriter, EventSink, Leadership, MetricsSink, StoredAction } from './ports.ts';
import type { HistoryRow, Store } from './store-ports.ts';

/** More than an incident has in its last minutes, where a row that is still open would be. */
const ROWS_OF_AN_INCIDENT = 50;

/** Further writes of an outcome, and the wait before each but the first, times its number: five seconds in all. */
const RECORD_ATTEMPTS = 5;
const RECORD_EVERY_MS = 500;

/** The Event that tells of an action's arrival in a state; states without one are silent. */
const EVENT_OF: Partial<Record<ActionState, EventReason>> = {
  AwaitingApproval: 'AwaitingApproval',
  Blocked: 'ActionBlocked',
  Verifying: 'ActionExecuted',
  Healed: 'Healed',
  Ineffective: 'Ineffective',
  RolledBack: 'RolledBack',
  Failed: 'ActionFailed',
  Denied: 'ActionDenied',
  Expired: 'ActionExpired',
  Superseded: 'ActionSuperseded',
};

/** Writes what became of an action: status first, then ledger, Event and metric, so that a retry announces nothing twice. */
export class ActionJournal {
  readonly #deps: {
    readonly writer: ClusterWriter;
    readonly leadership: Leadership;
    readonly store: Store;
    readonly owed: OwedRows;
    readonly ledger: ActionLedger;
    readonly times: ActionTimes;
    readonly events: EventSink;
    readonly metrics: MetricsSink;
    readonly clock: Clock;
    readonly log: Log;
  };

  constructor(deps: {
    readonly writer: ClusterWriter;
    readonly leadership: Leadership;
    readonly store: Store;
    readonly owed: OwedRows;
    readonly ledger: ActionLedger;
    readonly times: ActionTimes;
    readonly events: EventSink;
    readonly metrics: MetricsSink;
    readonly clock: Clock;
    readonly log: Log;
  }) {
    this.#deps = deps;
  }

  /** The action as written; `undefined` if it could not be, or somebody else wrote it since it was read. */
  async write(action: StoredAction, status: ActionStatus): Promise<StoredAction | undefined> {
    const { writer, leadership, ledger, times, log } = this.#deps;
    const facts = { actionId: action.intent.name, incidentId: action.intent.incidentId };
    if (!leadership.mayWrite()) {
      log.warn('an action cannot be written: the lease is too old', facts);
      return undefined;
    }
    const written = await writer.writeActionStatus(action, status);
    if (!written.ok) {
      log.warn('an action cannot be written', { ...facts, fault: written.error });
      return undefined;
    }
    times.note(written.value);
    await ledger.adopt([toRecord(written.value)]);
    this.#tell(action, written.value);
    return written.value;
  }

  /**
   * What came of an effect that was sent: kept in memory until it is written, for a while. A version that somebody took from
   * under the write, or a lost answer, must not lose it: of a cleared cache no second look would tell. The effect is not
   * repeated, and what another process has recorded meanwhile stands.
   */
  async record(executing: StoredAction, mark: (status: ActionStatus) => ActionStatus): Promise<void> {
    const { writer, clock } = this.#deps;
    const { namespace, name } = executing.intent;
    if ((await this.write(executing, mark(executing.status))) !== undefined) return;
    for (let attempt = 0; attempt < RECORD_ATTEMPTS; attempt++) {
      // The first look follows at once: most often somebody has only annotated the object.
      if (attempt > 0) await new Promise<void>((resolve) => clock.after(RECORD_EVERY_MS * attempt, resolve));
      const read = await writer.readAction(namespace, name);
      if (!read.ok && read.error.kind === 'NotFound') return;
      if (!read.ok) continue;
      const { status, uid } = read.value;
      const isOpen = status.executingAtMs === executing.status.executingAtMs && status.executed === undefined;
      if (uid !== executing.uid || !isOpen || status.closed !== undefined) return;
      if ((await this.write(read.value, mark(status))) !== undefined) return;
    }
  }

  /** The history row of an effect, durable before it; its id, or `undefined` if the store does not take it. */
  async announce(
    action: StoredAction,
    kind: HistoryRow['kind'] = 'effect',
    message?: string,
  ): Promise<string | undefined> {
    const { store, owed, log } = this.#deps;
    const row = rowOf(action, kind, message);
    try {
      await store.appendHistory([row]);
      return row.id;
    } catch (error) {
      // Of another release, or of a process that judged it otherwise: the row is there, and announces this very write.
      if (store.healthy() && (await isKnown(store, row).catch(() => false))) return row.id;
      log.warn('the history takes no row', { actionId: action.intent.name, kind, err: error });
      if (kind === 'alert' || kind === 'undo') owed.add(row);
      return undefined;
    }
  }

  async complete(rowId: string, reason: string, message: string): Promise<void> {
    const { store, owed, clock, log } = this.#deps;
    const outcome = { atMs: clock.nowMs(), reason, message };
    try {
      await store.completeHistory(rowId, outcome);
    } catch (error) {
      log.warn('a history row cannot be completed', { row: rowId, err: error });
      owed.addOutcome(rowId, outcome);
    }
  }

  /** The end of an action that was not sent: a row that was announced for it before, by whomever, says so. */
  async completeUnsent(
    action: StoredAction,
    because: { readonly reason: string; readonly message: string },
  ): Promise<void> {
    const { store, log } = this.#deps;
    const { name, incidentId } = action.intent;
    try {
      const rows = await store.history({ incidentId, limit: ROWS_OF_AN_INCIDENT });
      const row = rows.find(({ id }) => id === rowIdOf(action));
      if (row === undefined || row.outcome !== undefined) return;
      await this.complete(row.id, because.reason, `not sent: ${because.message}`);
    } catch (error) {
      log.warn('the history cannot be read', { actionId: name, err: error });
    }
  }

  #tell(before: StoredAction, after: StoredAction): void {
    const { events, metrics, log } = this.#deps;
    const { intent } = after;
    const state = stateOf(intent, after.status);
    const wasSame = stateOf(before.intent, before.status) === state;
    if (wasSame && before.status.blocked?.reason === after.status.blocked?.reason) return;
    metrics.count('aegis_actions_total', { action: intent.action, state });
    log.info('action', { actionId: intent.name, incidentId: intent.incidentId, action: intent.action, state });
    const reason = eventOf(after, state);
    if (reason === undefined) return;
    const note = `${intent.action} (${intent.name}): ${state}: ${storyOf(after)}`;
    events.emit(eventNote(regardingWorkload(intent.target), reason, note));
    events.emit(eventNote(regardingAction(after), reason, note));
  }
}

/** An alert and a dry run have words of their own: neither healed nor was refused. */
function eventOf({ intent, status }: StoredAction, state: ActionState): EventReason | undefined {
  if (intent.action === 'alert_admin' && state === 'Healed') return 'AlertSent';
  if (intent.action === 'alert_admin' && state === 'Failed') return 'AlertNotDelivered';
  return status.closed?.reason === 'ObserveOnly' ? 'DryRunOnly' : EVENT_OF[state];
}

/** The sentence that tells most about where the action stands. */
function storyOf({ intent, status }: StoredAction): string {
  const { closed, rollback, verified, delivered, executed, blocked } = status;
  if (closed !== undefined) return `${closed.reason}: ${closed.message}`;
  if (rollback?.done === true) return rollback.readBack ?? 'undone';
  if (verified !== undefined) return verified.result.message;
  if (delivered !== undefined) return `told ${delivered.sinks.join(', ')}`;
  if (blocked !== undefined) return `${blocked.reason}: ${blocked.message}`;
  return executed?.message ?? intent.reason;
}
