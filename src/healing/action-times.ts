import type { Intent } from '../policy/action.ts';
import type { ActionStatus } from './decision.ts';
import type { StoredAction } from './stored-action.ts';

/** `past`: when something happened; `future`: until when something holds; `foreign`: stamped by another clock. */
export type TimeKind = 'past' | 'future' | 'foreign';

/** What becomes of a time; its name is unique within the action. */
export type MoveTime = (name: string, atMs: number, kind: TimeKind) => number;

/**
 * The action with each time that a judgement compares moved. Times that are only read by people (of an approval, of the
 * single attempts) stay. The same action where no time moves.
 */
export function withMovedTimes<A extends Pick<StoredAction, 'intent' | 'status' | 'createdAtMs'>>(
  action: A,
  move: MoveTime,
): A {
  let isMoved = false;
  const noting: MoveTime = (name, atMs, kind) => {
    const movedMs = move(name, atMs, kind);
    isMoved ||= movedMs !== atMs;
    return movedMs;
  };
  const moved = {
    ...action,
    createdAtMs: noting('created', action.createdAtMs, 'foreign'),
    intent: movedIntent(action.intent, noting),
    status: movedStatus(action.status, noting),
  };
  return isMoved ? moved : action;
}

const movedIntent = (intent: Intent, move: MoveTime): Intent => ({
  ...intent,
  decidedAtMs: move('decided', intent.decidedAtMs, 'past'),
  expiresAtMs: move('expires', intent.expiresAtMs, 'future'),
});

function movedStatus(status: ActionStatus, move: MoveTime): ActionStatus {
  const { blocked, executed, delivered, verified, closed, rollback, executingAtMs, effectivePollAtMs } = status;
  const at = <T extends { readonly atMs: number }>(name: string, it: T): T => ({
    ...it,
    atMs: move(name, it.atMs, 'past'),
  });
  return {
    ...status,
    ...(blocked && { blocked: { ...at('blocked', blocked), nextLookMs: move('next', blocked.nextLookMs, 'future') } }),
    ...(executingAtMs !== undefined && { executingAtMs: move('executing', executingAtMs, 'past') }),
    ...(executed && { executed: at('executed', executed) }),
    ...(delivered && { delivered: at('delivered', delivered) }),
    ...(verified && { verified: at('verified', verified) }),
    ...(closed && { closed: at('closed', closed) }),
    ...(effectivePollAtMs !== undefined && { effectivePollAtMs: move('poll', effectivePollAtMs, 'past') }),
    ...(rollback && { rollback: movedRollback(rollback, move) }),
  };
}

function movedRollback(
  rollback: NonNullable<ActionStatus['rollback']>,
  move: MoveTime,
): NonNullable<ActionStatus['rollback']> {
  const { dueAtMs, atMs } = rollback;
  return {
    ...rollback,
    ...(dueAtMs !== undefined && { dueAtMs: move('due', dueAtMs, 'future') }),
    ...(atMs !== undefined && { atMs: move('undone', atMs, 'past') }),
  };
}
