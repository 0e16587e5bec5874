import { clearWindows, scaled, unscaled } from './detectors/own-history.ts';
import { CD, CF, CU, RESIDUALS } from './state/coarse-record.ts';
import { D, U } from './state/series-record.ts';
import type { SeriesTable } from './state/series-table.ts';
import { WD, WU } from './state/week-record.ts';

/**
 * A replaced pod starts from what pods of its workload and template have learnt, not from nothing: bands, states, the
 * day's and the week's profile of the one that knows most, with the mean, spread and range of all. It is a start, not a
 * verdict: what was inherited counts as two `minSamples` of samples, so that as many of its own outweigh it, and until
 * the pod has a past of its own it fires nothing by itself (`isWarmingUp` in `learned-scores.ts`): a pod that starts
 * fills caches and compiles. What belongs to a pod and not to its template is not inherited: windows, the deviation from
 * peers, limits under way, slopes, shape.
 */
const COUNTS_AS = 2;
const LEAST_COUNT = 120;
/** Spread between pods that is assumed where only one is known, as a share of the mean. */
const BETWEEN_PODS = 0.1;
const SQUARE_CAP = 1e60;

export interface Heir {
  readonly key: string;
  readonly atMs: number;
  readonly intervalMs: number;
  readonly minSamples: number;
}

/** Opens the heir's series from its donors' ones; false: none of them knows enough, the series is left unopened. */
export function inherit(table: SeriesTable, heir: Heir, donorKeys: readonly string[]): boolean {
  const donors = donorKeys.map((key) => table.find(key)).filter((slot) => knowsEnough(table, slot, heir.minSamples));
  const richest = donors.reduce<number | undefined>(
    (best, slot) => (best === undefined || learntBy(table, slot) > learntBy(table, best) ? slot : best),
    undefined,
  );
  if (richest === undefined) return false;
  const slot = table.open(heir.key);
  table.copy(richest, slot);
  forgetWhatIsThePods(table, slot, heir);
  pool(table, slot, donors);
  return true;
}

/** Of the donor's own samples alone: what was inherited is no proof twice. */
function learntBy(table: SeriesTable, slot: number): number {
  const c = table.record(slot);
  return (c.u32[c.u + U.learnt] ?? 0) - (c.u32[c.u + U.inherited] ?? 0);
}

/** A donor that died young hands on what it had inherited itself. */
function knowsEnough(table: SeriesTable, slot: number, minSamples: number): boolean {
  if (slot < 0) return false;
  const c = table.record(slot);
  return (c.u32[c.u + U.learnt] ?? 0) >= minSamples;
}

function forgetWhatIsThePods(table: SeriesTable, slot: number, { atMs, intervalMs, minSamples }: Heir): void {
  const c = table.record(slot);
  clearWindows(c);
  const counts = Math.min(c.u32[c.u + U.learnt] ?? 0, Math.max(COUNTS_AS * minSamples, LEAST_COUNT));
  c.u32[c.u + U.learnt] = counts;
  c.u32[c.u + U.inherited] = counts;
  for (const field of [U.warmUpLeft, U.flaggedRun, U.peersLearnt, U.limitBreached, U.gaps, U.learntBefore]) {
    c.u32[c.u + field] = 0;
  }
  for (let level = 0; level < 3; level++) {
    const known = c.u + U.levelsLearnt + level;
    c.u32[known] = Math.min(c.u32[known] ?? 0, counts);
  }
  c.f64.fill(0, c.d + D.peer, c.d + D.peer + 2);
  for (const field of [D.flaggedSinceMs, D.limitSinceMs, D.lastRatio]) c.f64[c.d + field] = 0;
  c.f64[c.d + D.lastTail] = 1;
  const stepMs = c.f64[c.d + D.stepMs] ?? 0;
  // As if the predecessor had been seen one step ago: the first sample is neither a gap nor the beginning of time.
  c.f64[c.d + D.lastAtMs] = atMs - (stepMs > 0 && stepMs <= intervalMs ? stepMs : Math.min(intervalMs, 60_000));
  calmSlowParts(table, slot);
}

/** Profiles stay; what was under way ends. */
function calmSlowParts(table: SeriesTable, slot: number): void {
  const c = table.record(slot);
  const coarseSlot = c.u32[c.u + U.coarse] ?? 0;
  const weekSlot = c.u32[c.u + U.week] ?? 0;
  if (coarseSlot > 0) {
    const coarse = table.coarse.seek(coarseSlot - 1);
    for (const field of [CU.pending, CU.slotCount, CU.slowFilled, CU.slowHead, CU.slowSteady]) {
      coarse.u32[coarse.u + field] = 0;
    }
    for (const field of [CD.sum, CD.slotSum, CD.ratio]) coarse.f64[coarse.d + field] = 0;
    coarse.f64.fill(0, coarse.d + CD.slowAtMs, coarse.d + CD.count);
    coarse.f32.fill(0, coarse.f + CF.residuals, coarse.f + CF.residuals + RESIDUALS);
  }
  if (weekSlot === 0) return;
  const week = table.week.seek(weekSlot - 1);
  week.u32[week.u + WU.slotCount] = 0;
  for (const field of [WD.slotSum, WD.averaged, WD.ratio]) week.f64[week.d + field] = 0;
}

/** Mean, spread and range over all donors: variance within pods, and between them. */
function pool(table: SeriesTable, slot: number, donors: readonly number[]): void {
  const views = donors.map((donor) => viewOf(table, donor));
  const c = table.record(slot);
  const scale = c.f64[c.d + D.scale] ?? 1;
  const means = views.map(({ mean }) => scaled(c, mean));
  const mean = means.reduce((sum, each) => sum + each / means.length, 0);
  const between = means.reduce((sum, each) => sum + (each - mean) ** 2 / means.length, 0);
  const assumed = views.length > 1 ? 0 : (BETWEEN_PODS * Math.abs(unscaled(c, mean) / scale)) ** 2;
  const within = views.reduce((sum, { sigma }) => sum + Math.min((sigma / scale) ** 2, SQUARE_CAP) / views.length, 0);
  const variance = Math.min(within + between + assumed, SQUARE_CAP);
  for (const field of [D.value, D.recent]) {
    c.f64[c.d + field] = mean;
    c.f64[c.d + field + 1] = variance;
  }
  for (const { low, high } of views) {
    c.f64[c.d + D.low] = Math.min(c.f64[c.d + D.low] ?? 0, scaled(c, low));
    c.f64[c.d + D.high] = Math.max(c.f64[c.d + D.high] ?? 0, scaled(c, high));
  }
  c.f64[c.d + D.highBefore] = c.f64[c.d + D.high] ?? 0;
  c.f64[c.d + D.highLately] = c.f64[c.d + D.high] ?? 0;
}

/** A donor in the metric's own unit. */
function viewOf(table: SeriesTable, slot: number): { mean: number; sigma: number; low: number; high: number } {
  const c = table.record(slot);
  return {
    mean: unscaled(c, c.f64[c.d + D.value] ?? 0),
    sigma: Math.sqrt(c.f64[c.d + D.value + 1] ?? 0) * (c.f64[c.d + D.scale] ?? 1),
    low: unscaled(c, c.f64[c.d + D.low] ?? 0),
    high: unscaled(c, c.f64[c.d + D.high] ?? 0),
  };
}
