import { CD, CF, CU, SLOW_RING } from '../state/coarse-record.ts';
import type { Cursor } from '../state/slab.ts';
import { clamp } from '../statistics/clamp.ts';
import { risingShare } from '../statistics/rising-share.ts';
import { halfWindowSlope } from '../statistics/half-window-slope.ts';
import { isStep, keepsItsPace } from './trend.ts';
import type { Trend } from './trend.ts';

/**
 * Leaks that take hours: the slope of the last four hours, from 48 means of five minutes, whatever the pace of polls.
 *
 * What must not look like a leak is a cache that warms up and levels off at L below the limit, L - v = A exp(-t / tau).
 * Two conditions exclude every such cache by arithmetic, whatever L, A and tau. W is the window's span, x = W / (2 tau):
 * - a slope is extrapolated no farther than it was observed: time to limit <= W. The window's slope is that of its middle,
 *   (L - v) exp(x) / tau, so the time to limit is (limit - v) / (L - v) * tau * exp(-x) > tau * exp(-x); to be within W
 *   needs exp(-x) < 2x, which is x > 0.35;
 * - the window's second half must rise at least 0.75 times as fast as its first. On the curve that ratio is exp(-x), below
 *   0.71 for x > 0.35.
 * A daily rise is excluded from the second day on: the means must stand above the highest of the last 24 to 48 hours.
 */
const LEAST = 24;
/** Share of pairs that rise: five standard deviations of noise around a level are 0.5 for 48 values. */
const STEADY = 0.6;
const STEP_SHARE = 0.5;
const DAY_MS = 86_400_000;
/** A silence longer than so many usual distances empties the window. */
const GAP_STEPS = 3;
const STEP_MEMORY = 0.1;

/** Takes the five-minute mean that ends at `atMs` (scaled) into the window and measures the window's slope anew. */
export function stepSlowTrend(c: Cursor, y: number, atMs: number): void {
  placeInTime(c, atMs);
  const head = c.u32[c.u + CU.slowHead] ?? 0;
  const filled = c.u32[c.u + CU.slowFilled] ?? 0;
  if (filled === SLOW_RING) remember(c, c.f32[c.f + CF.slow + head] ?? 0, atMs);
  c.f32[c.f + CF.slow + head] = y;
  c.u32[c.u + CU.slowHead] = (head + 1) % SLOW_RING;
  c.u32[c.u + CU.slowFilled] = Math.min(filled + 1, SLOW_RING);
  measure(c, y);
}

function placeInTime(c: Cursor, atMs: number): void {
  const distance = atMs - (c.f64[c.d + CD.slowAtMs] ?? 0);
  const isFirst = c.f64[c.d + CD.slowAtMs] === 0;
  c.f64[c.d + CD.slowAtMs] = atMs;
  if (isFirst) return;
  const usual = c.f64[c.d + CD.slowStepMs] ?? 0;
  if (usual > 0 && distance > GAP_STEPS * usual) {
    c.u32[c.u + CU.slowFilled] = 0;
    c.u32[c.u + CU.slowHead] = 0;
    return;
  }
  c.f64[c.d + CD.slowStepMs] = usual === 0 ? distance : usual + STEP_MEMORY * (distance - usual);
}

/** What leaves the window may be the high that a later rise is held against: yesterday's, or today's. */
function remember(c: Cursor, y: number, atMs: number): void {
  const since = c.d + CD.slowHighSinceMs;
  const lately = c.d + CD.slowHighLately;
  const before = c.d + CD.slowHighBefore;
  if (c.f64[since] === 0) {
    c.f64[since] = atMs;
    c.f64[lately] = y;
    c.f64[before] = y;
  } else if (atMs - (c.f64[since] ?? 0) >= DAY_MS) {
    c.f64[since] = atMs;
    c.f64[before] = c.f64[lately] ?? y;
    c.f64[lately] = y;
  } else {
    c.f64[lately] = Math.max(c.f64[lately] ?? y, y);
  }
}

function measure(c: Cursor, y: number): void {
  const filled = c.u32[c.u + CU.slowFilled] ?? 0;
  const stepMs = c.f64[c.d + CD.slowStepMs] ?? 0;
  c.u32[c.u + CU.slowSteady] = 0;
  c.f64[c.d + CD.slowSpanMs] = 0;
  if (filled < LEAST || !(stepMs > 0)) return;
  const values = new Float64Array(filled);
  const oldest = (c.u32[c.u + CU.slowHead] ?? 0) - filled + SLOW_RING;
  for (let i = 0; i < filled; i++) values[i] = c.f32[c.f + CF.slow + ((oldest + i) % SLOW_RING)] ?? 0;
  const perStep = halfWindowSlope(values);
  c.f64[c.d + CD.slowSlope] = (perStep * 1000) / stepMs;
  c.f64[c.d + CD.slowRise] = perStep * (filled - 1);
  c.f64[c.d + CD.slowSpanMs] = (filled - 1) * stepMs;
  if (!(perStep > 0) || y <= highBefore(c) || risingShare(values) < STEADY) return;
  if (keepsItsPace(values) && !isStep(values, perStep * (filled - 1), STEP_SHARE)) c.u32[c.u + CU.slowSteady] = 1;
}

function highBefore(c: Cursor): number {
  if (c.f64[c.d + CD.slowHighSinceMs] === 0) return -Infinity;
  return Math.max(c.f64[c.d + CD.slowHighBefore] ?? 0, c.f64[c.d + CD.slowHighLately] ?? 0);
}

/** The slope as of the last five minutes, and what the series' value, scale and limit make of it. */
export function slowTrendOf(
  c: Cursor,
  series: { readonly value: number; readonly scale: number },
  limit: number | undefined,
): Trend | undefined {
  const spanMs = c.f64[c.d + CD.slowSpanMs] ?? 0;
  if (!(spanMs > 0)) return undefined;
  const cap = Number.MAX_VALUE;
  const slopePerSecond = clamp((c.f64[c.d + CD.slowSlope] ?? 0) * series.scale, -cap, cap);
  const rise = clamp((c.f64[c.d + CD.slowRise] ?? 0) * series.scale, -cap, cap);
  const isSteady = c.u32[c.u + CU.slowSteady] === 1;
  const trend: Trend = {
    slopePerSecond,
    rise,
    steady: isSteady,
    keepsPace: isSteady,
    samples: c.u32[c.u + CU.slowFilled] ?? 0,
    spanMs,
  };
  if (limit === undefined || !(slopePerSecond > 0)) return trend;
  return { ...trend, timeToLimitMs: Math.max((limit - series.value) / slopePerSecond, 0) * 1000 };
}
