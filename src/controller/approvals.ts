import { stateOf } from '../healing/lifecycle.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { END_STATES } from '../policy/ledger.ts';
import type { ActionTimes } from './action-times.ts';
import type { ClusterWriter, Leadership, StoredAction } from './ports.ts';

/** A person's answer to an action that waits for one. */
export interface ApprovalAnswer {
  readonly namespace: string;
  readonly name: string;
  readonly decision: 'Approved' | 'Denied';
  readonly reason: string;
  /** Of the policy that the person looked at: an answer to another one is none to this. */
  readonly policyHash: string;
  /** `key:NAME`: the name of the API key that was let in. */
  readonly by: string;
}

/** `recorded`: it stands in the object, by this call or by the same one before. */
export type ApprovalOutcome =
  | 'recorded'
  | 'not-found'
  | 'not-awaited'
  | 'answered'
  | 'expired'
  | 'other-policy'
  | 'changed'
  | 'not-leading'
  | 'unavailable';

/** Takes answers of people who are not in the cluster. */
export interface Approvals {
  answer(answer: ApprovalAnswer): Promise<ApprovalOutcome>;
}

/** Without a cluster there is nothing to approve. */
export const NO_APPROVALS: Approvals = { answer: () => Promise.resolve('not-found') };

/**
 * Writes the answer where the action's own reconciler finds it, as `kubectl` would: once, never changed, with the name of
 * who gave it. It allows nothing by itself: an approved action passes the whole gate again before it is sent.
 */
export function createApprovals(deps: {
  readonly writer: ClusterWriter;
  readonly leadership: Leadership;
  readonly times: ActionTimes;
  readonly clock: Clock;
  readonly log: Log;
}): Approvals {
  const { writer, leadership, times, clock, log } = deps;
  return {
    async answer(answer) {
      const { namespace, name, by, decision, reason } = answer;
      const read = await writer.readAction(namespace, name);
      if (!read.ok)
        return read.error.kind === 'NotFound' || read.error.kind === 'Rejected' ? 'not-found' : 'unavailable';
      const nowMs = clock.nowMs();
      const settled = judged(times.steady(read.value), answer, nowMs);
      if (settled !== undefined) return settled;
      if (!leadership.mayWrite()) return 'not-leading';
      const written = await writer.answerApproval(read.value, { decision, by, reason, atMs: nowMs });
      log.info('approval answered', { actionId: name, by, decision, written: written.ok });
      if (written.ok) return 'recorded';
      return written.error.kind === 'Conflict' ? 'changed' : 'unavailable';
    },
  };
}

/** Why nothing is to be written; `undefined`: the answer is to be. */
function judged(action: StoredAction, answer: ApprovalAnswer, nowMs: number): ApprovalOutcome | undefined {
  const { intent, status, approval } = action;
  if (intent.policyHash !== answer.policyHash) return 'other-policy';
  if (approval !== undefined) {
    const { by, decision, reason } = approval;
    return by === answer.by && decision === answer.decision && reason === answer.reason ? 'recorded' : 'answered';
  }
  if (!intent.approvalRequired || action.deletedAtMs !== undefined) return 'not-awaited';
  if (status.approved !== undefined || END_STATES.has(stateOf(intent, status))) return 'not-awaited';
  return nowMs >= intent.expiresAtMs ? 'expired' : undefined;
}
