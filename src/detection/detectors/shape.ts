import { FARTHEST_LAG, NEAREST_LAG, SD, SHAPE_RING, SU, SUBSEQUENCES } from '../state/coarse-record.ts';
import type { Cursor } from '../state/slab.ts';
import { clamp } from '../statistics/clamp.ts';
import { HISTOGRAM_BINS, histogramAdd, histogramBin, histogramUpperQuantile } from '../statistics/log-histogram.ts';
import { teachMoments } from '../statistics/running-moments.ts';

/**
 * Shape: has anything like the last 12, 16 and 20 values been seen in the last 750? The distance to the one nearest
 * subsequence, in raw values (normalising costs more than half of what it finds), over the running quantile of such
 * distances. The memory must exceed a day, so input is five-minute means. The ring alone is kept: it cannot drift.
 */
const STARTS_AT = 200;
const SPEAKS_FROM = 50;
const LINE = 1.4;
const MEMORY = 5000;
const [LEAST, MOST] = [0.05, 20] as const;
const SHORT = SUBSEQUENCES[0];
const MIDDLE = SUBSEQUENCES[1];
const LONG = SUBSEQUENCES[2];

/** Squared distances to the nearest neighbour, one a length; one array, reused. */
const nearest = new Float64Array(SUBSEQUENCES.length);

/**
 * Scores a value and then lets it in: geometric mean of the three ratios, 1 is the alarm line; 0 before enough is known.
 * `teach` false: the value enters the ring (it is what is seen next), but its distance is no measure for later ones.
 */
export function stepShape(c: Cursor, y: number, teach: boolean): number {
  const seen = (c.u32[c.u + SU.seen] ?? 0) + 1;
  c.u32[c.u + SU.seen] = seen;
  const head = c.u32[c.u + SU.head] ?? 0;
  c.f32[c.f + head] = y;
  c.u32[c.u + SU.head] = (head + 1) % SHAPE_RING;
  let ratio = 0;
  if (seen > STARTS_AT) {
    c.f64[c.d + SD.lag] = findNearest(c, head, Math.min(seen - LONG, FARTHEST_LAG));
    ratio = compare(c, seen - STARTS_AT, teach);
  }
  teachMoments(c.f64, c.d + SD.moments, y, seen, MEMORY);
  c.f64[c.d + SD.ratio] = ratio;
  return ratio;
}

/** All lags, three lengths at once, each left as soon as no length can win; returns the lag of the longest's neighbour. */
function findNearest(c: Cursor, head: number, farthest: number): number {
  const { f32, f } = c;
  const mask = SHAPE_RING - 1;
  let [short, middle, long] = [Infinity, Infinity, Infinity];
  let lag = 0;
  for (let g = NEAREST_LAG; g <= farthest; g++) {
    let sum = 0;
    let k = 0;
    const worst = Math.max(short, middle, long);
    for (; k < SHORT && sum < worst; k++) sum += square(f32, f, head - k, g, mask);
    if (k < SHORT) continue;
    if (sum < short) short = sum;
    if (sum >= middle && sum >= long) continue;
    for (; k < MIDDLE; k++) sum += square(f32, f, head - k, g, mask);
    if (sum < middle) middle = sum;
    if (sum >= long) continue;
    for (; k < LONG && sum < long; k++) sum += square(f32, f, head - k, g, mask);
    if (sum >= long) continue;
    long = sum;
    lag = g;
  }
  nearest[0] = short;
  nearest[1] = middle;
  nearest[2] = long;
  return lag;
}

function square(f32: Float32Array, f: number, at: number, lag: number, mask: number): number {
  const difference = (f32[f + (at & mask)] ?? 0) - (f32[f + ((at - lag) & mask)] ?? 0);
  return difference * difference;
}

function compare(c: Cursor, compared: number, teach: boolean): number {
  const sigma = Math.sqrt(c.f64[c.d + SD.moments + 1] ?? 0);
  const tail = Math.min(0.03, 200 / compared);
  let product = 1;
  for (let i = 0; i < SUBSEQUENCES.length; i++) {
    const distance = Math.sqrt(nearest[i] ?? 0);
    const least = 0.1 * sigma * Math.sqrt(SUBSEQUENCES[i] ?? 1);
    const total = c.u32[c.u + SU.totals + i] ?? 0;
    const base = c.d + SD.bases + i;
    const sketch = c.h + i * HISTOGRAM_BINS;
    const usual = histogramUpperQuantile(c.u16, sketch, total, tail) * (c.f64[base] ?? 0);
    product *= clamp(distance / Math.max(usual, least, Number.MIN_VALUE), LEAST, MOST);
    if (!teach) continue;
    if (c.f64[base] === 0 && distance > 0) c.f64[base] = distance;
    const relative = (c.f64[base] ?? 0) > 0 ? distance / (c.f64[base] ?? 1) : 0;
    c.u32[c.u + SU.totals + i] = histogramAdd(c.u16, sketch, histogramBin(relative), total);
  }
  return compared < SPEAKS_FROM ? 0 : Math.cbrt(product) / LINE;
}
