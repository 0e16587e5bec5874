import { HISTOGRAM_BINS } from '../statistics/log-histogram.ts';
import { bytesPerSeries } from './series-record.ts';
import { bytesOf } from './slab.ts';
import type { RecordShape } from './slab.ts';
import { WEEK_SHAPE } from './week-record.ts';

/** Half hours of a day. */
export const HALF_HOURS = 48;
/** Samples in the residual's mean. */
export const RESIDUALS = 12;
/** Five-minute means in the window of the slow slope: four hours. */
export const SLOW_RING = 48;

/** Doubles of a series' five-minute record. */
export const CD = {
  /** Sum of the samples of the running five minutes, and their beginning. */
  sum: 0,
  startMs: 1,
  /** Mean and variance of the five-minute means, and of the profile's residuals. */
  total: 2,
  residual: 4,
  /** Sum of the means in the half hour under way. */
  slotSum: 6,
  residualSum: 7,
  base: 8,
  /** The seasonal ratio of the last five minutes. Place 10 is not used any more; snapshots keep it. */
  ratio: 9,
  /** The slow slope: time of the last mean, running distance of means, slope per second, rise and span of its window. */
  slowAtMs: 11,
  slowStepMs: 12,
  slowSlope: 13,
  slowRise: 14,
  slowSpanMs: 15,
  /** Highest mean of the last 24 to 48 h before the window, and of the last 0 to 24 h; since when the latter runs. */
  slowHighBefore: 16,
  slowHighLately: 17,
  slowHighSinceMs: 18,
  count: 19,
} as const;

export const CU = {
  /** Samples in the running five minutes, and five-minute means seen. */
  pending: 0,
  seen: 1,
  slot: 2,
  slotCount: 3,
  residualHead: 4,
  residualsSeen: 5,
  sketchTotal: 6,
  profiled: 7,
  /** Means in the window of the slow slope, their place, and 1 while it rises steadily without levelling off. */
  slowFilled: 8,
  slowHead: 9,
  slowSteady: 10,
  count: 11,
} as const;

export const CF = {
  profile: 0,
  residuals: HALF_HOURS,
  slow: HALF_HOURS + RESIDUALS,
  count: HALF_HOURS + RESIDUALS + SLOW_RING,
} as const;
export const CH = { visits: 0, sketch: HALF_HOURS, count: HALF_HOURS + HISTOGRAM_BINS } as const;

/** A series that lives for hours: five-minute means, the profile of its day and its slope over four hours. */
export const COARSE_SHAPE: RecordShape = { f64: CD.count, f32: CF.count, u32: CU.count, u16: CH.count };

/** Lengths of the compared subsequences, and how far back a neighbour may end. */
export const SUBSEQUENCES = [12, 16, 20] as const;
export const NEAREST_LAG = 24;
export const FARTHEST_LAG = 750;
/** A power of two that holds the farthest neighbour whole. */
export const SHAPE_RING = 1024;

/** Doubles: mean and variance, the sketches' units, the last ratio and the lag of the neighbour. */
export const SD = { moments: 0, bases: 2, ratio: 5, lag: 6, lastAtMs: 7, count: 8 } as const;
export const SU = { seen: 0, head: 1, totals: 2, count: 5 } as const;

export const SHAPE_SHAPE: RecordShape = {
  f64: SD.count,
  f32: SHAPE_RING,
  u32: SU.count,
  u16: SUBSEQUENCES.length * HISTOGRAM_BINS,
};

/** State of a series with everything: own history, the profiles of its day and its week, nearest neighbours. */
export const bytesPerFullSeries: number =
  bytesPerSeries + bytesOf(COARSE_SHAPE) + bytesOf(WEEK_SHAPE) + bytesOf(SHAPE_SHAPE);
