import { workloadKey } from '../lib/workload.ts';
import { isEffect } from '../policy/action.ts';
import { undoOf } from '../healing/transitions.ts';
import type { StoredAction } from './ports.ts';
import type { HistoryOutcome, HistoryRow } from './store-ports.ts';

/**
 * The history row of an action's next write. The same until an answer is recorded: a process that was killed after
 * announcing finds its row instead of adding one.
 */
export const rowIdOf = (action: StoredAction): string => rowIdAt(action, action.status.attempts.length);

/** Of the write before which so many attempts had been recorded. */
const rowIdAt = ({ intent }: StoredAction, attempts: number): string => `${intent.name}/${attempts + 1}`;

export const undoMessage = ({ intent }: StoredAction): string => `takes back ${intent.name}`;

/** What the history says of an action's write before it is sent; `attempts`: those recorded before it. */
export function rowOf(
  action: StoredAction,
  kind: HistoryRow['kind'] = 'effect',
  message: string = action.intent.reason,
  attempts: number = action.status.attempts.length,
): HistoryRow {
  const { intent } = action;
  const id = kind === 'undo' ? `${intent.name}/undo-${attempts + 1}` : rowIdAt(action, attempts);
  return {
    ...{ id, atMs: intent.decidedAtMs, kind, incidentId: intent.incidentId, actionName: intent.name },
    ...{ namespace: intent.namespace, workload: workloadKey(intent.target), action: intent.action, message },
    facts: {
      ...{ policy: intent.policy, pods: intent.pods, parameters: intent.parameters, baseline: intent.baseline },
      ...{ diagnosis: intent.diagnosis, step: intent.step, attempt: intent.attempt },
    },
  };
}

/** A row that must be there, and how the thing went that it announces. */
export interface ExpectedRow {
  readonly row: HistoryRow;
  readonly outcome?: HistoryOutcome;
}

/** Every row that the object proves: what was sent, taken back, told, or would have been done. */
export function rowsProvenBy(action: StoredAction): readonly ExpectedRow[] {
  return [...effectRows(action), ...undoRows(action), ...alertRows(action), ...dryRunRows(action)];
}

/** The write that was sent. Answers to mere dry runs stand among the attempts as well: those had no row. */
function effectRows(action: StoredAction): readonly ExpectedRow[] {
  const { intent, status } = action;
  const { executed, executingAtMs, closed } = status;
  if (!isEffect(intent.action) || intent.execution === 'DryRun' || executingAtMs === undefined) return [];
  if (executed !== undefined) {
    const at = status.attempts.findIndex(({ atMs, answer }) => atMs === executed.atMs && !undoOf(answer));
    if (at < 0) return [];
    const { atMs, message, outcome } = executed;
    return [{ row: rowOf(action, 'effect', intent.reason, at), outcome: { atMs, reason: outcome, message } }];
  }
  if (closed === undefined) return []; // under way: settled by looking, with its row
  const at = status.attempts.findIndex(({ answer }) => undoOf(answer));
  const { atMs, reason, message } = closed;
  const before = at < 0 ? status.attempts.length : at;
  return [{ row: rowOf(action, 'effect', intent.reason, before), outcome: { atMs, reason, message } }];
}

function undoRows(action: StoredAction): readonly ExpectedRow[] {
  const { attempts, rollback } = action.status;
  const row = (before: number): HistoryRow => rowOf(action, 'undo', undoMessage(action), before);
  const failed = attempts.flatMap(({ atMs, answer }, before): ExpectedRow[] => {
    const told = undoOf(answer);
    return told === undefined
      ? []
      : [{ row: row(before), outcome: { atMs, reason: told.kind, message: told.message } }];
  });
  const end = rollback?.done === true ? 'applied' : rollback?.abandoned === undefined ? undefined : 'refused';
  if (end === undefined || rollback === undefined) return failed;
  const message = rollback.abandoned ?? rollback.readBack ?? 'undone';
  const outcome = { atMs: rollback.atMs ?? action.intent.decidedAtMs, reason: end, message };
  return [...failed, { row: row(attempts.length), outcome }];
}

function alertRows(action: StoredAction): readonly ExpectedRow[] {
  const { intent, status } = action;
  const isOver = status.delivered !== undefined || status.closed?.reason === 'NotDelivered';
  return intent.action === 'alert_admin' && isOver ? [{ row: rowOf(action, 'alert') }] : [];
}

function dryRunRows(action: StoredAction): readonly ExpectedRow[] {
  const { closed } = action.status;
  return closed?.reason === 'ObserveOnly' && action.intent.execution === 'DryRun'
    ? [{ row: rowOf(action, 'dry-run', closed.message) }]
    : [];
}
