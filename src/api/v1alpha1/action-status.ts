import type { ActionStatus } from '../../healing/decision.ts';
import { stateOf } from '../../healing/lifecycle.ts';
import { REASONS, type Reason } from '../../lib/reasons.ts';
import type { Intent } from '../../policy/action.ts';
import { actionConditions } from './action-conditions.ts';
import { domainMetrics, wireMetrics } from './action-spec.ts';
import { fitText } from './fit-text.ts';
import { ACTION_BOUNDS, type HealingActionStatus } from './healing-action.ts';
import { rfc3339 } from './wire-time.ts';

type Wire = HealingActionStatus;
/** Fields that exactOptionalPropertyTypes wants absent rather than undefined. */
type Present<T> = { [K in keyof T]: Exclude<T[K], undefined> };

const message = (text: string): string => fitText(text, ACTION_BOUNDS.message);

/**
 * Both directions of an action's status, side by side. `state`, `conditions` and `blockedReason` are for readers
 * only: they are computed from the rest at each write, and never read back.
 */
export function wireStatus(intent: Intent, status: ActionStatus): Present<Wire> {
  const { approved, blocked, executed, verified, rollback, closed, delivered } = status;
  const { effectiveGoodPolls, effectivePollAtMs } = status;
  const state = stateOf(intent, status);
  return {
    state,
    conditions: actionConditions(intent, status),
    ...(approved !== undefined && {
      approval: {
        decision: approved.value ? 'Approved' : 'Denied',
        by: fitText(approved.by, 256),
        reason: fitText(approved.reason, ACTION_BOUNDS.reason),
        time: rfc3339(approved.atMs),
      },
    }),
    ...(blocked !== undefined && {
      ...(state === 'Blocked' && { blockedReason: blocked.reason }),
      blocked: {
        reason: blocked.reason,
        message: message(blocked.message),
        time: rfc3339(blocked.atMs),
        nextLookTime: rfc3339(blocked.nextLookMs),
      },
    }),
    ...(status.executingAtMs !== undefined && { executingTime: rfc3339(status.executingAtMs) }),
    ...(executed !== undefined && {
      executed: { outcome: executed.outcome, message: message(executed.message), time: rfc3339(executed.atMs) },
    }),
    ...(verified !== undefined && { verification: wireVerification(verified) }),
    ...(effectiveGoodPolls !== undefined && { goodPolls: effectiveGoodPolls }),
    ...(effectivePollAtMs !== undefined && { lastPollTime: rfc3339(effectivePollAtMs) }),
    ...(rollback !== undefined && { rollback: wireRollback(rollback) }),
    ...(delivered !== undefined && { delivered: { sinks: [...delivered.sinks], time: rfc3339(delivered.atMs) } }),
    ...(closed !== undefined && {
      closed: {
        state: closed.state,
        reason: closed.reason,
        message: message(closed.message),
        time: rfc3339(closed.atMs),
      },
    }),
    attempts: status.attempts.slice(-ACTION_BOUNDS.attempts).map(({ atMs, answer, pod }) => ({
      time: rfc3339(atMs),
      answer: fitText(answer, ACTION_BOUNDS.answer),
      ...(pod !== undefined && { pod }),
    })),
  };
}

function wireVerification({ result, atMs }: NonNullable<ActionStatus['verified']>): NonNullable<Wire['verification']> {
  return {
    verdict: result.verdict,
    ...(result.reason !== undefined && { reason: result.reason }),
    message: message(result.message),
    before: wireMetrics(result.before),
    after: wireMetrics(result.after),
    peers: wireMetrics(result.peers),
    ...(result.goodPolls !== undefined && { goodPolls: result.goodPolls }),
    ...(result.pollAtMs !== undefined && { lastPollTime: rfc3339(result.pollAtMs) }),
    time: rfc3339(atMs),
  };
}

function wireRollback(rollback: NonNullable<ActionStatus['rollback']>): NonNullable<Wire['rollback']> {
  const { dueAtMs, done, readBack, atMs, abandoned, renewals } = rollback;
  return {
    ...(dueAtMs !== undefined && { dueTime: rfc3339(dueAtMs) }),
    done,
    ...(readBack !== undefined && { readBack: message(readBack) }),
    ...(atMs !== undefined && { time: rfc3339(atMs) }),
    ...(abandoned !== undefined && { abandoned: message(abandoned) }),
    ...(renewals !== undefined && { renewals }),
  };
}

const CLOSING = new Set<string>([...REASONS, 'Expired', 'PolicyChanged', 'IncidentClosed', 'NotDelivered']);
const VERIFYING = [
  'RecoveredWithPeers',
  'Recovered',
  'StillAnomalous',
  'NotReady',
  'NoFreshData',
  'NotAccepted',
  'Reverted',
  'RolloutUnderWay',
  'SurgeGoesOn',
] as const;

/** Words of a stored status that this version does not know, with their paths. */
export function unknownWords({ blocked, closed, verification }: Wire): readonly { path: string; word: string }[] {
  const isKnown = (known: ReadonlySet<string>, word: string | undefined) => word === undefined || known.has(word);
  return [
    ...(isKnown(new Set(REASONS), blocked?.reason)
      ? []
      : [{ path: 'status.blocked.reason', word: blocked?.reason ?? '' }]),
    ...(isKnown(CLOSING, closed?.reason) ? [] : [{ path: 'status.closed.reason', word: closed?.reason ?? '' }]),
    ...(isKnown(new Set(VERIFYING), verification?.reason)
      ? []
      : [{ path: 'status.verification.reason', word: verification?.reason ?? '' }]),
  ];
}

/** The status of a stored object whose words are all known. */
export function domainStatus(wire: Wire): ActionStatus {
  const { approval, blocked, executed, verification, rollback, delivered, closed, goodPolls } = wire;
  return {
    ...(approval !== undefined && {
      approved: {
        value: approval.decision === 'Approved',
        by: approval.by,
        reason: approval.reason,
        atMs: Date.parse(approval.time),
      },
    }),
    ...(blocked !== undefined && {
      blocked: {
        reason: blocked.reason as Reason,
        message: blocked.message,
        atMs: Date.parse(blocked.time),
        nextLookMs: Date.parse(blocked.nextLookTime),
      },
    }),
    ...(wire.executingTime !== undefined && { executingAtMs: Date.parse(wire.executingTime) }),
    ...(executed !== undefined && {
      executed: { outcome: executed.outcome, message: executed.message, atMs: Date.parse(executed.time) },
    }),
    ...(verification !== undefined && { verified: domainVerification(verification) }),
    ...(goodPolls !== undefined && { effectiveGoodPolls: goodPolls }),
    ...(wire.lastPollTime !== undefined && { effectivePollAtMs: Date.parse(wire.lastPollTime) }),
    ...(rollback !== undefined && { rollback: domainRollback(rollback) }),
    ...(delivered !== undefined && { delivered: { sinks: delivered.sinks, atMs: Date.parse(delivered.time) } }),
    ...(closed !== undefined && {
      closed: {
        state: closed.state,
        reason: closed.reason as Reason,
        message: closed.message,
        atMs: Date.parse(closed.time),
      },
    }),
    attempts: (wire.attempts ?? []).map(({ time, answer, pod }) => ({
      atMs: Date.parse(time),
      answer,
      ...(pod !== undefined && { pod }),
    })),
  };
}

function domainVerification(wire: NonNullable<Wire['verification']>): NonNullable<ActionStatus['verified']> {
  const reason = VERIFYING.find((known) => known === wire.reason);
  return {
    result: {
      verdict: wire.verdict,
      ...(reason !== undefined && { reason }),
      message: wire.message,
      before: domainMetrics(wire.before),
      after: domainMetrics(wire.after),
      peers: domainMetrics(wire.peers),
      ...(wire.goodPolls !== undefined && { goodPolls: wire.goodPolls }),
      ...(wire.lastPollTime !== undefined && { pollAtMs: Date.parse(wire.lastPollTime) }),
    },
    atMs: Date.parse(wire.time),
  };
}

function domainRollback(wire: NonNullable<Wire['rollback']>): NonNullable<ActionStatus['rollback']> {
  const { dueTime, done, readBack, time, abandoned, renewals } = wire;
  return {
    ...(dueTime !== undefined && { dueAtMs: Date.parse(dueTime) }),
    done,
    ...(readBack !== undefined && { readBack }),
    ...(time !== undefined && { atMs: Date.parse(time) }),
    ...(abandoned !== undefined && { abandoned }),
    ...(renewals !== undefined && { renewals }),
  };
}
