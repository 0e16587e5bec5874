import { HISTOGRAM_BINS } from '../statistics/log-histogram.ts';
import type { RecordShape } from './slab.ts';

/** Hours of a week: the resolution of its profile. */
export const HOURS_OF_WEEK = 168;

/** Doubles of a series' weekly record. */
export const WD = {
  /** Mean and variance of the residuals against the profile. */
  residual: 0,
  /** Sum of the five-minute means in the hour under way. */
  slotSum: 2,
  /** Running mean of the residual: an hour of it. */
  averaged: 3,
  /** Unit of the sketch: the first residual that was not zero. */
  base: 4,
  /** Ratio to the alarm line of the last five minutes. Place 6 is not used any more; snapshots keep it. */
  ratio: 5,
  firstAtMs: 7,
  count: 8,
} as const;

export const WU = { slot: 0, slotCount: 1, profiled: 2, residuals: 3, sketchTotal: 4, count: 5 } as const;
/** The profile: means by hour of the week. */
export const WF = { profile: 0, count: HOURS_OF_WEEK } as const;
/** Shorts: the sketch of residuals, then how often each hour was visited, four bits an hour. */
export const WH = { sketch: 0, visits: HISTOGRAM_BINS, count: HISTOGRAM_BINS + HOURS_OF_WEEK / 4 } as const;

/** A series that lives for days: the profile of its week. */
export const WEEK_SHAPE: RecordShape = { f64: WD.count, f32: WF.count, u32: WU.count, u16: WH.count };
