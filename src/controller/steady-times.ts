import type { Clock } from '../lib/clock.ts';
import type { ActionRecord } from '../policy/ledger.ts';

/** Less is what a time server slews, and no jump. */
const JUMP_MS = 1_000;

/** How far the wall clock is ahead of the one that never jumps. */
export const wallLead = (clock: Pick<Clock, 'nowMs' | 'monotonicMs'>): number => clock.nowMs() - clock.monotonicMs();

/** By how much the wall clock has jumped since its lead was this; 0: it has not. */
export function jumpSince(lead: number, nowLead: number): number {
  const jumped = nowLead - lead;
  return Math.abs(jumped) < JUMP_MS ? 0 : jumped;
}

const TIMES = ['decidedAtMs', 'executedAtMs', 'endedAtMs'] as const;
type Leads = Readonly<Partial<Record<(typeof TIMES)[number], number>>>;

/** A row of the ledger, and how far ahead the wall clock was when each of its times was first seen. */
export interface TimedRow {
  readonly record: ActionRecord;
  readonly leads: Leads;
}

/** A row as it is now; what it said before keeps its lead. */
export function timedRow(record: ActionRecord, before: TimedRow | undefined, nowLead: number): TimedRow {
  const leadOf = (time: (typeof TIMES)[number]): number =>
    before?.record[time] === record[time] ? (before?.leads[time] ?? nowLead) : nowLead;
  return { record, leads: Object.fromEntries(TIMES.map((time) => [time, leadOf(time)])) };
}

/**
 * The row with its times moved by the jumps since: how long ago something was stays what it was, so a clock that is set forward
 * ends no cooldown and returns no budget, and one that is set back prolongs none (I31).
 */
export function steadyRecord({ record, leads }: TimedRow, nowLead: number): ActionRecord {
  const moved = TIMES.flatMap((time) => {
    const [atMs, lead] = [record[time], leads[time]];
    const jumped = lead === undefined ? 0 : jumpSince(lead, nowLead);
    return atMs === undefined || jumped === 0 ? [] : [[time, atMs + jumped] as const];
  });
  return moved.length === 0 ? record : { ...record, ...Object.fromEntries(moved) };
}
