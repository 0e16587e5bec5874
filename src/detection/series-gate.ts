import { clearWindows, startOwnHistory } from './detectors/own-history.ts';
import type { DetectionSettings } from './engine-input.ts';
import type { Reading, UnknownReason } from './sample.ts';
import { D, U } from './state/series-record.ts';
import type { Cursor } from './state/slab.ts';
import type { NoVerdictReason } from './verdict.ts';

/** Samples farther in the future than this are wrong, not early. */
const FUTURE_MS = 60_000;
/** Fresh samples after a gap before the series speaks again: the first scrapes after an outage are not to be trusted. */
export const WARM_UP_SAMPLES = 5;
const STEP_MEMORY = 0.1;

const WHY: Readonly<Record<UnknownReason, NoVerdictReason>> = {
  Absent: 'Absent',
  NotFinite: 'NotFinite',
  Stale: 'StaleData',
  InFuture: 'StaleData',
  Partial: 'Partial',
  SourceError: 'SourceError',
  WarmingUp: 'InsufficientData',
};

/** Why a reading cannot be judged at all; `undefined`: it is a finite, fresh value. `nowMs` is by the clock that stamps the samples. */
export function refusal(
  reading: Reading,
  settings: Pick<DetectionSettings, 'maxSampleAgeMs'>,
  nowMs: number,
): NoVerdictReason | undefined {
  if (reading.kind === 'unknown') return WHY[reading.reason];
  if (!Number.isFinite(reading.value) || !Number.isFinite(reading.atMs)) return 'NotFinite';
  if (reading.atMs > nowMs + FUTURE_MS || nowMs - reading.atMs > settings.maxSampleAgeMs) return 'StaleData';
  return undefined;
}

/**
 * `fresh`: a new sample to observe; `seen`: the same or an older one, nothing moves; `warming-up`: a sample after a gap,
 * neither judged nor learnt.
 */
export type Admission = 'fresh' | 'seen' | 'warming-up';

/** Places a sample in its series' time. A silence of more than two intervals is a gap: the windows start anew. */
export function admit(c: Cursor, value: number, atMs: number, intervalMs: number): Admission {
  const lastAtMs = c.f64[c.d + D.lastAtMs] ?? 0;
  const isFirst = c.f64[c.d + D.firstAtMs] === 0;
  if (isFirst) {
    startOwnHistory(c, value);
    c.f64[c.d + D.firstAtMs] = atMs;
  } else if (atMs <= lastAtMs) {
    return c.u32[c.u + U.warmUpLeft] === 0 ? 'seen' : 'warming-up';
  } else {
    placeAfter(c, atMs - lastAtMs, intervalMs);
  }
  c.f64[c.d + D.lastAtMs] = atMs;
  c.f64[c.d + D.lastValue] = value;
  const left = c.u32[c.u + U.warmUpLeft] ?? 0;
  if (left === 0) return 'fresh';
  c.u32[c.u + U.warmUpLeft] = left - 1;
  return 'warming-up';
}

function placeAfter(c: Cursor, silenceMs: number, intervalMs: number): void {
  // Half an interval (at most a second) of grace: a late poll is no outage.
  if (silenceMs > 2 * intervalMs + Math.min(intervalMs / 2, 1000)) {
    clearWindows(c);
    c.u32[c.u + U.warmUpLeft] = WARM_UP_SAMPLES;
    c.u32[c.u + U.gaps] = (c.u32[c.u + U.gaps] ?? 0) + 1;
    c.u32[c.u + U.limitBreached] = 0;
    c.f64[c.d + D.limitSinceMs] = 0;
    return;
  }
  const stepMs = c.f64[c.d + D.stepMs] ?? 0;
  c.f64[c.d + D.stepMs] = stepMs === 0 ? silenceMs : stepMs + STEP_MEMORY * (silenceMs - stepMs);
}
