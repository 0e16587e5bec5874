import type { Outcome } from '../healing/decision.ts';
import { reachedByLaterSteps, type Reached } from '../healing/later-step.ts';
import { markRenewed, markUndone } from '../healing/transitions.ts';
import { SECOND } from '../lib/duration.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { WorkloadSnapshot } from '../lib/workload.ts';
import type { Intent } from '../policy/action.ts';
import type { HealingPolicy } from '../policy/healing-policy.ts';
import { replicasOwner } from '../policy/ownership.ts';
import { replicasFloor } from '../policy/preconditions/scale.ts';
import type { ActionGate } from './action-gate.ts';
import type { ActionTimes } from './action-times.ts';
import { undoMessage } from './action-rows.ts';
import type { ActionJournal } from './action-journal.ts';
import type { AlertDesk } from './alert-desk.ts';
import { eventNote, regardingWorkload } from './events.ts';
import type { ClusterReader, ClusterWriter, EventSink, Executor, Leadership, StoredAction } from './ports.ts';
import type { Findings, Surroundings } from './surroundings.ts';

/** A process that has just begun has judged the workload by then, or the limit does not wait for it. */
const JUDGED_WITHIN_MS = 30 * SECOND;

export interface ReversalsDeps {
  readonly surroundings: Pick<Surroundings, 'policy'>;
  readonly reader: Pick<ClusterReader, 'actions'>;
  readonly writer: ClusterWriter;
  readonly leadership: Leadership;
  readonly gate: ActionGate;
  readonly times: ActionTimes;
  readonly journal: ActionJournal;
  readonly alerts: AlertDesk;
  readonly events: EventSink;
  readonly clock: Clock;
  readonly log: Log;
}

/** What became of it: written, to be tried again at once or soon, or failed and to be tried again later. */
export type Reversed = 'at-once' | 'again-soon' | 'failed';

/** The way back from an effect: its inverse, and the time that a limit is given instead. */
export class Reversals {
  readonly #deps: ReversalsDeps;

  constructor(deps: ReversalsDeps) {
    this.#deps = deps;
  }

  /** Takes an effect back. Needs the lease and the preconditions, but no metrics, budget or storm clearance. */
  async undo(action: StoredAction, executor: Executor | undefined, because: string): Promise<Reversed> {
    const { reader, writer, journal, clock, times, leadership, events, log } = this.#deps;
    const { intent, status } = action;
    const live = await writer.readWorkload(intent.target);
    if (!live.ok && live.error.kind !== 'NotFound') return 'again-soon';
    if (!leadership.mayWrite()) return 'again-soon';
    // The row first, so that no inverse goes unrecorded; but what Aegis changed is taken back with the store down, too.
    const row = await journal.announce(action, 'undo', undoMessage(action));
    const target = live.ok && live.value.ref.uid === intent.target.uid ? live.value : undefined;
    const policy = this.#deps.surroundings.policy(intent.policy.uid);
    const onTarget = reader.actions().filter((each) => each.intent.target.uid === intent.target.uid);
    const reached = reachedByLaterSteps(
      times.steady(action),
      onTarget.map((each) => times.steady(each)),
    );
    const outcome =
      passedBy(intent, reached) ?? belowFloor(intent, policy) ?? (await inverse(intent, executor, target, reached));
    log.info('undo', { actionId: intent.name, incidentId: intent.incidentId, because, outcome });
    const readBack = `${because}; ${await this.#readBack(action, outcome)}`;
    if (row !== undefined) await journal.complete(row, outcome.kind, `${textOf(outcome)}: ${readBack}`);
    // With the target itself all that was changed of it is gone: nothing is left over.
    if (outcome.kind === 'refused' && outcome.reason !== 'TargetGone') this.#tellAbandoned(action, outcome.message);
    const written = await journal.write(action, markUndone(status, outcome, readBack, clock.nowMs()));
    if (outcome.kind === 'blocked' || outcome.kind === 'failed' || outcome.kind === 'ambiguous') {
      events.emit(eventNote(regardingWorkload(intent.target), 'RollbackFailed', `${intent.name}: ${outcome.message}`));
      return 'failed';
    }
    return written === undefined ? 'again-soon' : 'at-once';
  }

  /** What the inverse left: replicas are read anew; whatever else it wrote, the executor has looked at. */
  async #readBack({ intent }: StoredAction, outcome: Outcome): Promise<string> {
    if (intent.parameters.kind !== 'scale') return textOf(outcome);
    const after = await this.#deps.writer.readWorkload(intent.target);
    return after.ok ? `${after.value.replicas.desired} replicas were read back` : 'nothing could be read back';
  }

  /** Before the status, so that a kill in between tells it twice rather than never: receivers know the key. */
  #tellAbandoned({ intent }: StoredAction, why: string): void {
    const { events, alerts, clock } = this.#deps;
    events.emit(eventNote(regardingWorkload(intent.target), 'RollbackAbandoned', `${intent.name}: ${why}`));
    alerts.abandoned(intent, why, clock.nowMs());
  }

  /** The whole gate's judgement anew, without a write of Aegis's own kinds: held by whatever reason, it is taken back. */
  async renew(
    action: StoredAction,
    executor: Executor | undefined,
    { findings, dueAtMs }: { readonly findings: Findings | undefined; readonly dueAtMs: number },
  ): Promise<Reversed> {
    const { gate, journal, clock, leadership, log } = this.#deps;
    const { intent, status } = action;
    // A process that has just begun has not judged the workload yet; the limit does not wait for it for long.
    if (findings === undefined && clock.nowMs() < dueAtMs + JUDGED_WITHIN_MS) return 'again-soon';
    if (!leadership.mayWrite()) return 'again-soon';
    const held = findings === undefined ? NOT_JUDGED : await gate.holds(action, findings);
    if (held !== undefined)
      return this.undo(action, executor, `its time has come; not prolonged: ${held.reason}: ${held.message}`);
    const renewal = (status.rollback?.renewals ?? 0) + 1;
    const row = await journal.announce(action, 'effect', `prolongs the limit of ${intent.name} (${renewal})`);
    if (row === undefined)
      return this.undo(action, executor, 'its time has come; not prolonged: the history takes no row');
    const outcome = (await executor?.renew?.(intent, renewal)) ?? NOTHING_TO_TELL;
    log.info('renewal', { actionId: intent.name, incidentId: intent.incidentId, renewal, outcome });
    await journal.complete(row, outcome.kind, textOf(outcome));
    if (outcome.kind !== 'applied' && outcome.kind !== 'already') {
      return this.undo(action, executor, `its time has come; not prolonged: ${textOf(outcome)}`);
    }
    const answer = `renewed (${renewal}): ${textOf(outcome)}`;
    const written = await journal.write(action, markRenewed(intent, status, answer, clock.nowMs()));
    return written === undefined ? 'again-soon' : 'at-once';
  }
}

/** The policy asks for more by now than the replicas were raised from (I23). */
function belowFloor({ parameters, action }: Intent, policy: HealingPolicy | undefined): Outcome | undefined {
  if (parameters.kind !== 'scale' || action !== 'scale_up' || policy === undefined) return undefined;
  const floor = replicasFloor({ policy });
  const message = `they were raised from ${parameters.from}, and the policy asks for at least ${floor} by now`;
  return parameters.autoscaler === undefined && parameters.from < floor
    ? { kind: 'refused', reason: 'AtMinimum', message }
    : undefined;
}

/** Aegis's own later step went as far back as the inverse would, or further: there is nothing left to take back. */
function passedBy({ parameters }: Intent, { value, by }: Reached): Outcome | undefined {
  if (parameters.kind !== 'scale' || by === undefined) return undefined;
  const { from, to } = parameters;
  const isPassed = from < to ? value <= from : value >= from;
  return isPassed
    ? { kind: 'already', detail: `${by} went to ${value} since, and they had come from ${from}` }
    : undefined;
}

async function inverse(
  intent: Intent,
  executor: Executor | undefined,
  target: WorkloadSnapshot | undefined,
  { value }: Reached,
): Promise<Outcome> {
  const none = { kind: 'refused', reason: 'Unsupported', message: 'it has no inverse' } as const;
  const { parameters } = intent;
  const standing = parameters.kind === 'scale' ? { ...intent, parameters: { ...parameters, to: value } } : intent;
  return takenOver(intent, target) ?? (await executor?.undo?.(standing, target)) ?? none;
}

/** Whoever took the replicas over since decides them: writing against an autoscaler would only begin a fight (I17). */
function takenOver({ parameters }: Intent, target: WorkloadSnapshot | undefined): Outcome | undefined {
  if (target === undefined || parameters.kind !== 'scale' || parameters.autoscaler !== undefined) return undefined;
  const owner = replicasOwner(target);
  switch (owner.kind) {
    case 'nobody':
      return undefined;
    case 'unknown':
      return { kind: 'blocked', reason: 'OwnershipUnknown', message: 'who owns the replicas by now cannot be read' };
    case 'autoscaler':
      return { kind: 'refused', reason: 'ReplicasOwned', message: `${owner.autoscaler.name} owns the replicas by now` };
    case 'keda':
      return { kind: 'refused', reason: 'ReplicasOwned', message: `${owner.name} owns the replicas by now` };
    case 'gitops':
      return { kind: 'refused', reason: 'ReplicasOwned', message: `${owner.manager} owns the replicas by now` };
  }
}

const NOT_JUDGED = { reason: 'InsufficientData', message: 'the workload was not judged' } as const;
const NOTHING_TO_TELL: Outcome = { kind: 'applied', detail: 'the limit stands' };

const textOf = (outcome: Outcome): string => ('detail' in outcome ? outcome.detail : outcome.message);
