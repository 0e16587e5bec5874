import { HISTOGRAM_BINS } from '../statistics/log-histogram.ts';
import { bytesOf } from './slab.ts';
import type { RecordShape } from './slab.ts';

/** Samples in the window of the longest level feature. */
export const RING = 72;
export const PROTOTYPES = 112;
/** Level windows, in samples, and the window of the standard deviation in a prototype. */
export const LEVELS = [12, 24, 72] as const;
export const SPREAD_WINDOW = 36;

/**
 * Doubles of a series' record. Levels and sketches have one entry per level window, from the first index on. A new field
 * goes to the end of its kind: snapshots of older versions are read by prefixes (`snapshot.ts`).
 */
export const D = {
  /** The first value and a power of two near its size: values are kept as (x - origin) / scale in 32 bits. */
  origin: 0,
  scale: 1,
  lastValue: 2,
  lastAtMs: 3,
  firstAtMs: 4,
  /** Since when the series is anomalous without a break; 0: it is not. */
  flaggedSinceMs: 5,
  /** Running distance of samples. */
  stepMs: 6,
  /** Mean, then variance, of the scaled value. */
  value: 7,
  /** Mean and variance of past window means, one pair a level. */
  levels: 9,
  /** Running sums of the windows, one a level, then sum and sum of squares of the spread window. */
  sums: 15,
  spreadSum: 18,
  spreadSquares: 19,
  low: 20,
  high: 21,
  spreadLow: 22,
  spreadHigh: 23,
  /** Since when the policy's limit is exceeded; 0: it is not. */
  limitSinceMs: 24,
  /** Mean, then variance, of the deviation from the peers. */
  peer: 25,
  /** Ratio and tail share of the last sample, for a poll that sees the same sample again. */
  lastRatio: 27,
  lastTail: 28,
  /** When the series was last asked about. */
  seenAtMs: 29,
  /** Highest learnt value before the last 24 to 48 samples, and before the last 0 to 24: what a ramp is held against. */
  highBefore: 30,
  highLately: 31,
  /** Mean, then variance, of the scaled value as the young model sees it: the last 60 learnt samples. */
  recent: 32,
  count: 34,
} as const;

/** Counters of a series' record. */
export const U = {
  /** Samples learnt. */
  learnt: 0,
  /** Samples in the windows since the last gap. */
  contiguous: 1,
  head: 2,
  /** Samples still to come before the series speaks again after a gap. */
  warmUpLeft: 3,
  /** Anomalous samples in a row. */
  flaggedRun: 4,
  prototypes: 5,
  /** Sums of the counts of the four sketches. */
  totals: 6,
  /** Means learnt, one a level. */
  levelsLearnt: 10,
  spreadsLearnt: 13,
  peersLearnt: 14,
  lastFeature: 15,
  /** 1: the policy's limit is breached. */
  limitBreached: 16,
  /** Slot + 1 in the slabs of five-minute and shape state; 0: none. */
  coarse: 17,
  shape: 18,
  /** Gaps and restarts seen. */
  gaps: 19,
  /** Slot + 1 in the slab of weekly state; 0: none. */
  week: 20,
  /** Samples that the record counts as learnt though a predecessor saw them. */
  inherited: 21,
  /** `learnt` when a new level was last accepted as normal: what was learnt before it is about another level. */
  learntBefore: 22,
  count: 23,
} as const;

/** Singles: the ring, then the prototypes' values and their spreads. */
export const F = {
  ring: 0,
  prototypeValue: RING,
  prototypeSpread: RING + PROTOTYPES,
  count: RING + 2 * PROTOTYPES,
} as const;

/** Shorts: the four sketches, then the prototypes in order of their last match. */
export const H = { sketches: 0, order: 4 * HISTOGRAM_BINS, count: 4 * HISTOGRAM_BINS + PROTOTYPES } as const;

export const SERIES_SHAPE: RecordShape = { f64: D.count, f32: F.count, u32: U.count, u16: H.count };

/** State of a series with own-history features, peers, limit and trend. */
export const bytesPerSeries: number = bytesOf(SERIES_SHAPE);
