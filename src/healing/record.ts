import type { ActionRecord } from '../policy/ledger.ts';
import { END_STATES } from '../policy/ledger.ts';
import { workloadKey } from '../lib/workload.ts';
import { stateOf } from './lifecycle.ts';
import type { StoredAction } from './stored-action.ts';

type Action = Pick<StoredAction, 'intent' | 'status'>;

/** Whether a 429 or a live refusal kept the write from having been sent. */
function cameBack({ status }: Action): boolean {
  const outcome = status.executed?.outcome;
  return outcome === 'blocked' || outcome === 'refused';
}

/**
 * Whether it counts as an attempt: the write was sent and not answered 429. An action that failed counts even where
 * the server's dry run failed it: else it would be tried without end.
 */
function isSpent(action: Action): boolean {
  const { intent, status } = action;
  if (intent.execution === 'DryRun') return false;
  if (stateOf(intent, status) === 'Failed') return true;
  return status.executingAtMs !== undefined && !cameBack(action);
}

/** When it came to its end. */
function endedAtMs({ status }: Action): number | undefined {
  return status.closed?.atMs ?? status.delivered?.atMs ?? status.verified?.atMs ?? status.executed?.atMs;
}

function reasonOf({ status }: Action): string | undefined {
  return status.closed?.reason ?? status.verified?.result.reason ?? status.blocked?.reason;
}

/** What the brakes remember of an action; objects are the authority, so the ledger can be rebuilt from them. */
export function toRecord(action: Action): ActionRecord {
  const { intent, status } = action;
  const state = stateOf(intent, status);
  const ended = END_STATES.has(state) ? endedAtMs(action) : undefined;
  const reason = reasonOf(action);
  const sentAtMs = cameBack(action) ? undefined : (status.executed?.atMs ?? status.executingAtMs);
  const { parameters } = intent;
  return {
    name: intent.name,
    namespace: intent.namespace,
    policyUid: intent.policy.uid,
    workloadUid: intent.target.uid,
    workload: workloadKey(intent.target),
    incidentId: intent.incidentId,
    failureType: intent.diagnosis.failureType,
    step: intent.step,
    attempt: intent.attempt,
    action: intent.action,
    podUids: intent.action === 'alert_admin' ? [] : intent.pods.map(({ uid }) => uid),
    decidedAtMs: intent.decidedAtMs,
    state,
    dryRun: intent.execution === 'DryRun',
    spent: isSpent(action),
    ...(sentAtMs === undefined ? {} : { executedAtMs: sentAtMs }),
    ...(ended === undefined ? {} : { endedAtMs: ended }),
    ...(reason === undefined ? {} : { reason }),
    ...(parameters.kind === 'scale' ? { from: parameters.from, to: parameters.to } : {}),
  };
}
