import { D, U } from '../state/series-record.ts';
import type { Cursor } from '../state/slab.ts';
import { halfWindowSlope } from '../statistics/half-window-slope.ts';
import { risingShare } from '../statistics/rising-share.ts';
import { theilSenSlope } from '../statistics/theil-sen-slope.ts';
import { recent, unscaled } from './own-history.ts';

/** A slope is read from the last 24 samples at most and never from fewer than 8. */
const WINDOW = 24;
const LEAST = 8;
/** Share of pairs that rise: noise around a level stays below 0.4 in 999 of 1,000 windows of 24. */
const STEADY = 0.7;

export interface Trend {
  /** Per second, in the metric's unit. */
  readonly slopePerSecond: number;
  /** Rise over the window, in the metric's unit. */
  readonly rise: number;
  /** It rises steadily, not by a step and not by noise. */
  readonly steady: boolean;
  /** The window's second half rises at least three quarters as fast as its first: it does not level off. */
  readonly keepsPace: boolean;
  /** How long it was observed. */
  readonly spanMs: number;
  readonly timeToLimitMs?: number;
  readonly samples: number;
}

/**
 * Where a filling resource is going: robust slope over the recent window and the time until it meets `limit` from
 * below. Uses the mean distance of samples, so a few jittered polls do not matter. `undefined`: too few samples.
 */
export function trendOf(c: Cursor, limit: number | undefined): Trend | undefined {
  const samples = Math.min(c.u32[c.u + U.contiguous] ?? 0, WINDOW);
  const stepMs = c.f64[c.d + D.stepMs] ?? 0;
  if (samples < LEAST || !(stepMs > 0)) return undefined;
  const origin = unscaled(c, 0);
  const values = new Float64Array(samples);
  for (let i = 0; i < samples; i++) values[i] = unscaled(c, recent(c, samples - 1 - i)) - origin;
  const perStep = theilSenSlope(values);
  const slopePerSecond = (perStep * 1000) / stepMs;
  const rise = perStep * (samples - 1);
  const steady = perStep > 0 && risingShare(values) >= STEADY && !isStep(values, rise);
  const spanMs = (samples - 1) * stepMs;
  const trend: Trend = { slopePerSecond, rise, steady, keepsPace: keepsItsPace(values), spanMs, samples };
  if (limit === undefined || !(slopePerSecond > 0)) return trend;
  const left = limit - (origin + (values[samples - 1] ?? 0));
  return { ...trend, timeToLimitMs: Math.max(left / slopePerSecond, 0) * 1000 };
}

/** One jump carries more than `share` of the rise: a new level, not a leak. */
export function isStep(values: Float64Array, rise: number, share = 0.6): boolean {
  let largest = 0;
  for (let i = 1; i < values.length; i++) largest = Math.max(largest, (values[i] ?? 0) - (values[i - 1] ?? 0));
  return largest > share * rise;
}

/** Slope of the second half over that of the first; why 0.75: `slow-trend.ts`. */
const PACE = 0.75;

/** True if the rise does not slow down between the window's halves. */
export function keepsItsPace(values: Float64Array): boolean {
  const half = values.length >> 1;
  const early = halfWindowSlope(values.subarray(0, half));
  return halfWindowSlope(values.subarray(values.length - half)) >= PACE * early;
}

/** Slope of a series without a limit, from two neighbouring windows of 12: cheap, for evidence only. */
export function plainSlopePerSecond(c: Cursor): number | undefined {
  const stepMs = c.f64[c.d + D.stepMs] ?? 0;
  if ((c.u32[c.u + U.contiguous] ?? 0) < 24 || !(stepMs > 0)) return undefined;
  const last = c.f64[c.d + D.sums] ?? 0;
  const both = c.f64[c.d + D.sums + 1] ?? 0;
  return (((last - (both - last)) / 144) * (c.f64[c.d + D.scale] ?? 1) * 1000) / stepMs;
}
