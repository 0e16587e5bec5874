import { seasonalExpectation, stepSeasonal } from './detectors/seasonal.ts';
import { stepShape } from './detectors/shape.ts';
import { CD, CU, SD } from './state/coarse-record.ts';
import { D, U } from './state/series-record.ts';
import type { SeriesTable } from './state/series-table.ts';
import type { Cursor } from './state/slab.ts';

/**
 * Shape and time of day look at five-minute means: at the pace of polls their memory would be minutes, not days. A
 * series gets this state after an hour of life (or at once where shape is asked for), so short-lived pods never pay.
 */
const STEP_MS = 300_000;
const LIVES_MS = 3_600_000;

/** What the slow detectors say now; ratios as of the last finished five minutes, 1 is the alarm line. */
export interface CoarseView {
  readonly seasonalRatio: number;
  /** Expected value by the profile, scaled; NaN: the gate is closed or the half hour is new. */
  readonly seasonalExpected: number;
  readonly residualSigma: number;
  readonly shapeRatio: number;
}

/** Feeds one admitted sample. `y` is scaled; the series' own flag decides whether the slow detectors learn it. */
export function feedCoarse(table: SeriesTable, slot: number, y: number, atMs: number, wantsShape: boolean): void {
  const c = table.record(slot);
  const age = atMs - (c.f64[c.d + D.firstAtMs] ?? atMs);
  if (c.u32[c.u + U.coarse] === 0) {
    if (age < LIVES_MS && !wantsShape) return;
    c.u32[c.u + U.coarse] = table.coarse.allocate() + 1;
  }
  if (wantsShape && c.u32[c.u + U.shape] === 0) c.u32[c.u + U.shape] = table.shape.allocate() + 1;
  const teach = (c.u32[c.u + U.flaggedRun] ?? 0) === 0;
  const shape = c.u32[c.u + U.shape] ?? 0;
  const isSlow = (c.f64[c.d + D.stepMs] ?? 0) * 2 >= STEP_MS;
  const coarse = table.coarse.seek((c.u32[c.u + U.coarse] ?? 1) - 1);
  const mean = isSlow ? y : gatherMean(coarse, y, atMs);
  if (Number.isNaN(mean)) return;
  stepSeasonal(coarse, mean, atMs, teach);
  if (shape > 0) stepShape(table.shape.seek(shape - 1), mean, teach);
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
  const seasonalRatio = coarse.f64[coarse.d + CD.ratio] ?? 0;
  return {
    seasonalRatio,
    seasonalExpected: seasonalRatio > 0 ? seasonalExpectation(coarse, atMs) : NaN,
    residualSigma: Math.sqrt(coarse.f64[coarse.d + CD.residual + 1] ?? 0),
    shapeRatio: shapeSlot === 0 ? 0 : shapeRatio(table.shape.seek(shapeSlot - 1)),
  };
}

const shapeRatio = (c: Cursor): number => c.f64[c.d + SD.ratio] ?? 0;
