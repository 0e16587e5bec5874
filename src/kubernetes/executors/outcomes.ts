import type { Outcome } from '../../healing/decision.ts';
import type { CallFault } from '../errors.ts';

const DISRUPTION_RETRY_MS = 30_000;
const FORBIDDEN_RETRY_MS = 60_000;
/** What may be well in a moment is tried again after this time. */
export const SOON_MS = 5_000;

const blocked = (
  reason: (Outcome & { kind: 'blocked' })['reason'],
  message: string,
  retryAfterMs?: number,
): Outcome => ({ kind: 'blocked', reason, message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });

/** More than one budget selects the pod: the eviction API refuses to choose, and says so with a 500. */
const OVERLAPPING_BUDGETS = /more than one PodDisruptionBudget/i;

/**
 * What an answer to a write means, for all effects alike (actions.md, 1). Only an answer that proves that nothing
 * happened is `blocked`, `refused` or `failed`; where the effect may have happened it is `ambiguous` and the gate
 * looks. A 409 is `TargetChanged`: read again and judge again.
 */
export function faultOutcome(fault: CallFault, what: string): Outcome {
  const message = `${what}: ${fault.message}`;
  if (fault.causes.includes('NotLeader')) return blocked('NotLeader', message, SOON_MS);
  switch (fault.kind) {
    case 'NotFound':
    case 'Gone':
      return { kind: 'refused', reason: 'TargetGone', message };
    case 'Conflict':
      return blocked('TargetChanged', message, 0);
    case 'Forbidden':
    case 'Unauthorized':
      return blocked('Forbidden', message, FORBIDDEN_RETRY_MS);
    case 'Rejected':
      return { kind: 'failed', reason: 'Rejected', message };
    case 'TooManyRequests':
      return fault.causes.includes('DisruptionBudget')
        ? blocked('DisruptionBudget', message, Math.max(fault.retryAfterMs ?? 0, DISRUPTION_RETRY_MS))
        : blocked('Backoff', message, fault.retryAfterMs ?? SOON_MS);
    case 'Unavailable':
    case 'Timeout':
    case 'Unknown':
      return unanswered(fault, message);
  }
}

/** Before an effect that no fence of the client holds back: whoever may have lost the lease does not begin it. */
export const LEASE_TOO_OLD: Outcome = blocked('NotLeader', 'the lease was not renewed in time', SOON_MS);

function unanswered(fault: CallFault, message: string): Outcome {
  if (OVERLAPPING_BUDGETS.test(fault.message)) return blocked('BudgetMisconfigured', message, DISRUPTION_RETRY_MS);
  if (!fault.sent) return blocked('UnsafeToRead', `${message}; nothing was sent`, SOON_MS);
  return { kind: 'ambiguous', message };
}

/** Time that one effect may take in all: it must end inside the lease (I10). */
export const EFFECT_DEADLINE_MS = 10_000;
