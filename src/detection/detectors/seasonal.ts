import { CD, CF, CH, CU, HALF_HOURS, RESIDUALS } from '../state/coarse-record.ts';
import type { Cursor } from '../state/slab.ts';
import { clamp } from '../statistics/clamp.ts';
import { histogramAdd, histogramBin, histogramUpperQuantile } from '../statistics/log-histogram.ts';
import { teachMoments } from '../statistics/running-moments.ts';

/**
 * Time of day, gated: a half-hour profile is used only where it explains at least 80 % of the variance, because ungated
 * it costs more false alarms than it finds faults. It alone sees a daily peak that does not come. Its input are means of
 * five minutes (or samples, where they are rarer). Times are UTC: a profile shifted by a zone is as good.
 */
const SLOT_MS = 30 * 60_000;
const DAY_MS = HALF_HOURS * SLOT_MS;
/** A visit of a half hour counts 1 / min(visits, 7): about a week is remembered. */
const VISITS = 7;
const MEMORY = 2016;
const EXPLAINED = 0.8;
const TAIL = 0.01;
const MIN_RESIDUALS = 100;
const RATIO_CAP = 20;
/** Alarm line of the ratio. */
const SEASONAL_LINE = 2.5;

const slotOf = (atMs: number): number => Math.floor((((atMs % DAY_MS) + DAY_MS) % DAY_MS) / SLOT_MS);

/** What the profile expects at that time; NaN while that half hour was never seen. */
export function seasonalExpectation(c: Cursor, atMs: number): number {
  const slot = slotOf(atMs);
  return (c.u16[c.h + CH.visits + slot] ?? 0) === 0 ? NaN : (c.f32[c.f + CF.profile + slot] ?? NaN);
}

/** Share of the variance that the profile explains, 0 to 1; 0 until two days have been seen. */
export function seasonalShare(c: Cursor): number {
  if ((c.u32[c.u + CU.profiled] ?? 0) < 2 * HALF_HOURS) return 0;
  const total = c.f64[c.d + CD.total + 1] ?? 0;
  return total > 0 ? clamp(1 - (c.f64[c.d + CD.residual + 1] ?? 0) / total, 0, 1) : 0;
}

/**
 * Scores a five-minute mean against the profile and then lets it in. Returns the ratio to the residuals' running 99th
 * percentile over the alarm line (1 is the line); 0 while the gate is closed. `teach` false: a fault, nothing is learnt.
 */
export function stepSeasonal(c: Cursor, y: number, atMs: number, teach: boolean): number {
  const expected = seasonalExpectation(c, atMs);
  const sigma = Math.sqrt(c.f64[c.d + CD.total + 1] ?? 0);
  let ratio = 0;
  let averaged = NaN;
  if (!Number.isNaN(expected)) {
    averaged = averageResidual(c, y - expected);
    const known = c.u32[c.u + CU.sketchTotal] ?? 0;
    if (known >= MIN_RESIDUALS && seasonalShare(c) >= EXPLAINED) {
      const usual = histogramUpperQuantile(c.u16, c.h + CH.sketch, known, TAIL) * (c.f64[c.d + CD.base] ?? 0);
      ratio = clamp(Math.abs(averaged) / Math.max(usual, 0.05 * sigma, Number.MIN_VALUE), 0, RATIO_CAP);
    }
  }
  if (teach) teachSeasonal(c, y, atMs, y - expected, averaged);
  c.f64[c.d + CD.ratio] = ratio / SEASONAL_LINE;
  return ratio / SEASONAL_LINE;
}

/** Mean of the last twelve residuals; NaN before. */
function averageResidual(c: Cursor, residual: number): number {
  const head = c.u32[c.u + CU.residualHead] ?? 0;
  const at = c.f + CF.residuals;
  c.f32[at + head] = residual;
  c.u32[c.u + CU.residualHead] = (head + 1) % RESIDUALS;
  const seen = (c.u32[c.u + CU.residualsSeen] ?? 0) + 1;
  c.u32[c.u + CU.residualsSeen] = seen;
  if (seen < RESIDUALS) return NaN;
  let sum = 0;
  for (let i = 0; i < RESIDUALS; i++) sum += c.f32[at + i] ?? 0;
  return sum / RESIDUALS;
}

function teachSeasonal(c: Cursor, y: number, atMs: number, residual: number, averaged: number): void {
  const seen = (c.u32[c.u + CU.seen] ?? 0) + 1;
  c.u32[c.u + CU.seen] = seen;
  teachMoments(c.f64, c.d + CD.total, y, seen, MEMORY);
  if (!Number.isNaN(residual)) {
    const profiled = c.u32[c.u + CU.residualsSeen] ?? 1;
    teachMoments(c.f64, c.d + CD.residual, residual, profiled, MEMORY);
  }
  if (averaged > 0 || averaged < 0) {
    const base = c.d + CD.base;
    if (c.f64[base] === 0) c.f64[base] = Math.abs(averaged);
    const bin = histogramBin(Math.abs(averaged) / (c.f64[base] ?? 1));
    c.u32[c.u + CU.sketchTotal] = histogramAdd(c.u16, c.h + CH.sketch, bin, c.u32[c.u + CU.sketchTotal] ?? 0);
  }
  visit(c, y, slotOf(atMs));
}

/** Gathers the half hour under way; when it is over, its mean goes into the profile. */
function visit(c: Cursor, y: number, slot: number): void {
  const count = c.u32[c.u + CU.slotCount] ?? 0;
  const current = c.u32[c.u + CU.slot] ?? 0;
  if (count > 0 && slot !== current) {
    const visits = Math.min((c.u16[c.h + CH.visits + current] ?? 0) + 1, VISITS);
    c.u16[c.h + CH.visits + current] = visits;
    const mean = (c.f64[c.d + CD.slotSum] ?? 0) / count;
    const at = c.f + CF.profile + current;
    c.f32[at] = (c.f32[at] ?? 0) + (mean - (c.f32[at] ?? 0)) / visits;
    c.u32[c.u + CU.profiled] = (c.u32[c.u + CU.profiled] ?? 0) + 1;
    c.f64[c.d + CD.slotSum] = 0;
    c.u32[c.u + CU.slotCount] = 0;
  }
  c.u32[c.u + CU.slot] = slot;
  c.f64[c.d + CD.slotSum] = (c.f64[c.d + CD.slotSum] ?? 0) + y;
  c.u32[c.u + CU.slotCount] = (c.u32[c.u + CU.slotCount] ?? 0) + 1;
}
