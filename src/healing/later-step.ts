import { MINUTE, SECOND } from '../lib/duration.ts';
import { owesUndo, stateOf } from './lifecycle.ts';
import type { StoredAction } from './stored-action.ts';

/** Between two steps back of one workload: at most a halving in this time. */
const REST_MS = 5 * MINUTE;
/** How soon it is looked at again. */
const LOOK_AGAIN_MS = 15 * SECOND;

type Action = Pick<StoredAction, 'intent' | 'status'>;

/** Until when an inverse waits, and why, as a sentence. */
export interface HeldBack {
  readonly untilMs: number;
  readonly because: string;
}

/**
 * Steps up that stand on one another are taken back in the reverse order, with a rest in between: 3 to 6 to 12 goes back to
 * 6, and then to 3. Taken the other way round the first finds 12 where it left 6, and takes Aegis for somebody else.
 */
export function heldBackByLaterStep(action: Action, all: readonly Action[], nowMs: number): HeldBack | undefined {
  if (!stands(action)) return undefined;
  const later = laterScalings(action.intent, all);
  const standing = later.find(stands);
  if (standing !== undefined) {
    return { untilMs: nowMs + LOOK_AGAIN_MS, because: `${standing.intent.name} stands on it and goes back first` };
  }
  const undoneAtMs = Math.max(...later.map(({ status }) => (status.rollback?.done ? (status.rollback.atMs ?? 0) : 0)));
  const restsUntilMs = Math.min(undoneAtMs, nowMs) + REST_MS;
  return restsUntilMs > nowMs ? { untilMs: restsUntilMs, because: 'a later step went back a moment ago' } : undefined;
}

/** What Aegis's own later steps left of a scaling, and the last of them; `by` is absent where there is none. */
export interface Reached {
  readonly value: number;
  readonly by?: string;
}

/**
 * The value that Aegis itself left where it once wrote `to`: each later step that was done, was not taken back and began
 * where the one before it ended. A scale_down from 6 to 4 is nobody else's change, and the return begins at 4.
 */
export function reachedByLaterSteps({ intent }: Pick<StoredAction, 'intent'>, all: readonly Action[]): Reached {
  const { parameters } = intent;
  if (parameters.kind !== 'scale') return { value: Number.NaN };
  const later = laterScalings(intent, all).toSorted((a, b) => a.intent.decidedAtMs - b.intent.decidedAtMs);
  return later.reduce<Reached>(
    (reached, { intent: { name, parameters: step }, status }) => {
      const isDone = status.executed?.outcome === 'applied' || status.executed?.outcome === 'already';
      return step.kind === 'scale' && isDone && status.rollback?.done !== true && step.from === reached.value
        ? { value: step.to, by: name }
        : reached;
    },
    { value: parameters.to },
  );
}

/** What Aegis decided later for the same replicas, through the same autoscaler or through none. */
function laterScalings({ target, parameters, decidedAtMs }: Action['intent'], all: readonly Action[]): Action[] {
  if (parameters.kind !== 'scale') return [];
  return all.filter(
    ({ intent }) =>
      intent.target.uid === target.uid &&
      intent.parameters.kind === 'scale' &&
      intent.parameters.autoscaler === parameters.autoscaler &&
      intent.decidedAtMs > decidedAtMs,
  );
}

function stands({ intent, status }: Action): boolean {
  const state = stateOf(intent, status);
  return state === 'Executing' || state === 'Verifying' || owesUndo(status);
}
