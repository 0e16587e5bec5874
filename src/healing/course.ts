import type { ActionStatus } from './decision.ts';
import type { StoredAction } from './stored-action.ts';
import { undoOf } from './transitions.ts';

/** One thing that happened to an action. */
export interface CourseStep {
  readonly atMs: number;
  /** In a word or two, e.g. `applied`, `verified: Effective`, `rollback abandoned`. */
  readonly what: string;
  /** A sentence; may be empty. */
  readonly message: string;
}

type Tell = (status: ActionStatus) => CourseStep | undefined;

/** What each part of the status tells, once it is there. */
const TELLING: readonly Tell[] = [
  ({ approved: it }) => it && { atMs: it.atMs, what: it.value ? 'approved' : 'denied', message: saidBy(it) },
  ({ blocked: it }) => it && { atMs: it.atMs, what: `blocked: ${it.reason}`, message: it.message },
  beingSent,
  ({ executed: it }) => it && { atMs: it.atMs, what: it.outcome, message: it.message },
  ({ delivered: it }) => it && { atMs: it.atMs, what: 'delivered', message: `told ${it.sinks.join(', ')}` },
  ({ verified: it }) => it && { atMs: it.atMs, what: `verified: ${it.result.verdict}`, message: it.result.message },
  rolledBack,
  ({ closed: it }) => it && { atMs: it.atMs, what: `closed: ${it.reason}`, message: it.message },
];

/** What happened to an action since it was decided, oldest first: the one telling, for the API and the command line. */
export function courseOf({ status }: Pick<StoredAction, 'status'>): readonly CourseStep[] {
  const told = TELLING.flatMap((tell) => tell(status) ?? []);
  return [...told, ...failedRollbacks(status)].sort((a, b) => a.atMs - b.atMs);
}

const saidBy = ({ by, reason }: NonNullable<ActionStatus['approved']>): string =>
  reason === '' ? `by ${by}` : `by ${by}: ${reason}`;

/** Only while the answer is out: what was answered tells more. */
function beingSent({ executingAtMs, executed, closed }: ActionStatus): CourseStep | undefined {
  return executingAtMs === undefined || executed !== undefined || closed !== undefined
    ? undefined
    : { atMs: executingAtMs, what: 'being sent', message: 'no answer is recorded yet' };
}

/** An inverse that somebody else's change forbade is no rollback: the effect, or what became of it, still stands. */
function rolledBack({ rollback }: ActionStatus): CourseStep | undefined {
  if (rollback?.atMs === undefined) return undefined;
  const { atMs, done, abandoned, readBack = '' } = rollback;
  if (done) return { atMs, what: 'rolled back', message: readBack };
  return abandoned === undefined ? undefined : { atMs, what: 'rollback abandoned', message: abandoned };
}

/** Inverses that were tried and are tried on. */
function failedRollbacks({ attempts }: ActionStatus): readonly CourseStep[] {
  return attempts.flatMap(({ atMs, answer }) => {
    const failed = undoOf(answer);
    return failed === undefined
      ? []
      : [{ atMs, what: 'rollback failed', message: `${failed.kind}: ${failed.message}` }];
  });
}
