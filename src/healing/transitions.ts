import { SECOND } from '../lib/duration.ts';
import type { Reason } from '../lib/reasons.ts';
import type { Intent } from '../policy/action.ts';
import type { Hold } from '../policy/guard.ts';
import type { HealingPolicy } from '../policy/healing-policy.ts';
import type { ActionStatus, Outcome, Verification } from './decision.ts';

/**
 * The next status of an action, computed whole from the last one and from what happened. The shell writes it, and
 * announces only what was written.
 */

/** A blocker without a known end is looked at again after this time. */
const LOOK_AGAIN_MS = 15 * SECOND;
/** A server that names a longer wait is not obeyed further than this. */
const MAX_RETRY_AFTER_MS = 300 * SECOND;

const without = <K extends keyof ActionStatus>(status: ActionStatus, key: K): Omit<ActionStatus, K> => {
  const { [key]: _left, ...rest } = status;
  return rest;
};

/** A blocker came up. The time stays that of its first appearance while the reason stays the same. */
export function markBlocked(status: ActionStatus, hold: Hold, nowMs: number): ActionStatus {
  const same = status.blocked?.reason === hold.reason ? status.blocked : undefined;
  return {
    ...without(status, 'executingAtMs'),
    blocked: {
      reason: hold.reason,
      message: hold.message,
      atMs: same?.atMs ?? nowMs,
      nextLookMs: Math.max(hold.retryAtMs ?? 0, nowMs + LOOK_AGAIN_MS),
    },
  };
}

/** The write is about to be sent; must be durable before it is. */
export function markExecuting(status: ActionStatus, nowMs: number): ActionStatus {
  return { ...without(status, 'blocked'), executingAtMs: nowMs };
}

/** A person's answer; a refusal ends the action. */
export function markApproval(
  status: ActionStatus,
  answer: { readonly approved: boolean; readonly by: string; readonly reason: string; readonly atMs: number },
  nowMs: number,
): ActionStatus {
  const { approved, by, reason, atMs } = answer;
  const answered: ActionStatus = { ...status, approved: { value: approved, by, reason, atMs } };
  if (approved) return answered;
  const message = reason === '' ? `refused by ${by}` : `refused by ${by}: ${reason}`;
  return markClosed(answered, { state: 'Denied', reason: 'DeniedByPerson', message }, nowMs);
}

/** Ends an action that was not, or not provably, carried out. */
export function markClosed(
  status: ActionStatus,
  closed: Omit<NonNullable<ActionStatus['closed']>, 'atMs'>,
  nowMs: number,
): ActionStatus {
  const { state, reason, message } = closed;
  return { ...without(status, 'blocked'), closed: { state, reason, message, atMs: nowMs } };
}

/**
 * Ends an action whose write may have been sent, without knowing: what it might have left behind is taken away at once.
 * Where nothing is there, that changes nothing.
 */
export function markGivenUp(
  intent: Intent,
  status: ActionStatus,
  closed: Omit<NonNullable<ActionStatus['closed']>, 'atMs'>,
  nowMs: number,
): ActionStatus {
  const ended = markClosed(status, closed, nowMs);
  const mayStand = intent.parameters.kind === 'throttle' && status.executingAtMs !== undefined;
  return mayStand ? { ...ended, rollback: { dueAtMs: nowMs, done: false } } : ended;
}

/** The time of a limit was prolonged; `answer` says by what. */
export function markRenewed(intent: Intent, status: ActionStatus, answer: string, nowMs: number): ActionStatus {
  const attempts = [...status.attempts, { atMs: nowMs, answer }];
  const renewals = (status.rollback?.renewals ?? 0) + 1;
  return { ...status, attempts, rollback: { ...timedUndo(intent, nowMs).rollback, done: false, renewals } };
}

/** People were told: the end of an `alert_admin`. */
export function markDelivered(status: ActionStatus, sinks: readonly string[], nowMs: number): ActionStatus {
  return { ...without(status, 'blocked'), delivered: { atMs: nowMs, sinks } };
}

function closing(
  status: ActionStatus,
  outcome: { readonly state: 'Failed' | 'Superseded' | 'Denied'; readonly reason: Reason; readonly message: string },
  nowMs: number,
): ActionStatus {
  return markClosed(status, outcome, nowMs);
}

/** When the effect ends by itself: a limit after its TTL, whatever else happens. */
function timedUndo(intent: Intent, nowMs: number): Pick<ActionStatus, 'rollback'> {
  return intent.parameters.kind === 'throttle'
    ? { rollback: { dueAtMs: nowMs + intent.parameters.throttle.ttlSeconds * SECOND, done: false } }
    : {};
}

/** What the executor answered. */
export function markOutcome(intent: Intent, status: ActionStatus, outcome: Outcome, nowMs: number): ActionStatus {
  const answer = outcome.kind === 'applied' || outcome.kind === 'already' ? outcome.detail : outcome.message;
  const tried: ActionStatus = {
    ...status,
    attempts: [...status.attempts, { atMs: nowMs, answer: `${outcome.kind}: ${answer}` }],
  };
  switch (outcome.kind) {
    case 'applied':
    case 'already':
      return {
        ...without(tried, 'blocked'),
        executed: { outcome: outcome.kind, message: answer, atMs: nowMs },
        ...timedUndo(intent, nowMs),
      };
    case 'blocked': {
      const waitMs = Math.min(outcome.retryAfterMs ?? LOOK_AGAIN_MS, MAX_RETRY_AFTER_MS);
      return markBlocked(tried, { reason: outcome.reason, message: answer, retryAtMs: nowMs + waitMs }, nowMs);
    }
    case 'refused': {
      const state = outcome.reason === 'TargetGone' || outcome.reason === 'TargetChanged' ? 'Superseded' : 'Denied';
      return closing(without(tried, 'executingAtMs'), { state, reason: outcome.reason, message: answer }, nowMs);
    }
    case 'failed':
      return closing(tried, { state: 'Failed', reason: outcome.reason, message: answer }, nowMs);
    case 'ambiguous':
      return markGivenUp(intent, tried, { state: 'Failed', reason: 'Ambiguous', message: answer }, nowMs);
  }
}

/** Whether what did not help is taken back: where there is an inverse, the policy wants it and the field is still ours. */
function isTakenBack(intent: Intent, { verdict, reason }: Verification, policy: HealingPolicy | undefined): boolean {
  const hasInverse = intent.parameters.kind === 'scale' || intent.parameters.kind === 'throttle';
  const wanted = (policy?.verification.onIneffective ?? 'RollBack') === 'RollBack';
  return hasInverse && wanted && verdict === 'Ineffective' && reason !== 'Reverted';
}

/** What the verification found; a verdict also sets when the inverse is due. */
export function markVerification(
  intent: Intent,
  status: ActionStatus,
  result: Verification,
  policy: HealingPolicy | undefined,
  nowMs: number,
): ActionStatus {
  const counted: ActionStatus = {
    ...status,
    ...(result.goodPolls === undefined ? {} : { effectiveGoodPolls: result.goodPolls }),
    ...(result.pollAtMs === undefined ? {} : { effectivePollAtMs: result.pollAtMs }),
  };
  if (result.verdict === 'Waiting') return counted;
  const verified: ActionStatus = { ...counted, verified: { result, atMs: nowMs } };
  // A limit may have been lifted by its time before it was judged: what is done is not owed again.
  if (isTakenBack(intent, result, policy) && status.rollback?.done !== true) {
    return { ...verified, rollback: { dueAtMs: nowMs, done: false } };
  }
  const { parameters } = intent;
  const returns = intent.action === 'scale_up' && parameters.kind === 'scale' && result.reason !== 'Reverted';
  return returns && parameters.kind === 'scale' && result.verdict !== 'Ineffective'
    ? { ...verified, rollback: { dueAtMs: nowMs + parameters.returnAfterSeconds * SECOND, done: false } }
    : verified;
}

/** The inverse: done and read back, given up because somebody else changed the field, or to be tried again. */
export function markUndone(status: ActionStatus, outcome: Outcome, readBack: string, nowMs: number): ActionStatus {
  const { dueAtMs = nowMs, renewals } = status.rollback ?? {};
  const kept = { dueAtMs, ...(renewals !== undefined && { renewals }) };
  switch (outcome.kind) {
    case 'applied':
    case 'already':
      return { ...status, rollback: { ...kept, done: true, readBack, atMs: nowMs } };
    case 'refused':
      return { ...status, rollback: { ...kept, done: false, abandoned: outcome.message, atMs: nowMs } };
    case 'blocked':
    case 'failed':
    case 'ambiguous':
      return undoFailed(status, `${outcome.kind}: ${outcome.message}`, nowMs);
  }
}

/** Failed inverses after which people are told. It is tried on: what Aegis changed it must take back. */
const UNDO_FAILURES_TO_TELL = 3;
const UNDO_PREFIX = 'undo ';

/** What a failed inverse was answered, where this attempt was one. */
export function undoOf(answer: string): { readonly kind: string; readonly message: string } | undefined {
  if (!answer.startsWith(UNDO_PREFIX)) return undefined;
  const [kind = '', ...message] = answer.slice(UNDO_PREFIX.length).split(': ');
  return { kind, message: message.join(': ') };
}

function undoFailed(status: ActionStatus, answer: string, nowMs: number): ActionStatus {
  const attempts = [...status.attempts, { atMs: nowMs, answer: `${UNDO_PREFIX}${answer}` }];
  const failures = attempts.filter(({ answer: each }) => undoOf(each) !== undefined).length;
  const { dueAtMs = nowMs, renewals } = status.rollback ?? {};
  const kept = { dueAtMs, ...(renewals !== undefined && { renewals }) };
  const tried: ActionStatus = { ...status, attempts, rollback: { ...kept, done: false, atMs: nowMs } };
  if (failures < UNDO_FAILURES_TO_TELL || status.closed !== undefined) return tried;
  const message = `the inverse failed ${failures} times, it is tried on: ${answer}`;
  return markClosed(tried, { state: 'Failed', reason: 'RollbackFailed', message }, nowMs);
}
