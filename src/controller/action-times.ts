import { withMovedTimes } from '../healing/action-times.ts';
import type { Clock } from '../lib/clock.ts';
import { SeenTimes, wallLead } from './steady-times.ts';
import type { StoredAction } from './ports.ts';

/**
 * What an open action counts, whatever the wall clock says meanwhile (I31): its verification, the wait between its tries, the
 * time of a limit, the return of replicas, how long it is meant at all. Objects bear the wall time at which each thing
 * happened, for people; judged is the same action with its times moved by the jumps since this process first saw each.
 *
 * Only for judging: what is written or sent is the action as it was read.
 */
export class ActionTimes {
  readonly #clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  readonly #seen = new Map<string, SeenTimes>();

  constructor(clock: Pick<Clock, 'nowMs' | 'monotonicMs'>) {
    this.#clock = clock;
  }

  /**
   * Sees the action; to be called at each look and after each write. Of one that a predecessor stamped with times that are
   * still to come, the latest counts as now and the others lie as far from it as they did: nothing has a negative age, and
   * nothing waits for a clock to catch up.
   */
  note(action: StoredAction): SeenTimes {
    const seen = this.#seen.get(action.uid) ?? new SeenTimes();
    this.#seen.set(action.uid, seen);
    const nowMs = this.#clock.nowMs();
    const fresh: [name: string, atMs: number][] = [];
    let aheadMs = 0;
    withMovedTimes(action, (name, atMs, kind) => {
      if (seen.knows(name, atMs)) return atMs;
      fresh.push([name, atMs]);
      if (kind === 'past') aheadMs = Math.max(aheadMs, atMs - nowMs);
      return atMs;
    });
    seen.look(fresh, wallLead(this.#clock) + aheadMs);
    return seen;
  }

  /** The action as the wall clock of now would have stamped it. */
  steady(action: StoredAction): StoredAction {
    const seen = this.note(action);
    const lead = wallLead(this.#clock);
    return withMovedTimes(action, (name, atMs) => seen.steady(name, atMs, lead));
  }

  /** Actions whose objects are gone are dropped. */
  forget(isKnown: (uid: string) => boolean): void {
    for (const uid of this.#seen.keys()) if (!isKnown(uid)) this.#seen.delete(uid);
  }
}
