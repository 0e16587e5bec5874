import type { Reading, UnknownReason } from '../detection/sample.ts';

/** Samples farther ahead of the server's own clock than this are wrong, not early: nodes stamp some of them. */
const FUTURE_MS = 60_000;

/** Times that tell how old a value is. NaN or absent: not known. */
export interface SampleTimes {
  /** The server's time of evaluation. */
  readonly replyMs: number;
  /** Time of the newest sample behind the value; absent: the server gave none. */
  readonly sampleMs?: number;
}

/**
 * A value becomes a reading only if it is finite and its sample is neither old nor from the future; `nowMs` is the server's
 * time when it answered.
 */
export function judge(value: number, times: SampleTimes, nowMs: number, maxAgeMs: number): Reading {
  const timeProblem = problemOf(times.replyMs, nowMs, maxAgeMs) ?? problemOf(times.sampleMs, nowMs, maxAgeMs);
  if (timeProblem !== undefined) return { kind: 'unknown', reason: timeProblem };
  if (!Number.isFinite(value)) return { kind: 'unknown', reason: 'NotFinite' };
  return { kind: 'value', value, atMs: Math.min(times.replyMs, times.sampleMs ?? times.replyMs) };
}

function problemOf(timeMs: number | undefined, nowMs: number, maxAgeMs: number): UnknownReason | undefined {
  if (timeMs === undefined) return undefined;
  if (!Number.isFinite(timeMs)) return 'NotFinite';
  if (timeMs - nowMs > FUTURE_MS) return 'InFuture';
  return nowMs - timeMs > maxAgeMs ? 'Stale' : undefined;
}
