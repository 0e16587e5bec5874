import { HOURS_OF_WEEK, WD, WF, WH, WU } from '../state/week-record.ts';
import type { Cursor } from '../state/slab.ts';
import { clamp } from '../statistics/clamp.ts';
import { histogramAdd, histogramBin, histogramUpperQuantile } from '../statistics/log-histogram.ts';
import { teachMoments } from '../statistics/running-moments.ts';

/**
 * Day of week, gated like the time of day (`seasonal.ts`), and harder: the profile of 168 hours speaks once two weeks have
 * been seen, where it explains at least 80 % of the variance *and* leaves clearly less unexplained than the day's profile
 * does. A quiet Sunday is then expected, and Monday's load on a Sunday is not. Input: five-minute means, times in UTC.
 */
const HOUR_MS = 3_600_000;
const WEEK_MS = HOURS_OF_WEEK * HOUR_MS;
/** A visit of an hour counts 1 / min(visits, 4): about a month is remembered. */
const VISITS = 4;
const MEMORY = 2016;
const EXPLAINED = 0.8;
/** Variance that the week may leave, as a share of what the day leaves: else the day is the simpler explanation. */
const BETTER_THAN_DAY = 0.7;
const TAIL = 0.01;
const MIN_RESIDUALS = 100;
const RATIO_CAP = 20;
/** Weight of a residual in its running mean: about the last twelve. */
const NEWEST = 2 / 13;
/** Alarm line of the ratio. */
const WEEKLY_LINE = 2.5;

/** What the day's profile knows of the same means: their variance, and what it leaves of it. */
export interface DayVariance {
  readonly total: number;
  readonly residual: number;
}

const slotOf = (atMs: number): number => Math.floor((((atMs % WEEK_MS) + WEEK_MS) % WEEK_MS) / HOUR_MS);

const visitsOf = (c: Cursor, slot: number): number =>
  ((c.u16[c.h + WH.visits + (slot >> 2)] ?? 0) >> (4 * (slot & 3))) & 15;

/** What the week expects at that time; NaN while that hour was never seen. */
export function weeklyExpectation(c: Cursor, atMs: number): number {
  const slot = slotOf(atMs);
  return visitsOf(c, slot) === 0 ? NaN : (c.f32[c.f + WF.profile + slot] ?? NaN);
}

/** True once two weeks are seen and the profile explains enough, and more than the day. */
export function weeklyGateIsOpen(c: Cursor, day: DayVariance): boolean {
  if ((c.u32[c.u + WU.profiled] ?? 0) < 2 * HOURS_OF_WEEK || (c.u32[c.u + WU.residuals] ?? 0) < MIN_RESIDUALS)
    return false;
  const left = c.f64[c.d + WD.residual + 1] ?? 0;
  return day.total > 0 && left <= (1 - EXPLAINED) * day.total && left <= BETTER_THAN_DAY * day.residual;
}

/**
 * Scores a five-minute mean against the week and then lets it in. Returns the running residual over its own 99th
 * percentile, over the alarm line (1 is the line); 0 while the gate is closed. `teach` false: nothing is learnt.
 */
export function stepWeekly(c: Cursor, y: number, atMs: number, teach: boolean, day: DayVariance): number {
  const expected = weeklyExpectation(c, atMs);
  const residual = y - expected;
  let ratio = 0;
  if (!Number.isNaN(expected)) {
    const averaged = c.d + WD.averaged;
    c.f64[averaged] = (c.f64[averaged] ?? 0) + NEWEST * (residual - (c.f64[averaged] ?? 0));
    if (weeklyGateIsOpen(c, day)) {
      const known = c.u32[c.u + WU.sketchTotal] ?? 0;
      const usual = histogramUpperQuantile(c.u16, c.h + WH.sketch, known, TAIL) * (c.f64[c.d + WD.base] ?? 0);
      const least = Math.max(usual, 0.05 * Math.sqrt(day.total), Number.MIN_VALUE);
      ratio = clamp(Math.abs(c.f64[averaged] ?? 0) / least, 0, RATIO_CAP);
    }
    if (teach) teachResidual(c, residual, Math.abs(c.f64[averaged] ?? 0));
  }
  if (teach) visit(c, y, slotOf(atMs));
  c.f64[c.d + WD.ratio] = ratio / WEEKLY_LINE;
  return ratio / WEEKLY_LINE;
}

function teachResidual(c: Cursor, residual: number, averaged: number): void {
  const known = (c.u32[c.u + WU.residuals] ?? 0) + 1;
  c.u32[c.u + WU.residuals] = known;
  teachMoments(c.f64, c.d + WD.residual, residual, known, MEMORY);
  const base = c.d + WD.base;
  if (c.f64[base] === 0) c.f64[base] = averaged;
  const relative = (c.f64[base] ?? 0) > 0 ? averaged / (c.f64[base] ?? 1) : 0;
  const total = c.u32[c.u + WU.sketchTotal] ?? 0;
  c.u32[c.u + WU.sketchTotal] = histogramAdd(c.u16, c.h + WH.sketch, histogramBin(relative), total);
}

/** Gathers the hour under way; when it is over, its mean goes into the profile. */
function visit(c: Cursor, y: number, slot: number): void {
  const count = c.u32[c.u + WU.slotCount] ?? 0;
  const current = c.u32[c.u + WU.slot] ?? 0;
  if (count > 0 && slot !== current) {
    const visits = Math.min(visitsOf(c, current) + 1, VISITS);
    const packed = c.h + WH.visits + (current >> 2);
    const shift = 4 * (current & 3);
    c.u16[packed] = ((c.u16[packed] ?? 0) & ~(15 << shift)) | (visits << shift);
    const at = c.f + WF.profile + current;
    const mean = (c.f64[c.d + WD.slotSum] ?? 0) / count;
    c.f32[at] = (c.f32[at] ?? 0) + (mean - (c.f32[at] ?? 0)) / visits;
    c.u32[c.u + WU.profiled] = (c.u32[c.u + WU.profiled] ?? 0) + 1;
    c.f64[c.d + WD.slotSum] = 0;
    c.u32[c.u + WU.slotCount] = 0;
  }
  c.u32[c.u + WU.slot] = slot;
  c.f64[c.d + WD.slotSum] = (c.f64[c.d + WD.slotSum] ?? 0) + y;
  c.u32[c.u + WU.slotCount] = (c.u32[c.u + WU.slotCount] ?? 0) + 1;
}
