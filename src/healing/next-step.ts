import { DAY, MINUTE, SECOND } from '../lib/duration.ts';
import { isEffect } from '../policy/action.ts';
import type { Intent } from '../policy/action.ts';
import type { HealingPolicy } from '../policy/healing-policy.ts';
import { END_STATES } from '../policy/ledger.ts';
import type { ActionStatus, Outcome, Settlement } from './decision.ts';
import type { HeldBack } from './later-step.ts';
import { owesUndo, stateOf } from './lifecycle.ts';
import type { StoredAction } from './stored-action.ts';

/** Finished objects stay so long, for people; the store keeps the record. */
const FINISHED_TTL_MS = 7 * DAY;
/** An inverse that failed is tried again after this time. */
const UNDO_RETRY_MS = 30 * SECOND;
/** How often the time of a limit may be prolonged. */
const MAX_RENEWALS = 3;
/** How soon something is looked at again that no clock announces. */
const LOOK_AGAIN_MS = 15 * SECOND;

type Closed = NonNullable<ActionStatus['closed']>;

/** What the reconciler does next with an action, as a value: it only carries it out. */
export type NextStep =
  | { readonly do: 'wait'; readonly untilMs: number; readonly because: string }
  | { readonly do: 'await-approval'; readonly untilMs: number }
  /** A person answered: `markApproval` writes it down, and closes the action if it was no. */
  | {
      readonly do: 'record-approval';
      readonly approved: boolean;
      readonly by: string;
      readonly reason: string;
      readonly atMs: number;
    }
  /** Judge again on live reads, and go on to the write if nothing holds. */
  | { readonly do: 'gate' }
  /** An effect was left in the middle: look, never guess. */
  | { readonly do: 'settle' }
  | { readonly do: 'verify' }
  | { readonly do: 'undo'; readonly because: string }
  /** The time of a limit is over and the failure is not: judge whether it may go on, else take it back. */
  | { readonly do: 'renew'; readonly dueAtMs: number }
  | { readonly do: 'deliver-alert' }
  | ({ readonly do: 'finish' } & Omit<Closed, 'atMs'>)
  /** Deletion was asked for and nothing is owed: let the finalizer go. */
  | { readonly do: 'release' }
  | { readonly do: 'delete' };

export interface NextStepInput {
  readonly nowMs: number;
  /** The policy as it is now; `undefined`: deleted. */
  readonly policy: HealingPolicy | undefined;
  /** Whether Aegis holds the incident open; `undefined`: not known yet (just started). */
  readonly incidentOpen: boolean | undefined;
  /** Since when the workload is healthy without a break; absent: it is not, or not known. */
  readonly healthySinceMs?: number;
  /** An incident is open on the workload, this one or a later one. */
  readonly isWorkloadIll?: boolean;
  /** A later step of Aegis's own stands on this one, or went back a moment ago: `heldBackByLaterStep`. */
  readonly heldBack?: HeldBack;
  /** The store holds the finished action. */
  readonly isStored: boolean;
  /** How long a finished object stays; absent: seven days. */
  readonly finishedTtlMs?: number;
}

type Action = Pick<StoredAction, 'intent' | 'status' | 'approval' | 'deletedAtMs' | 'createdAtMs'>;

type Finish = NextStep & { readonly do: 'finish' };

const finish = (state: Closed['state'], reason: Closed['reason'], message: string): Finish => ({
  do: 'finish',
  state,
  reason,
  message,
});

/** The one question of the action's reconciler. Pure: what happened is in the status, the world is in the input. */
export function nextStep(action: Action, input: NextStepInput): NextStep {
  const next = nextAlone(action, input);
  return next.do === 'undo' && input.heldBack !== undefined ? { do: 'wait', ...input.heldBack } : next;
}

/** The same, as if there were no other action. */
function nextAlone(action: Action, input: NextStepInput): NextStep {
  const { intent, status } = action;
  if (action.deletedAtMs !== undefined) return onDeletion(action, input.nowMs);
  const state = stateOf(intent, status);
  if (END_STATES.has(state)) return afterEnd(action, input);
  if (state === 'Executing') return { do: 'settle' };
  if (state === 'Verifying') return verifying(action, input);
  return unsent(action, input);
}

/**
 * Deletion takes back what can be taken back, also where no verdict set a time for it: an effect in the middle is looked
 * for first, and one that is being verified has nobody left who would watch it.
 */
function onDeletion({ intent, status }: Action, nowMs: number): NextStep {
  const state = stateOf(intent, status);
  if (state === 'Executing') return { do: 'settle' };
  const hasInverse = intent.parameters.kind === 'scale' || intent.parameters.kind === 'throttle';
  const isUnwatched = state === 'Verifying' && hasInverse && status.rollback === undefined;
  return owesUndo(status) || isUnwatched ? undoNow(status, nowMs, 'the action was deleted') : { do: 'release' };
}

function afterEnd(action: Action, input: NextStepInput): NextStep {
  const { intent, status, createdAtMs } = action;
  if (owesUndo(status)) return undoWhenDue(intent, status, input);
  const { closed, delivered, verified, rollback } = status;
  const endedAtMs = Math.max(closed?.atMs ?? delivered?.atMs ?? verified?.atMs ?? createdAtMs, rollback?.atMs ?? 0);
  const goesAtMs = endedAtMs + (input.finishedTtlMs ?? FINISHED_TTL_MS);
  if (input.nowMs < goesAtMs) return { do: 'wait', untilMs: goesAtMs, because: 'finished; it is kept for people' };
  return input.isStored
    ? { do: 'delete' }
    : { do: 'wait', untilMs: input.nowMs + MINUTE, because: 'the store does not hold it yet' };
}

/**
 * A limit ends with its time, or with its policy. Added replicas go back after so much health without a break; without
 * a policy nobody judges health, and the promised time is kept.
 */
function undoWhenDue(intent: Intent, status: ActionStatus, input: NextStepInput): NextStep {
  const { nowMs, policy, healthySinceMs } = input;
  const { rollback, verified } = status;
  const dueAtMs = rollback?.dueAtMs ?? nowMs;
  if (policy === undefined && intent.parameters.kind === 'throttle')
    return { do: 'undo', because: 'its policy is gone' };
  if (dueAtMs > nowMs) return { do: 'wait', untilMs: dueAtMs, because: 'the inverse is not due yet' };
  if (mayGoOn(intent, status, input)) return { do: 'renew', dueAtMs };
  const isReturn = intent.parameters.kind === 'scale' && verified?.result.verdict !== 'Ineffective';
  if (!isReturn || policy === undefined) return undoNow({ rollback }, nowMs, 'its time has come');
  if (healthySinceMs === undefined) {
    return { do: 'wait', untilMs: nowMs + LOOK_AGAIN_MS, because: 'the workload is not healthy yet' };
  }
  const returnAfterMs = intent.parameters.kind === 'scale' ? intent.parameters.returnAfterSeconds * SECOND : 0;
  const returnsAtMs = healthySinceMs + returnAfterMs;
  return returnsAtMs > nowMs
    ? { do: 'wait', untilMs: returnsAtMs, because: 'it was not healthy for long enough' }
    : undoNow({ rollback }, nowMs, 'the workload is healthy again for long enough');
}

/** Whether a limit is worth asking for more time: it helped, the workload is ill, and it was not prolonged too often. */
function mayGoOn(intent: Intent, { rollback, verified }: ActionStatus, { isWorkloadIll }: NextStepInput): boolean {
  if (intent.parameters.kind !== 'throttle' || isWorkloadIll !== true) return false;
  const isUndoing = rollback?.atMs !== undefined;
  return !isUndoing && verified?.result.verdict === 'Effective' && (rollback?.renewals ?? 0) < MAX_RENEWALS;
}

/** The inverse, unless it failed a moment ago: `rollback.atMs` of one that is not done is its last try. */
function undoNow(
  { rollback }: { readonly rollback?: ActionStatus['rollback'] | undefined },
  nowMs: number,
  because: string,
): NextStep {
  const againAtMs = rollback?.atMs === undefined ? nowMs : rollback.atMs + UNDO_RETRY_MS;
  return againAtMs > nowMs
    ? { do: 'wait', untilMs: againAtMs, because: 'the inverse failed and is tried again' }
    : { do: 'undo', because };
}

function verifying({ intent, status }: Action, input: NextStepInput): NextStep {
  const { nowMs, policy } = input;
  const verdict = status.verified?.result.verdict;
  if (verdict !== undefined && verdict !== 'Waiting') return undoNow(status, nowMs, 'it did not help');
  if (owesUndo(status) && intent.parameters.kind === 'throttle') {
    const due = undoWhenDue(intent, status, input);
    if (due.do === 'undo') return due;
  }
  const stabilizationMs = (policy?.verification.stabilizationSeconds ?? 60) * SECOND;
  const fromMs = (status.executed?.atMs ?? nowMs) + stabilizationMs;
  // What is taken away must be watched from the first moment: scaling down is undone as soon as it hurts.
  if (nowMs >= fromMs || intent.action === 'scale_down') return { do: 'verify' };
  return { do: 'wait', untilMs: fromMs, because: 'the effect settles before it is judged' };
}

/**
 * Why an intent that was not sent is no longer meant; facts first, then time. Asked again in the moment of the write: the
 * reads before it take their time, and a policy may be edited meanwhile.
 */
export function outlived(
  { intent, status }: Pick<StoredAction, 'intent' | 'status'>,
  input: Pick<NextStepInput, 'policy' | 'incidentOpen' | 'nowMs'>,
): Finish | undefined {
  const { policy, incidentOpen, nowMs } = input;
  if (policy === undefined || policy.uid !== intent.policy.uid) {
    return finish('Superseded', 'PolicyChanged', 'its policy is gone');
  }
  if (isEffect(intent.action) && policy.generation !== intent.policy.generation) {
    return finish(
      'Superseded',
      'PolicyChanged',
      `the policy is at generation ${policy.generation}, it was decided at ${intent.policy.generation}`,
    );
  }
  if (incidentOpen === false) return finish('Superseded', 'IncidentClosed', 'the incident is over');
  if (nowMs < intent.expiresAtMs) return undefined;
  const unapproved = intent.approvalRequired && status.approved === undefined;
  return unapproved
    ? finish('Expired', 'ApprovalExpired', 'nobody approved it in time')
    : finish('Expired', 'Expired', `it was not sent in time${blockedSuffix(status)}`);
}

const blockedSuffix = ({ blocked }: ActionStatus): string =>
  blocked === undefined ? '' : `: ${blocked.reason}, ${blocked.message}`;

function unsent(action: Action, input: NextStepInput): NextStep {
  const { intent, status, approval } = action;
  const { nowMs, incidentOpen } = input;
  const over = outlived(action, input);
  if (over !== undefined) return over;
  if (incidentOpen === undefined) {
    return { do: 'wait', untilMs: nowMs + LOOK_AGAIN_MS, because: 'whether the incident is open is not known yet' };
  }
  const blocked = status.blocked;
  const nextLookMs = blocked === undefined ? 0 : Math.min(blocked.nextLookMs, intent.expiresAtMs);
  if (!isEffect(intent.action)) {
    return nextLookMs > nowMs
      ? { do: 'wait', untilMs: nextLookMs, because: 'the sinks are tried again later' }
      : { do: 'deliver-alert' };
  }
  if (status.approved === undefined && approval !== undefined) {
    const { decision, by, reason, atMs } = approval;
    return { do: 'record-approval', approved: decision === 'Approved', by, reason, atMs };
  }
  if (intent.approvalRequired && intent.execution === 'Enforce' && status.approved === undefined) {
    return { do: 'await-approval', untilMs: intent.expiresAtMs };
  }
  return nextLookMs > nowMs
    ? { do: 'wait', untilMs: nextLookMs, because: `blocked: ${blocked?.reason}` }
    : { do: 'gate' };
}

/** What follows from having looked at an effect that was left in the middle. */
export type AfterSettlement =
  | { readonly do: 'record'; readonly outcome: Outcome }
  | { readonly do: 'redo' }
  | ({ readonly do: 'finish' } & Omit<Closed, 'atMs'>);

/** The table of `invariants.md`: done is recorded, absent is done once more while unexpired, the rest is given up. */
export function afterSettlement(
  intent: Intent,
  settlement: Exclude<Settlement, 'unseen'>,
  nowMs: number,
): AfterSettlement {
  switch (settlement) {
    case 'done':
      return { do: 'record', outcome: { kind: 'already', detail: 'found done after an interruption' } };
    case 'foreign':
      return {
        do: 'finish',
        state: 'Superseded',
        reason: 'TargetChanged',
        message: 'somebody else changed the target meanwhile',
      };
    case 'absent':
      // A cache is cleared at most once: that nothing is to be seen proves nothing.
      if (intent.action === 'clear_cache') return afterSettlement(intent, 'unprovable', nowMs);
      return nowMs < intent.expiresAtMs
        ? { do: 'redo' }
        : { do: 'finish', state: 'Expired', reason: 'Expired', message: 'it was interrupted and not sent in time' };
    case 'unprovable':
      return {
        do: 'finish',
        state: 'Failed',
        reason: 'Ambiguous',
        message: 'it was interrupted, and whether it was done cannot be proven',
      };
  }
}
