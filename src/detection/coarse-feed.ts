import { seasonalExpectation, stepSeasonal } from './detectors/seasonal.ts';
import { stepShape } from './detectors/shape.ts';
import { stepSlowTrend } from './detectors/slow-trend.ts';
import { stepWeekly, weeklyExpectation } from './detectors/weekly.ts';
import type { DayVariance } from './detectors/weekly.ts';
import { CD, CU, SD } from './state/coarse-record.ts';
import { D, U } from './state/series-record.ts';
import type { SeriesTable } from './state/series-table.ts';
import type { Cursor } from './state/slab.ts';
import { WD } from './state/week-record.ts';

/**
 * Shape, time of day, day of week and the slow slope look at five-minute means: at the pace of polls their memory would be
 * minutes, not days. A series gets this state after an hour of life (or at once where shape is asked for), and the profile
 * of its week after a day, so short-lived pods never pay.
 */
const STEP_MS = 300_000;
const LIVES_MS = 3_600_000;
const LIVES_FOR_DAYS_MS = 86_400_000;

/** What the slow detectors say now; ratios as of the last finished five minutes, 1 is the alarm line. */
export interface CoarseView {
  readonly seasonalRatio: number;
  /** Expected value by the profile, scaled; NaN: the gate is closed or the half hour is new. */
  readonly seasonalExpected: number;
  readonly residualSigma: number;
  /** The profile that speaks: the week's where its gate is open, else the day's. */
  readonly season: 'day' | 'week';
  readonly shapeRatio: number;
  /** The record itself, for what reads it in the series' own unit. */
  readonly coarse: Cursor;
}

/** What a series asks for beside its profiles. */
export interface SlowWishes {
  /** Nearest neighbours. */
  readonly shape: boolean;
  /** The slope of hours: for what fills towards an end. */
  readonly slope: boolean;
}

/** Feeds one admitted sample. `y` is scaled; the series' own flag decides whether the slow detectors learn it. */
export function feedCoarse(table: SeriesTable, slot: number, y: number, atMs: number, wants: SlowWishes): void {
  const c = table.record(slot);
  const age = atMs - (c.f64[c.d + D.firstAtMs] ?? atMs);
  if (!comesOfAge(table, c, age, wants.shape)) return;
  const teach = (c.u32[c.u + U.flaggedRun] ?? 0) === 0;
  const isSlow = (c.f64[c.d + D.stepMs] ?? 0) * 2 >= STEP_MS;
  const coarse = table.coarse.seek((c.u32[c.u + U.coarse] ?? 1) - 1);
  const mean = isSlow ? y : gatherMean(coarse, y, atMs);
  if (Number.isNaN(mean)) return;
  stepSeasonal(coarse, mean, atMs, teach);
  if (wants.slope) stepSlowTrend(coarse, mean, atMs);
  const shape = c.u32[c.u + U.shape] ?? 0;
  if (shape > 0) stepShape(table.shape.seek(shape - 1), mean, teach);
  const week = c.u32[c.u + U.week] ?? 0;
  if (week > 0) stepWeekly(table.week.seek(week - 1), mean, atMs, teach, dayVariance(coarse));
}

/** Gives a series the state that its age asks for; false: it is too young for any. */
function comesOfAge(table: SeriesTable, c: Cursor, age: number, wantsShape: boolean): boolean {
  if (c.u32[c.u + U.coarse] === 0) {
    if (age < LIVES_MS && !wantsShape) return false;
    c.u32[c.u + U.coarse] = table.coarse.allocate() + 1;
  }
  if (wantsShape && c.u32[c.u + U.shape] === 0) c.u32[c.u + U.shape] = table.shape.allocate() + 1;
  const hasNoWeek = age >= LIVES_FOR_DAYS_MS && c.u32[c.u + U.week] === 0;
  if (hasNoWeek && table.week.inUse() < table.weeklyProfiles) c.u32[c.u + U.week] = table.week.allocate() + 1;
  return true;
}

function dayVariance(coarse: Cursor): DayVariance {
  return { total: coarse.f64[coarse.d + CD.total + 1] ?? 0, residual: coarse.f64[coarse.d + CD.residual + 1] ?? 0 };
}

/** The mean of the five minutes that this sample ends; NaN while they run. */
function gatherMean(c: Cursor, y: number, atMs: number): number {
  const pending = c.u32[c.u + CU.pending] ?? 0;
  if (pending === 0) c.f64[c.d + CD.startMs] = atMs;
  c.f64[c.d + CD.sum] = (c.f64[c.d + CD.sum] ?? 0) + y;
  c.u32[c.u + CU.pending] = pending + 1;
  if (atMs - (c.f64[c.d + CD.startMs] ?? atMs) < STEP_MS) return NaN;
  const mean = (c.f64[c.d + CD.sum] ?? 0) / (pending + 1);
  c.f64[c.d + CD.sum] = 0;
  c.u32[c.u + CU.pending] = 0;
  return mean;
}

/** The slow detectors' present view; `undefined` for a series without such state. */
export function coarseView(table: SeriesTable, slot: number, atMs: number): CoarseView | undefined {
  const c = table.record(slot);
  const coarseSlot = c.u32[c.u + U.coarse] ?? 0;
  const shapeSlot = c.u32[c.u + U.shape] ?? 0;
  if (coarseSlot === 0) return undefined;
  const coarse = table.coarse.seek(coarseSlot - 1);
  const ofShape = shapeSlot === 0 ? 0 : shapeRatio(table.shape.seek(shapeSlot - 1));
  const weekSlot = c.u32[c.u + U.week] ?? 0;
  const ofWeek =
    weekSlot === 0 ? undefined : weekView(table.week.seek(weekSlot - 1), atMs, { shapeRatio: ofShape, coarse });
  return ofWeek ?? dayView(coarse, atMs, ofShape);
}

function dayView(coarse: Cursor, atMs: number, ofShape: number): CoarseView {
  const seasonalRatio = coarse.f64[coarse.d + CD.ratio] ?? 0;
  return {
    seasonalRatio,
    seasonalExpected: seasonalRatio > 0 ? seasonalExpectation(coarse, atMs) : NaN,
    residualSigma: Math.sqrt(coarse.f64[coarse.d + CD.residual + 1] ?? 0),
    season: 'day',
    shapeRatio: ofShape,
    coarse,
  };
}

/** `undefined` while the week's gate is closed. */
function weekView(
  week: Cursor,
  atMs: number,
  { shapeRatio: ofShape, coarse }: Pick<CoarseView, 'shapeRatio' | 'coarse'>,
): CoarseView | undefined {
  const seasonalRatio = week.f64[week.d + WD.ratio] ?? 0;
  if (!(seasonalRatio > 0)) return undefined;
  return {
    seasonalRatio,
    seasonalExpected: weeklyExpectation(week, atMs),
    residualSigma: Math.sqrt(week.f64[week.d + WD.residual + 1] ?? 0),
    season: 'week',
    shapeRatio: ofShape,
    coarse,
  };
}

const shapeRatio = (c: Cursor): number => c.f64[c.d + SD.ratio] ?? 0;
