import type { Assessment } from './assessment.ts';
import { FEATURES } from './detectors/own-history.ts';
import type { Trend } from './detectors/trend.ts';
import type { DetectionSettings } from './engine-input.ts';
import type { Direction } from './sample.ts';
import { scoreOfRatio } from './statistics/score-of-ratio.ts';
import type { Score } from './verdict.ts';

/**
 * What was learnt becomes a score here, and only here is it asked whether the deviation matters: unusual is not
 * harmful. A ratio of 1 is the alarm line (score 0.85); every gate below caps or scales the ratio.
 */

/** Deviations inside so many standard deviations of the learnt past are noise, however novel the sample. */
const SIGMAS = 4;
/** A deviation in a zone where the metric harms nobody is shown, below any threshold. */
const HARMLESS = 0.6;
/** A fill that nobody else confirms, far from its limit, is shown, below any threshold. */
const UNCONFIRMED = 0.8;
/** From this share of its limit on a steady rise needs no confirmation. */
const HIGH_FILL = 0.6;
/** An early warning is worth acting on when the limit is this near. */
const HORIZON_MS = 30 * 60_000;

/** The deviation on its harmful side; negative: on the other side. */
export function harmful(direction: Direction, deviation: number): number {
  return direction === 'Above' ? deviation : direction === 'Below' ? -deviation : Math.abs(deviation);
}

/** Whether the value lies where this metric can do harm at all. */
function inHarmfulZone(a: Assessment): boolean {
  const { harmfulFrom, ceiling, expectationNeedsLimit, direction } = a.watched.profile;
  if (harmfulFrom === undefined || direction !== 'Above') return true;
  if (a.limit !== undefined && ceiling !== undefined) return (a.smooth / a.limit) * ceiling >= harmfulFrom;
  return expectationNeedsLimit === true || a.smooth >= harmfulFrom;
}

/** Smallest deviation from the learnt mean that matters, in the metric's unit. */
function neededDeviation(a: Assessment): number {
  const { absoluteFloor, relativeFloor } = a.watched.profile;
  return Math.max(absoluteFloor, relativeFloor * Math.abs(a.expected), SIGMAS * a.sigma, Number.MIN_VALUE);
}

/** Upper end of what the series' past calls ordinary; `undefined` below `minSamples`. */
export function ordinaryUpTo(a: Assessment, minSamples: number): number | undefined {
  return a.learnt < minSamples ? undefined : Math.min(a.high, a.expected + 3 * a.sigma);
}

/** The series against its own past; `undefined` below `minSamples`. */
export function ownHistoryScore(a: Assessment, settings: DetectionSettings): Score | undefined {
  if (a.learnt < settings.minSamples) return undefined;
  const deviation = harmful(a.watched.profile.direction, a.smooth - a.expected);
  const needed = neededDeviation(a);
  let ratio = Math.min(a.observation.ratio, Math.max(deviation, 0) / needed);
  if (!inHarmfulZone(a)) ratio = Math.min(ratio, HARMLESS);
  return {
    kind: 'score',
    score: scoreOfRatio(ratio),
    detector: 'own-history',
    feature: FEATURES[a.observation.feature] ?? 'none',
    observed: a.value,
    expected: a.expected,
    band: [a.expected - needed, a.expected + needed],
    p: a.observation.tail,
    samples: a.learnt,
    modelAgeMs: a.modelAgeMs,
  };
}

/** The pod against the replicas of its template; `undefined` without peers. */
export function peerScore(a: Assessment): Score | undefined {
  if (Number.isNaN(a.peerRatio)) return undefined;
  const harm = harmful(a.watched.profile.direction, a.peerRatio);
  const ratio = inHarmfulZone(a) ? harm : Math.min(harm, HARMLESS);
  const needed = Math.abs((a.smooth - a.peerExpected) / a.peerRatio);
  const score: Score = {
    kind: 'score',
    score: scoreOfRatio(ratio),
    detector: 'peers',
    feature: 'peer-deviation',
    observed: a.smooth,
    expected: a.peerExpected,
    samples: a.learnt,
  };
  return Number.isFinite(needed) ? { ...score, band: [a.peerExpected - needed, a.peerExpected + needed] } : score;
}

/** A filling resource: how soon it meets its limit. `undefined` where nothing fills or too little is seen. */
export function trendScore(a: Assessment): Score | undefined {
  const { trend } = a;
  if (trend === undefined) return undefined;
  const score: Score = {
    kind: 'score',
    score: scoreOfRatio(trendRatio(a, trend)),
    detector: 'trend',
    feature: 'time-to-limit',
    observed: a.value,
    samples: trend.samples,
    slopePerSecond: trend.slopePerSecond,
  };
  return trend.timeToLimitMs === undefined ? score : { ...score, timeToLimitMs: trend.timeToLimitMs };
}

function trendRatio(a: Assessment, trend: Trend): number {
  const { timeToLimitMs, rise } = trend;
  const end = a.limit ?? a.watched.spec.limit?.enter;
  if (!trend.steady || timeToLimitMs === undefined || end === undefined) return 0;
  // The window must have seen a twentieth of the scale, or a fifth of what was left, go by.
  const left = Math.max(end - a.value, 0);
  if (rise < Math.min(end * 0.05, (left + rise) * 0.2)) return 0;
  if (timeToLimitMs > HORIZON_MS) return 0.7 * (HORIZON_MS / timeToLimitMs);
  const ratio = Math.min(1 + Math.log2(HORIZON_MS / Math.max(timeToLimitMs, 1000)) / 6, 2);
  const confirmed = a.peerRatio >= 0.4 || a.value >= HIGH_FILL * end;
  return confirmed ? ratio : Math.min(ratio, UNCONFIRMED);
}
