import type { Intent } from '../policy/action.ts';
import type { ActionState } from '../policy/ledger.ts';
import type { ActionStatus } from './decision.ts';

/**
 *   Pending ──┬─> AwaitingApproval ──┬─> Executing ──> Verifying ──┬─> Healed
 *      ^      │          │           │       │             │       ├─> Ineffective
 *      └──> Blocked <────┴───────────┘       │             │       └─> RolledBack
 *             │                              │             │
 *             └──────────> Denied, Expired, Superseded, Failed
 *
 * The state is computed from what happened, by this one function, and never read to decide.
 */
export function stateOf(intent: Intent, status: ActionStatus): ActionState {
  if (status.closed !== undefined) return status.closed.state;
  if (intent.action === 'alert_admin') return status.delivered === undefined ? 'Pending' : 'Healed';
  if (status.verified !== undefined) return verifiedState(status, status.verified);
  if (status.executed !== undefined && status.executed.outcome !== 'blocked') {
    return executedState(status.executed.outcome);
  }
  const { blocked, executingAtMs } = status;
  if (blocked !== undefined && blocked.atMs >= (executingAtMs ?? 0)) return 'Blocked';
  if (executingAtMs !== undefined) return 'Executing';
  const asks = intent.approvalRequired && intent.execution === 'Enforce';
  return asks && status.approved === undefined ? 'AwaitingApproval' : 'Pending';
}

function executedState(outcome: NonNullable<ActionStatus['executed']>['outcome']): ActionState {
  return outcome === 'applied' || outcome === 'already' ? 'Verifying' : 'Failed';
}

function verifiedState(status: ActionStatus, verified: NonNullable<ActionStatus['verified']>): ActionState {
  const { verdict } = verified.result;
  if (verdict === 'Waiting') return 'Verifying';
  if (verdict === 'Effective') return 'Healed';
  const { rollback } = status;
  if (verdict === 'Inconclusive' || rollback === undefined) return 'Ineffective';
  if (rollback.done) return 'RolledBack';
  // An inverse that the verdict asked for, in its very moment, still belongs to the action; a TTL that runs on does not. Which of
  // two stamps is the later one does not tell: the clock may have been set between them.
  const isDue = rollback.dueAtMs === verified.atMs;
  return isDue && rollback.abandoned === undefined ? 'Verifying' : 'Ineffective';
}

/** Whether an inverse is still owed: the object must stay, with its finalizer, until it is done or given up. */
export function owesUndo({ rollback }: ActionStatus): boolean {
  return rollback?.dueAtMs !== undefined && !rollback.done && rollback.abandoned === undefined;
}
