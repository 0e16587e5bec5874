import { Cron } from 'croner';
import { err, ok } from '../lib/result.ts';
import type { Result } from '../lib/result.ts';
import type { Window } from './healing-policy.ts';

/** Why no window is open, and when that may change. */
export interface ClosedWindow {
  readonly message: string;
  readonly opensAtMs?: number;
}

/** A schedule that is never started: it only answers questions about time. `mode` keeps to minutes. */
function schedule(window: Window): Cron {
  return new Cron(window.schedule, { timezone: window.timeZone, paused: true, mode: '5-part' });
}

/** The problem of a window, as a sentence; for admission, so that a bad one never reaches a decision. */
export function checkWindow(window: Window): Result<void, string> {
  try {
    if (!(window.durationSeconds > 0)) return err('the duration must be positive');
    return schedule(window).nextRun(new Date(0)) === null ? err('the schedule never comes') : ok(undefined);
  } catch (error) {
    return err(error instanceof Error ? error.message : 'the schedule cannot be read');
  }
}

/** When the window that is open now opened; `undefined` if it is closed. */
function openedAtMs(window: Window, nowMs: number): number | undefined {
  // croner looks strictly before the reference and in whole seconds, but a window opens at its very first moment.
  const [previous] = schedule(window).previousRuns(1, new Date(Math.floor(nowMs / 1000) * 1000 + 1000));
  if (previous === undefined) return undefined;
  const startMs = previous.getTime();
  return nowMs >= startMs && nowMs - startMs < window.durationSeconds * 1000 ? startMs : undefined;
}

const named = (window: Window): string => `"${window.schedule}" (${window.timeZone})`;

/**
 * Whether this set of windows closes the present moment. A window is open while now - previous start < duration,
 * counted in real time, so that a day of 23 or 25 hours shifts nothing. Deny wins; with any Allow, all other time is
 * closed; without windows all time is open. A schedule that cannot be read closes: a guard that cannot see holds.
 */
export function closedBy(windows: readonly Window[], nowMs: number): ClosedWindow | undefined {
  try {
    return firstClosed(windows, nowMs);
  } catch (error) {
    return { message: `a window cannot be read: ${error instanceof Error ? error.message : 'unknown error'}` };
  }
}

function firstClosed(windows: readonly Window[], nowMs: number): ClosedWindow | undefined {
  const open = windows.map((window) => ({ window, sinceMs: openedAtMs(window, nowMs) }));
  for (const { window, sinceMs } of open) {
    if (window.effect !== 'Deny' || sinceMs === undefined) continue;
    return {
      message: `the closed window ${named(window)} is on`,
      opensAtMs: sinceMs + window.durationSeconds * 1000,
    };
  }
  const allowing = open.filter(({ window }) => window.effect === 'Allow');
  if (allowing.length === 0 || allowing.some(({ sinceMs }) => sinceMs !== undefined)) return undefined;
  const starts = allowing
    .map(({ window }) => schedule(window).nextRun(new Date(nowMs))?.getTime())
    .filter((ms): ms is number => ms !== undefined);
  return {
    message: `none of the ${allowing.length} allowed windows is open`,
    ...(starts.length === 0 ? {} : { opensAtMs: Math.min(...starts) }),
  };
}
