import { D, F, H, PROTOTYPES, U } from '../state/series-record.ts';
import type { Cursor } from '../state/slab.ts';

/** A state farther than this from every remembered one is a new one, in quarters of the past range. */
const RADIUS = 0.25;

/**
 * Chebyshev distance of (value, spread) to the nearest remembered state, each axis in quarters of its own past range.
 * No state yet: 0. An axis without range counts only if it moved. The nearest is moved to the front of the order.
 */
export function nearestPrototype(c: Cursor, value: number, spread: number): number {
  const count = c.u32[c.u + U.prototypes] ?? 0;
  if (count === 0) return 0;
  const valueUnit = unitOf(c, D.low, value);
  const spreadUnit = unitOf(c, D.spreadLow, spread);
  const { u16, f32 } = c;
  const order = c.h + H.order;
  const values = c.f + F.prototypeValue;
  const spreads = c.f + F.prototypeSpread;
  let nearest = Infinity;
  let nearestAt = 0;
  for (let i = 0; i < count; i++) {
    const k = u16[order + i] ?? 0;
    const a = Math.abs(value - (f32[values + k] ?? 0)) * valueUnit;
    if (!(a < nearest)) continue;
    const b = Math.abs(spread - (f32[spreads + k] ?? 0)) * spreadUnit;
    const distance = a > b ? a : b;
    if (distance < nearest) {
      nearest = distance;
      nearestAt = i;
    }
  }
  moveToFront(c, nearestAt);
  return nearest;
}

/** 1 / (a quarter of the past range); a constant past is measured by the move itself, so any move is one range. */
function unitOf(c: Cursor, lowField: number, value: number): number {
  const low = c.f64[c.d + lowField] ?? 0;
  const high = c.f64[c.d + lowField + 1] ?? 0;
  const quarter = (high > low ? high - low : Math.max(Math.abs(value - low), Number.MIN_VALUE)) / 4;
  return Math.min(1 / quarter, Number.MAX_VALUE);
}

function moveToFront(c: Cursor, index: number): void {
  const order = c.h + H.order;
  const chosen = c.u16[order + index] ?? 0;
  c.u16.copyWithin(order + 1, order, order + index);
  c.u16[order] = chosen;
}

/** Remembers a state that is far from all others; when full, in the place of the one unmatched for the longest. */
export function teachPrototype(c: Cursor, value: number, spread: number, distance: number): void {
  const count = c.u32[c.u + U.prototypes] ?? 0;
  if (count > 0 && distance <= RADIUS) return;
  const order = c.h + H.order;
  let place = count;
  if (count < PROTOTYPES) {
    c.u32[c.u + U.prototypes] = count + 1;
    c.u16[order + count] = count;
  } else {
    place = c.u16[order + count - 1] ?? 0;
  }
  moveToFront(c, Math.min(count, PROTOTYPES - 1));
  c.f32[c.f + F.prototypeValue + place] = value;
  c.f32[c.f + F.prototypeSpread + place] = spread;
}
