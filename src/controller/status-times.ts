import type { ContainerSnapshot, PodSnapshot, TerminationSnapshot, WorkloadSnapshot } from '../lib/workload.ts';
import { SeenTimes } from './steady-times.ts';

/** What becomes of a time; its name is unique within the object. */
type Move = (name: string, atMs: number) => number;

/** Less ahead than this is the rounding of two clocks that agree. */
const AHEAD_MS = 1_000;

/**
 * Since when things are so, as a pod's or a workload's status says, whatever our wall clock does meanwhile: a kill of an hour ago
 * is not fresh again because the clock was set back by an hour. What is first seen with a time that is still to come happened
 * just now.
 *
 * Nothing is kept but the last snapshot until the clock has jumped: most never do.
 */
export class StatusTimes<S extends object> {
  readonly #moved: (snapshot: S, move: Move) => S;
  #last: S | undefined;
  #lastLead = 0;
  #seen: SeenTimes | undefined;

  constructor(moved: (snapshot: S, move: Move) => S) {
    this.#moved = moved;
  }

  /** Sees the snapshot; to be called at every poll, so that each time is seen while it is young. */
  look(snapshot: S, nowMs: number, nowLead: number): void {
    if (snapshot === this.#last && nowLead === this.#lastLead) return;
    if (this.#last !== undefined && this.#seen === undefined && nowLead !== this.#lastLead) {
      this.#seen = new SeenTimes();
      this.#seen.look(this.#times(this.#last), this.#lastLead);
    }
    const times = this.#times(snapshot);
    const fresh = times.filter(([name, atMs]) => this.#seen?.knows(name, atMs) !== true);
    this.#seen ??= fresh.some(([, atMs]) => atMs - nowMs > AHEAD_MS) ? new SeenTimes() : undefined;
    for (const time of fresh) this.#seen?.look([time], nowLead + Math.max(time[1] - nowMs, 0));
    this.#seen?.keep(new Set(times.map(([name]) => name)));
    this.#last = snapshot;
    this.#lastLead = nowLead;
  }

  /** The snapshot with its times as the wall clock of now would have them; the very same where none moves. */
  steady(snapshot: S, nowLead: number): S {
    const seen = this.#seen;
    if (seen === undefined) {
      // A live read of what was looked at before the jump, and not since.
      const byMs = this.#last === undefined ? 0 : nowLead - this.#lastLead;
      if (byMs === 0) return snapshot;
      const known = new SeenTimes();
      known.look(this.#times(this.#last ?? snapshot), this.#lastLead);
      return this.#moved(snapshot, (name, atMs) => known.steady(name, atMs, nowLead));
    }
    let isMoved = false;
    const moved = this.#moved(snapshot, (name, atMs) => {
      const steadyMs = seen.steady(name, atMs, nowLead);
      isMoved ||= steadyMs !== atMs;
      return steadyMs;
    });
    return isMoved ? moved : snapshot;
  }

  #times(snapshot: S): [name: string, atMs: number][] {
    const times: [name: string, atMs: number][] = [];
    this.#moved(snapshot, (name, atMs) => {
      times.push([name, atMs]);
      return atMs;
    });
    return times;
  }
}

/** All but its creation, which `PodAges` tells, and its deletion, which is a deadline. */
export function movedPod(pod: PodSnapshot, move: Move): PodSnapshot {
  return {
    ...pod,
    conditions: movedConditions(pod.conditions, move),
    containers: pod.containers.map((container) => movedContainer(container, move)),
  };
}

/** All but those of its pods. */
export function movedWorkload(workload: WorkloadSnapshot, move: Move): WorkloadSnapshot {
  return {
    ...workload,
    createdAtMs: move('created', workload.createdAtMs),
    conditions: movedConditions(workload.conditions, move),
    revisions: workload.revisions.map((each) => ({
      ...each,
      createdAtMs: move(`revision ${each.name}`, each.createdAtMs),
    })),
  };
}

const movedConditions = (conditions: PodSnapshot['conditions'], move: Move): PodSnapshot['conditions'] =>
  conditions.map((each) =>
    each.changedAtMs === undefined ? each : { ...each, changedAtMs: move(`is ${each.type}`, each.changedAtMs) },
  );

function movedContainer(container: ContainerSnapshot, move: Move): ContainerSnapshot {
  const { name, startedAtMs, termination, lastTermination } = container;
  return {
    ...container,
    ...(startedAtMs !== undefined && { startedAtMs: move(`${name} runs`, startedAtMs) }),
    ...(termination && { termination: movedEnd(termination, name, move) }),
    ...(lastTermination && { lastTermination: movedEnd(lastTermination, name, move) }),
  };
}

/** An end becomes the last end when the container starts again: the same time must bear the same name then. */
function movedEnd(end: TerminationSnapshot, name: string, move: Move): TerminationSnapshot {
  const { startedAtMs, finishedAtMs } = end;
  return {
    ...end,
    ...(startedAtMs !== undefined && { startedAtMs: move(`${name} begun ${startedAtMs}`, startedAtMs) }),
    ...(finishedAtMs !== undefined && { finishedAtMs: move(`${name} ended ${finishedAtMs}`, finishedAtMs) }),
  };
}
