import type { MetricLimit, MetricSpec } from '../sample.ts';
import { D, U } from '../state/series-record.ts';
import type { Cursor } from '../state/slab.ts';
import { newScore } from '../verdict.ts';
import type { Score } from '../verdict.ts';

/** At the limit 0.9; ten per cent beyond it 0.95, and rising. Exceeded, but not for long enough: below any threshold. */
const AT_LIMIT = 0.9;
const NOT_YET = 0.6;

/** True: the limit is a ceiling. A spec harmful on both sides is read by the order of its two marks. */
export function limitIsCeiling(spec: MetricSpec, limit: MetricLimit): boolean {
  return spec.direction === 'Both' ? limit.enter >= limit.leave : spec.direction === 'Above';
}

/**
 * The policy's own limit with hysteresis: breached once the value was at or beyond `enter` for `forSeconds`, over again
 * when it is back at `leave`. Keeps its state in the series' record. `undefined`: the policy sets no limit.
 */
export function limitScore(c: Cursor, spec: MetricSpec, value: number, atMs: number): Score | undefined {
  const { limit } = spec;
  if (limit === undefined) return undefined;
  const sign = limitIsCeiling(spec, limit) ? 1 : -1;
  const beyondEnter = sign * (value - limit.enter) >= 0;
  const backAtLeave = sign * (value - limit.leave) <= 0;
  if (beyondEnter && c.f64[c.d + D.limitSinceMs] === 0) c.f64[c.d + D.limitSinceMs] = atMs;
  if (!beyondEnter && (backAtLeave || c.u32[c.u + U.limitBreached] === 0)) {
    c.f64[c.d + D.limitSinceMs] = 0;
    c.u32[c.u + U.limitBreached] = 0;
  }
  const since = c.f64[c.d + D.limitSinceMs] ?? 0;
  if (beyondEnter && atMs - since >= limit.forSeconds * 1000) c.u32[c.u + U.limitBreached] = 1;
  const breached = c.u32[c.u + U.limitBreached] === 1;
  return newScore({
    score: breached ? severityBeyond(sign * (value - limit.enter), Math.abs(limit.enter)) : beyondEnter ? NOT_YET : 0,
    detector: 'limit',
    feature: breached ? 'limit' : beyondEnter ? 'limit-pending' : 'within-limit',
    observed: value,
    expected: limit.enter,
    samples: c.u32[c.u + U.learnt] ?? 0,
  });
}

function severityBeyond(excess: number, size: number): number {
  const share = excess > 0 ? excess / Math.max(size, Number.MIN_VALUE) : 0;
  return 1 - (1 - AT_LIMIT) * 0.5 ** Math.min(share * 10, 20);
}
