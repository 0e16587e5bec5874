import { D, F, H, LEVELS, RING, SPREAD_WINDOW, U } from '../state/series-record.ts';
import type { Cursor } from '../state/slab.ts';
import { clamp } from '../statistics/clamp.ts';
import {
  HISTOGRAM_BINS,
  histogramAdd,
  histogramBin,
  histogramTailShare,
  histogramUpperQuantile,
} from '../statistics/log-histogram.ts';
import { teachMoments } from '../statistics/running-moments.ts';
import { nearestPrototype, teachPrototype } from './prototypes.ts';

/**
 * A series against its own past in one pass and fixed memory. Score first, teach afterwards: `observe` moves the
 * windows and compares, `teachOwnHistory` lets the same sample into what is normal. All constants come from the past.
 *
 * Features, each a ratio to its own running 99th percentile (a tail fit was measured worse), then to its line:
 * - level: mean of the last 12, 24 and 72 samples against the history of such means;
 * - prototypes: (value, spread of the last 36) against at most 112 remembered states;
 * - range: distance beyond everything seen, in widths of the range.
 */
export const FEATURES = ['none', 'level-12', 'level-24', 'level-72', 'prototype', 'range'] as const;
const [FIRST_LEVEL, PROTOTYPE, RANGE] = [1, 4, 5] as const;
const PROTOTYPE_SKETCH = LEVELS.length;

const LINES = { level: [1.4, 1.25, 1.25], prototype: 1.3, range: 0.05, all: 1.05 } as const;
const MEMORY = 5000;
/** Samples that the young model remembers: what is normal lately. */
export const RECENT_MEMORY = 60;
const TAIL = 0.01;
const RATIO_CAP = 20;
/** A usual distance below this is rounding: half a per cent of a standard deviation, or of a prototype's axis. */
const USUAL_FLOOR = 0.005;
/**
 * Distances are measured from the second sample on, but only from here on are they counted as usual: the first ones are
 * taken with an unstable ruler (a range of a few samples) and would blind the sketches for thousands of samples.
 */
const CALIBRATES_FROM = 100;
/** A running quantile of fewer values is no quantile. */
const MIN_LEARNT = 20;
/** A ramp must not be measured against itself: the high before it is kept apart. */
const RAMP = 24;
/** Largest scaled value kept: its square still fits a double and itself a single. */
const SCALED_CAP = 1e30;

/** What `observe` found; one object, reused for every series. */
export interface Observation {
  /** Largest feature over its line: 1 is the alarm line. */
  ratio: number;
  /** Index in `FEATURES`. */
  feature: number;
  /** Share of past values of that feature at least as extreme. */
  tail: number;
  /** Scaled value, and per feature what `teachOwnHistory` must learn. */
  y: number;
  spread: number;
  distance: number;
  readonly z: Float64Array;
  readonly means: Float64Array;
}

export function newObservation(): Observation {
  return {
    ratio: 0,
    feature: 0,
    tail: 1,
    y: 0,
    spread: 0,
    distance: 0,
    z: new Float64Array(3),
    means: new Float64Array(3),
  };
}

/** Observations of one call of the engine: handed out in turn and reused by the next call, so polls allocate none. */
export class ObservationPool {
  private readonly all: Observation[] = [];
  private used = 0;

  reset(): void {
    this.used = 0;
  }

  take(): Observation {
    const found = this.all[this.used] ?? newObservation();
    this.all[this.used++] = found;
    return found;
  }
}

/** Prepares a fresh record for its first value. */
export function startOwnHistory(c: Cursor, value: number): void {
  const size = Math.abs(value);
  c.f64[c.d + D.origin] = value;
  c.f64[c.d + D.scale] = size > 0 ? 2 ** clamp(Math.ceil(Math.log2(size)), -1000, 1000) : 1;
}

/** The value in the record's own units: distance from the first value, in sizes of the first value. */
export function scaled(c: Cursor, value: number): number {
  const y = (value / 2 - (c.f64[c.d + D.origin] ?? 0) / 2) / ((c.f64[c.d + D.scale] ?? 1) / 2);
  return Math.fround(clamp(y, -SCALED_CAP, SCALED_CAP));
}

/** The inverse of `scaled`, of a mean or a bound. */
export function unscaled(c: Cursor, y: number): number {
  return (c.f64[c.d + D.origin] ?? 0) + y * (c.f64[c.d + D.scale] ?? 1);
}

/** The sample `ago` steps back in the window, scaled; 0 is the newest. The caller keeps `ago` below `contiguous`. */
export function recent(c: Cursor, ago: number): number {
  const head = c.u32[c.u + U.head] ?? 0;
  return c.f32[c.f + F.ring + ((head - 1 - ago + 2 * RING) % RING)] ?? 0;
}

/** Empties the windows: after a gap, or when a fault ends, old samples are no neighbours of new ones. */
export function clearWindows(c: Cursor): void {
  c.u32[c.u + U.contiguous] = 0;
  c.u32[c.u + U.head] = 0;
  c.f64.fill(0, c.d + D.sums, c.d + D.spreadSquares + 1);
  c.f32.fill(0, c.f + F.ring, c.f + F.ring + RING);
}

/** Takes the sample into the windows and compares it with what was learnt; learns nothing. */
export function observe(c: Cursor, value: number, out: Observation): void {
  out.y = scaled(c, value);
  out.ratio = 0;
  out.feature = 0;
  out.tail = 1;
  push(c, out.y);
  compareLevels(c, out);
  comparePrototype(c, out);
  compareRange(c, out);
  out.ratio /= LINES.all;
  out.tail = tailOf(c, out);
}

function push(c: Cursor, y: number): void {
  const head = c.u32[c.u + U.head] ?? 0;
  const filled = c.u32[c.u + U.contiguous] ?? 0;
  const ring = c.f + F.ring;
  for (let level = 0; level < LEVELS.length; level++) {
    const width = LEVELS[level] ?? RING;
    const leaving = filled >= width ? (c.f32[ring + ((head - width + RING) % RING)] ?? 0) : 0;
    const at = c.d + D.sums + level;
    c.f64[at] = (c.f64[at] ?? 0) + y - leaving;
  }
  const old = filled >= SPREAD_WINDOW ? (c.f32[ring + ((head - SPREAD_WINDOW + RING) % RING)] ?? 0) : 0;
  c.f64[c.d + D.spreadSum] = (c.f64[c.d + D.spreadSum] ?? 0) + y - old;
  c.f64[c.d + D.spreadSquares] = (c.f64[c.d + D.spreadSquares] ?? 0) + y * y - old * old;
  c.f32[ring + head] = y;
  c.u32[c.u + U.head] = head + 1 === RING ? 0 : head + 1;
  c.u32[c.u + U.contiguous] = filled + 1;
  if (head + 1 === RING) recomputeSums(c);
}

/** Once a lap the sums are taken afresh, so that what a huge sample rounded away does not stay wrong. */
function recomputeSums(c: Cursor): void {
  const filled = Math.min(c.u32[c.u + U.contiguous] ?? 0, RING);
  const sums = c.d + D.sums;
  c.f64.fill(0, sums, c.d + D.spreadSquares + 1);
  for (let ago = filled - 1; ago >= 0; ago--) {
    const y = recent(c, ago);
    for (let level = 0; level < LEVELS.length; level++) {
      if (ago < (LEVELS[level] ?? 0)) c.f64[sums + level] = (c.f64[sums + level] ?? 0) + y;
    }
    if (ago < SPREAD_WINDOW) {
      c.f64[c.d + D.spreadSum] = (c.f64[c.d + D.spreadSum] ?? 0) + y;
      c.f64[c.d + D.spreadSquares] = (c.f64[c.d + D.spreadSquares] ?? 0) + y * y;
    }
  }
}

/** Keeps the largest ratio and its feature. */
function offer(out: Observation, ratio: number, feature: number): void {
  if (!(ratio > out.ratio)) return;
  out.ratio = ratio;
  out.feature = feature;
}

/** Share of the past at least as extreme in the feature that spoke; the range knows no more than 1/(n+1). */
function tailOf(c: Cursor, out: Observation): number {
  if (out.feature === 0) return 1;
  if (out.feature === RANGE) return 1 / ((c.u32[c.u + U.learnt] ?? 0) + 1);
  const sketch = out.feature === PROTOTYPE ? PROTOTYPE_SKETCH : out.feature - FIRST_LEVEL;
  const raw = out.feature === PROTOTYPE ? out.distance : (out.z[sketch] ?? 0);
  const total = c.u32[c.u + U.totals + sketch] ?? 0;
  return histogramTailShare(c.u16, c.h + H.sketches + sketch * HISTOGRAM_BINS, total, histogramBin(raw));
}

/** `raw` over the running 99th percentile of its past, at most 20; 0 while too little is known. */
function ratioToPast(c: Cursor, sketch: number, raw: number): number {
  const total = c.u32[c.u + U.totals + sketch] ?? 0;
  if (total < MIN_LEARNT) return 0;
  const usual = histogramUpperQuantile(c.u16, c.h + H.sketches + sketch * HISTOGRAM_BINS, total, TAIL);
  return clamp(raw / Math.max(usual, USUAL_FLOOR), 0, RATIO_CAP);
}

function compareLevels(c: Cursor, out: Observation): void {
  for (let level = 0; level < LEVELS.length; level++) {
    const width = LEVELS[level] ?? RING;
    out.z[level] = -1;
    if ((c.u32[c.u + U.contiguous] ?? 0) < width) continue;
    const mean = (c.f64[c.d + D.sums + level] ?? 0) / width;
    out.means[level] = mean;
    out.z[level] = 0;
    if ((c.u32[c.u + U.levelsLearnt + level] ?? 0) < 2) continue;
    const at = c.d + D.levels + 2 * level;
    const distance = Math.abs(mean - (c.f64[at] ?? 0));
    const sigma = Math.sqrt(c.f64[at + 1] ?? 0);
    // Rounding alone moves a constant's mean: that is no distance.
    const z = distance <= 1e-7 * Math.abs(mean) ? 0 : distance / Math.max(sigma, Number.MIN_VALUE);
    out.z[level] = Math.min(z, 1e6);
    offer(out, ratioToPast(c, level, out.z[level] ?? 0) / (LINES.level[level] ?? 1), FIRST_LEVEL + level);
  }
}

function comparePrototype(c: Cursor, out: Observation): void {
  out.distance = -1;
  if ((c.u32[c.u + U.contiguous] ?? 0) < SPREAD_WINDOW) return;
  const mean = (c.f64[c.d + D.spreadSum] ?? 0) / SPREAD_WINDOW;
  const variance = (c.f64[c.d + D.spreadSquares] ?? 0) / SPREAD_WINDOW - mean * mean;
  out.spread = Math.fround(Math.sqrt(Math.max(variance, 0)));
  out.distance = nearestPrototype(c, out.y, out.spread);
  offer(out, ratioToPast(c, PROTOTYPE_SKETCH, out.distance) / LINES.prototype, PROTOTYPE);
}

function compareRange(c: Cursor, out: Observation): void {
  if ((c.u32[c.u + U.learnt] ?? 0) < MIN_LEARNT) return;
  const low = c.f64[c.d + D.low] ?? 0;
  const high = c.f64[c.d + D.high] ?? 0;
  const beyond = Math.max(out.y - high, low - out.y, 0);
  if (beyond === 0) return;
  const width = high - low;
  const ratio = width > 0 ? clamp(beyond / width, 0, 1) / LINES.range : RATIO_CAP;
  offer(out, Math.min(ratio, RATIO_CAP), RANGE);
}

/** Lets the observed sample into what is normal. Call at most once after `observe`, with the same observation. */
export function teachOwnHistory(c: Cursor, out: Observation): void {
  const learnt = (c.u32[c.u + U.learnt] ?? 0) + 1;
  c.u32[c.u + U.learnt] = learnt;
  teachLevels(c, out, learnt);
  if (out.distance >= 0) teachSpread(c, out, learnt);
  teachMoments(c.f64, c.d + D.value, out.y, learnt, MEMORY);
  teachMoments(c.f64, c.d + D.recent, out.y, learnt, RECENT_MEMORY);
  widen(c, D.low, out.y, learnt === 1);
  if (learnt % RAMP !== 1) return;
  c.f64[c.d + D.highBefore] = learnt === 1 ? out.y : (c.f64[c.d + D.highLately] ?? 0);
  c.f64[c.d + D.highLately] = c.f64[c.d + D.high] ?? 0;
}

function teachLevels(c: Cursor, out: Observation, learnt: number): void {
  for (let level = 0; level < LEVELS.length; level++) {
    const z = out.z[level] ?? -1;
    if (z < 0) continue;
    const known = (c.u32[c.u + U.levelsLearnt + level] ?? 0) + 1;
    c.u32[c.u + U.levelsLearnt + level] = known;
    if (known > 2 && learnt > CALIBRATES_FROM) teachSketch(c, level, z);
    teachMoments(c.f64, c.d + D.levels + 2 * level, out.means[level] ?? 0, known, MEMORY);
  }
}

function teachSpread(c: Cursor, out: Observation, learnt: number): void {
  if (learnt > CALIBRATES_FROM) teachSketch(c, PROTOTYPE_SKETCH, out.distance);
  teachPrototype(c, out.y, out.spread, out.distance);
  widen(c, D.spreadLow, out.spread, (c.u32[c.u + U.spreadsLearnt] ?? 0) === 0);
  c.u32[c.u + U.spreadsLearnt] = (c.u32[c.u + U.spreadsLearnt] ?? 0) + 1;
}

function widen(c: Cursor, lowField: number, value: number, first: boolean): void {
  const at = c.d + lowField;
  if (first || value < (c.f64[at] ?? 0)) c.f64[at] = value;
  if (first || value > (c.f64[at + 1] ?? 0)) c.f64[at + 1] = value;
}

function teachSketch(c: Cursor, sketch: number, value: number): void {
  const total = c.u + U.totals + sketch;
  c.u32[total] = histogramAdd(
    c.u16,
    c.h + H.sketches + sketch * HISTOGRAM_BINS,
    histogramBin(value),
    c.u32[total] ?? 0,
  );
}

/**
 * Accepts the present level as the new normal: the mean becomes that of the windows, the range takes it in, and the
 * histories of means become young, so that they follow within dozens of samples instead of thousands.
 */
export function acceptPresent(c: Cursor): void {
  const filled = Math.min(c.u32[c.u + U.contiguous] ?? 0, RING);
  if (filled === 0) return;
  let sum = 0;
  for (let ago = 0; ago < filled; ago++) {
    const y = recent(c, ago);
    sum += y;
    widen(c, D.low, y, false);
  }
  const mean = sum / filled;
  let squares = 0;
  for (let ago = 0; ago < filled; ago++) squares += (recent(c, ago) - mean) ** 2;
  c.f64[c.d + D.value] = mean;
  c.f64[c.d + D.value + 1] = Math.max(squares / filled, c.f64[c.d + D.value + 1] ?? 0);
  c.f64[c.d + D.recent] = mean;
  c.f64[c.d + D.recent + 1] = squares / filled;
  c.u32[c.u + U.learntBefore] = c.u32[c.u + U.learnt] ?? 0;
  for (let level = 0; level < LEVELS.length; level++) {
    const known = c.u + U.levelsLearnt + level;
    c.u32[known] = Math.min(c.u32[known] ?? 0, MIN_LEARNT);
  }
}
