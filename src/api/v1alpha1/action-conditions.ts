import type { ActionStatus } from '../../healing/decision.ts';
import { stateOf } from '../../healing/lifecycle.ts';
import type { Intent } from '../../policy/action.ts';
import { fitText } from './fit-text.ts';
import { ACTION_BOUNDS, type ACTION_CONDITIONS } from './healing-action.ts';
import { rfc3339 } from './wire-time.ts';

type ConditionType = (typeof ACTION_CONDITIONS)[number];

interface Finding {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly atMs: number;
}

/** A condition as Kubernetes tools read it. */
export interface ActionCondition {
  readonly type: ConditionType;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
}

/** All five conditions, always: one that says nothing yet is Unknown since the decision. */
export function actionConditions(intent: Intent, status: ActionStatus): ActionCondition[] {
  const findings: Readonly<Record<ConditionType, Finding>> = {
    Approved: approved(intent, status),
    Blocked: blocked(intent, status),
    Executed: executed(intent, status),
    Verified: verified(intent, status),
    RolledBack: rolledBack(intent, status),
  };
  return (Object.keys(findings) as ConditionType[]).map((type) => {
    const { atMs, message, ...rest } = findings[type];
    return { type, ...rest, message: fitText(message, ACTION_BOUNDS.message), lastTransitionTime: rfc3339(atMs) };
  });
}

function approved(intent: Intent, { approved: answer }: ActionStatus): Finding {
  if (answer !== undefined) {
    const { value, by, reason, atMs } = answer;
    const message = reason === '' ? `by ${by}` : `by ${by}: ${reason}`;
    return value
      ? { status: 'True', reason: 'ApprovedByPerson', message, atMs }
      : { status: 'False', reason: 'DeniedByPerson', message, atMs };
  }
  const atMs = intent.decidedAtMs;
  return intent.approvalRequired
    ? { status: 'Unknown', reason: 'AwaitingApproval', message: 'set spec.approval to answer', atMs }
    : { status: 'True', reason: 'NotRequired', message: 'no approval is required', atMs };
}

/** A blocker that the action got past is history: the state says whether it still blocks. */
function blocked(intent: Intent, status: ActionStatus): Finding {
  const { blocked: blocker, executingAtMs } = status;
  if (blocker !== undefined && stateOf(intent, status) === 'Blocked') {
    return { status: 'True', reason: blocker.reason, message: blocker.message, atMs: blocker.atMs };
  }
  return { status: 'False', reason: 'Free', message: 'nothing blocks it', atMs: executingAtMs ?? intent.decidedAtMs };
}

function executed(intent: Intent, status: ActionStatus): Finding {
  const { executed: answer, executingAtMs, delivered, closed } = status;
  if (delivered !== undefined) {
    return { status: 'True', reason: 'Delivered', message: delivered.sinks.join(', '), atMs: delivered.atMs };
  }
  if (answer !== undefined) {
    const { outcome, message, atMs } = answer;
    const reason = `${outcome.charAt(0).toUpperCase()}${outcome.slice(1)}`;
    if (outcome === 'ambiguous') return { status: 'Unknown', reason, message, atMs };
    return { status: outcome === 'applied' || outcome === 'already' ? 'True' : 'False', reason, message, atMs };
  }
  if (closed !== undefined) {
    return { status: 'False', reason: closed.reason, message: closed.message, atMs: closed.atMs };
  }
  return executingAtMs === undefined
    ? { status: 'False', reason: 'NotSent', message: 'nothing was sent yet', atMs: intent.decidedAtMs }
    : { status: 'Unknown', reason: 'Sending', message: 'the write is under way', atMs: executingAtMs };
}

function verified(intent: Intent, { verified: judged, executed: answer }: ActionStatus): Finding {
  if (judged === undefined) {
    const atMs = answer?.atMs ?? intent.decidedAtMs;
    return { status: 'Unknown', reason: 'NotJudged', message: 'the effect was not judged yet', atMs };
  }
  const { verdict, reason, message } = judged.result;
  const status = { Effective: 'True', Ineffective: 'False', Inconclusive: 'Unknown', Waiting: 'Unknown' } as const;
  return { status: status[verdict], reason: reason ?? verdict, message, atMs: judged.atMs };
}

function rolledBack(intent: Intent, { rollback, executed: answer }: ActionStatus): Finding {
  const sinceMs = rollback?.atMs ?? answer?.atMs ?? intent.decidedAtMs;
  if (rollback === undefined) {
    return { status: 'False', reason: 'NothingToUndo', message: 'no return is due', atMs: sinceMs };
  }
  const { done, readBack, abandoned, dueAtMs } = rollback;
  if (done) return { status: 'True', reason: 'Undone', message: readBack ?? 'undone', atMs: sinceMs };
  if (abandoned !== undefined) return { status: 'False', reason: 'Abandoned', message: abandoned, atMs: sinceMs };
  const message = dueAtMs === undefined ? 'a return is due' : `due at ${rfc3339(dueAtMs)}`;
  return { status: 'False', reason: 'Due', message, atMs: sinceMs };
}
