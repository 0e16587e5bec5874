import type { Clock } from '../lib/clock.ts';
import type { ActionRecord } from '../policy/ledger.ts';

/** Less is what a time server slews, and no jump. */
const JUMP_MS = 1_000;

/** As last told, so that all who compare leads of one clock see the same jumps, of the same size, at the same moment. */
const told = new WeakMap<object, number>();

/** How far the wall clock is ahead of the one that never jumps; the same until it has jumped, in whole milliseconds. */
export function wallLead(clock: Pick<Clock, 'nowMs' | 'monotonicMs'>): number {
  const lead = Math.round(clock.nowMs() - clock.monotonicMs());
  const before = told.get(clock);
  if (before !== undefined && Math.abs(lead - before) < JUMP_MS) return before;
  told.set(clock, lead);
  return lead;
}

/** By how much the wall clock has jumped since its lead was this; 0: it has not. */
export function jumpSince(lead: number, nowLead: number): number {
  const jumped = nowLead - lead;
  return Math.abs(jumped) < JUMP_MS ? 0 : jumped;
}

/** A time as it was written down, and by how much the wall clock led when this process first saw it. */
interface Seen {
  readonly atMs: number;
  readonly lead: number;
}

/**
 * Times that were written down by a wall clock, each under a name of its own, and how far ahead that clock was when each was
 * first seen. A name whose time changes is seen anew.
 */
export class SeenTimes {
  readonly #seen = new Map<string, Seen>();

  knows(name: string, atMs: number): boolean {
    return this.#seen.get(name)?.atMs === atMs;
  }

  /** Times that are seen for the first time, by a wall clock that leads, or is taken to have led, by so much. */
  look(times: Iterable<readonly [name: string, atMs: number]>, lead: number): void {
    for (const [name, atMs] of times) this.#seen.set(name, { atMs, lead });
  }

  /** Forgets all others. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.#seen.keys()) if (!names.has(name)) this.#seen.delete(name);
  }

  /** The time as the wall clock of now would have it. */
  steady(name: string, atMs: number, nowLead: number): number {
    const seen = this.#seen.get(name);
    return seen?.atMs === atMs ? atMs + jumpSince(seen.lead, nowLead) : atMs;
  }
}

const TIMES = ['decidedAtMs', 'executedAtMs', 'endedAtMs'] as const;

/** A row of the ledger, and when each of its times was first seen. */
export interface TimedRow {
  readonly record: ActionRecord;
  readonly seen: SeenTimes;
}

const timesOf = (record: ActionRecord): readonly (readonly [name: (typeof TIMES)[number], atMs: number])[] =>
  TIMES.flatMap((name) => {
    const atMs = record[name];
    return atMs === undefined ? [] : [[name, atMs] as const];
  });

/** A row as it is now; what it said before keeps its lead. */
export function timedRow(record: ActionRecord, before: TimedRow | undefined, nowLead: number): TimedRow {
  const seen = before?.seen ?? new SeenTimes();
  seen.look(
    timesOf(record).filter(([name, atMs]) => !seen.knows(name, atMs)),
    nowLead,
  );
  return { record, seen };
}

/**
 * The row with its times moved by the jumps since: how long ago something was stays what it was, so a clock that is set forward
 * ends no cooldown and returns no budget, and one that is set back prolongs none (I31).
 */
export function steadyRecord({ record, seen }: TimedRow, nowLead: number): ActionRecord {
  const moved = timesOf(record).flatMap(([name, atMs]) => {
    const steadyMs = seen.steady(name, atMs, nowLead);
    return steadyMs === atMs ? [] : [[name, steadyMs] as const];
  });
  return moved.length === 0 ? record : { ...record, ...Object.fromEntries(moved) };
}
