import type { Assessment } from './assessment.ts';
import { FEATURES } from './detectors/own-history.ts';
import type { Trend } from './detectors/trend.ts';
import type { DetectionSettings } from './engine-input.ts';
import type { Direction } from './sample.ts';
import { scoreOfRatio } from './statistics/score-of-ratio.ts';
import { newScore } from './verdict.ts';
import type { Score } from './verdict.ts';

/**
 * What was learnt becomes a score here, and only here is it asked whether the deviation matters: unusual is not
 * harmful. A ratio of 1 is the alarm line (score 0.85); every gate below caps or scales the ratio.
 */

/** Deviations inside so many standard deviations of the learnt past are noise, however novel the sample. */
const SIGMAS = 4;
const FALLEN = 0.9;
/** Shape alone is believed a little beyond its own line. */
const SHAPE_LINE = 1.07;
/** A deviation in a zone where the metric harms nobody is shown, below any threshold. */
const HARMLESS = 0.6;
/** A fill that nobody else confirms, far from its limit, is shown, below any threshold. */
const UNCONFIRMED = 0.8;
/** From this share of its limit on a steady rise needs no confirmation. */
const HIGH_FILL = 0.6;
/** The same for a pod that has no past of its own. */
const YOUNG_FILL = 0.8;
/** An early warning is worth acting on when the limit is this near. */
const HORIZON_MS = 30 * 60_000;

/** The deviation on its harmful side; negative: on the other side. */
export function harmful(direction: Direction, deviation: number): number {
  return direction === 'Above' ? deviation : direction === 'Below' ? -deviation : Math.abs(deviation);
}

/**
 * Harmful deviation of the median of three and of the newest sample, the smaller: one wild sample is no breach, and two
 * of them are none any more as soon as the third is back.
 */
function harmNow(a: Assessment, expected: number): number {
  const { direction } = a.watched.profile;
  return Math.min(harmful(direction, a.smooth - expected), harmful(direction, a.value - expected));
}

/** Whether the value lies where this metric can do harm at all. */
function inHarmfulZone(a: Assessment): boolean {
  const { harmfulFrom, ceiling, expectationNeedsLimit, direction } = a.watched.profile;
  if (harmfulFrom === undefined || direction !== 'Above') return true;
  if (a.limit !== undefined && ceiling !== undefined) return (a.smooth / a.limit) * ceiling >= harmfulFrom;
  return expectationNeedsLimit || a.smooth >= harmfulFrom;
}

/** Smallest deviation from what is expected that matters, in the metric's unit. */
function neededDeviation(a: Assessment, expected: number, sigma: number): number {
  const { absoluteFloor, relativeFloor } = a.watched.profile;
  // A lively rate cannot fall by four of its sigmas: for a fall, losing nine tenths is enough.
  const noise = a.smooth < expected ? Math.min(SIGMAS * sigma, FALLEN * Math.abs(expected)) : SIGMAS * sigma;
  return Math.max(absoluteFloor, relativeFloor * Math.abs(expected), noise, Number.MIN_VALUE);
}

/** A ratio of novelty, held to a deviation that matters on the harmful side and in the harmful zone. */
function materialRatio(a: Assessment, novelty: number, expected: number, needed: number): number {
  const ratio = Math.min(novelty, Math.max(harmNow(a, expected), 0) / needed);
  return inHarmfulZone(a) ? ratio : Math.min(ratio, HARMLESS);
}

/**
 * True if the newest sample alone would be anomalous, though the median of three does not follow it yet. Such a sample
 * must not be learnt while it waits for confirmation: it would widen the range, and its successors would look ordinary.
 */
export function isSuspect(a: Assessment, settings: DetectionSettings): boolean {
  if (a.learnt < settings.minSamples || a.observation.ratio < 1 || a.smooth === a.value) return false;
  if (isWarmingUp(a, settings)) return false;
  const alone = { ...a, smooth: a.value };
  const needed = neededDeviation(alone, a.expected, a.sigma);
  return materialRatio(alone, a.observation.ratio, a.expected, needed) >= 1;
}

/** True if the newest samples lie harmfully far from what a model of that mean and spread expects. */
export function deviates(a: Assessment, expected: number, sigma: number): boolean {
  return harmNow(a, expected) >= neededDeviation(a, expected, sigma);
}

/**
 * A pod that lives on inherited expectations only: until it has a past of its own, as long as `minSamples` but at most
 * 100 samples, an unusual start is shown, below any threshold. Its peers and the limits speak from its first sample.
 */
function isWarmingUp(a: Assessment, { minSamples }: DetectionSettings): boolean {
  return a.inherited > 0 && a.learnt - a.inherited < Math.min(minSamples, 100);
}

/** The ratio of a learnt expectation, held under the alarm line while the pod warms up. */
function settled(a: Assessment, settings: DetectionSettings, ratio: number): number {
  return isWarmingUp(a, settings) ? Math.min(ratio, UNCONFIRMED) : ratio;
}

/** Samples of the score that predecessors saw; `undefined`: none. */
const inheritedBy = ({ inherited }: Assessment): number | undefined => (inherited > 0 ? inherited : undefined);

/** Upper end of what the series' past calls ordinary; `undefined` below `minSamples`. */
export function ordinaryUpTo(a: Assessment, minSamples: number): number | undefined {
  return a.learnt < minSamples ? undefined : Math.min(a.high, a.expected + 3 * a.sigma);
}

/** The series against its own past; `undefined` below `minSamples`. */
export function ownHistoryScore(a: Assessment, settings: DetectionSettings): Score | undefined {
  if (a.learnt < settings.minSamples) return undefined;
  const needed = neededDeviation(a, a.expected, a.sigma);
  return newScore({
    score: scoreOfRatio(settled(a, settings, materialRatio(a, a.observation.ratio, a.expected, needed))),
    detector: 'own-history',
    feature: FEATURES[a.observation.feature] ?? 'none',
    observed: a.value,
    expected: a.expected,
    band: [a.expected - needed, a.expected + needed],
    p: a.observation.tail,
    samples: a.learnt,
    modelAgeMs: a.modelAgeMs,
    inherited: inheritedBy(a),
  });
}

/** The series against its day; `undefined` while the profile's gate is closed. */
export function seasonalScore(a: Assessment, settings: DetectionSettings): Score | undefined {
  if (a.learnt < settings.minSamples || Number.isNaN(a.slow.seasonalExpected)) return undefined;
  const needed = neededDeviation(a, a.slow.seasonalExpected, a.slow.residualSigma);
  return newScore({
    score: scoreOfRatio(settled(a, settings, materialRatio(a, a.slow.seasonalRatio, a.slow.seasonalExpected, needed))),
    detector: 'seasonal',
    feature: a.slow.season === 'week' ? 'day-of-week' : 'time-of-day',
    observed: a.value,
    expected: a.slow.seasonalExpected,
    band: [a.slow.seasonalExpected - needed, a.slow.seasonalExpected + needed],
    samples: a.learnt,
    modelAgeMs: a.modelAgeMs,
    inherited: inheritedBy(a),
  });
}

/**
 * The series' recent shape, where it was asked for; own history speaks beside it. (Blending the two was measured worse
 * than letting either speak: 73-75 against 76-77 in cross-validation.) A shape has no harmful side: whoever asks for it
 * wants to hear of any odd one.
 */
export function shapeScore(a: Assessment, settings: DetectionSettings): Score | undefined {
  if (a.learnt < settings.minSamples || !(a.slow.shapeRatio > 0)) return undefined;
  const ratio = a.slow.shapeRatio / SHAPE_LINE;
  return newScore({
    score: scoreOfRatio(inHarmfulZone(a) ? ratio : Math.min(ratio, HARMLESS)),
    detector: 'shape',
    feature: 'nearest-neighbour',
    observed: a.value,
    expected: a.expected,
    samples: a.learnt,
    modelAgeMs: a.modelAgeMs,
  });
}

/**
 * A resource that fills over hours (`slow-trend.ts`): extrapolated no farther than the slope was observed, and from a
 * height where the end is in sight, or where the replicas do not do the same. `undefined` while too little is seen.
 */
export function slowTrendScore(a: Assessment): Score | undefined {
  const { slowTrend } = a;
  if (slowTrend === undefined) return undefined;
  return newScore({
    score: scoreOfRatio(slowTrendRatio(a, slowTrend)),
    detector: 'trend',
    feature: 'slow-time-to-limit',
    observed: a.value,
    samples: slowTrend.samples,
    modelAgeMs: slowTrend.spanMs,
    slopePerSecond: slowTrend.slopePerSecond,
    timeToLimitMs: slowTrend.timeToLimitMs,
  });
}

function slowTrendRatio(a: Assessment, trend: Trend): number {
  const { timeToLimitMs, rise, spanMs } = trend;
  const end = a.limit ?? a.watched.spec.limit?.enter;
  if (!trend.steady || timeToLimitMs === undefined || end === undefined || rise < 0.05 * end) return 0;
  if (timeToLimitMs > spanMs) return UNCONFIRMED * (spanMs / timeToLimitMs);
  const ratio = Math.min(1 + Math.log2(spanMs / Math.max(timeToLimitMs, 1000)) / 6, 2);
  const isConfirmed = a.peerRatio >= 0.4 || a.smooth >= HIGH_FILL * end;
  return isConfirmed ? ratio : Math.min(ratio, UNCONFIRMED);
}

/** The pod against the replicas of its template; `undefined` without peers. */
export function peerScore(a: Assessment): Score | undefined {
  if (Number.isNaN(a.peerRatio)) return undefined;
  const harm = harmNow(a, a.peerExpected) / a.peerNeeded;
  const ratio = inHarmfulZone(a) ? harm : Math.min(harm, HARMLESS);
  return newScore({
    score: scoreOfRatio(ratio),
    detector: 'peers',
    feature: 'peer-deviation',
    observed: a.smooth,
    expected: a.peerExpected,
    band: [a.peerExpected - a.peerNeeded, a.peerExpected + a.peerNeeded],
    samples: a.learnt,
  });
}

/** A filling resource: how soon it meets its limit. `undefined` where nothing fills or too little is seen. */
export function trendScore(a: Assessment, settings: DetectionSettings): Score | undefined {
  const { trend } = a;
  if (trend === undefined) return undefined;
  const isYoung = a.learnt - a.inherited < settings.minSamples;
  return newScore({
    score: scoreOfRatio(trendRatio(a, trend, isYoung)),
    detector: 'trend',
    feature: 'time-to-limit',
    observed: a.value,
    samples: trend.samples,
    slopePerSecond: trend.slopePerSecond,
    timeToLimitMs: trend.timeToLimitMs,
  });
}

/**
 * Height, or replicas that do not do the same. A pod without a past fills its caches: its rise needs more height, keeps
 * its pace, and is extrapolated no farther than it was observed (why that excludes caches: `slow-trend.ts`).
 */
function isConfirmedFill(a: Assessment, trend: Trend, end: number, isYoung: boolean): boolean {
  if (!isYoung) return a.peerRatio >= 0.4 || a.value >= HIGH_FILL * end;
  const { keepsPace, spanMs, timeToLimitMs = Infinity } = trend;
  return keepsPace && timeToLimitMs <= spanMs && a.value >= YOUNG_FILL * end;
}

function trendRatio(a: Assessment, trend: Trend, isYoung: boolean): number {
  const { timeToLimitMs, rise } = trend;
  const end = a.limit ?? a.watched.spec.limit?.enter;
  if (!trend.steady || timeToLimitMs === undefined || end === undefined) return 0;
  // The window must have seen a twentieth of the scale, or a fifth of what was left, go by.
  const left = Math.max(end - a.value, 0);
  if (rise < Math.min(end * 0.05, (left + rise) * 0.2)) return 0;
  if (timeToLimitMs > HORIZON_MS) return 0.7 * (HORIZON_MS / timeToLimitMs);
  const ratio = Math.min(1 + Math.log2(HORIZON_MS / Math.max(timeToLimitMs, 1000)) / 6, 2);
  return isConfirmedFill(a, trend, end, isYoung) ? ratio : Math.min(ratio, UNCONFIRMED);
}
