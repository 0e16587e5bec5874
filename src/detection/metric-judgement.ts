import type { Assessment } from './assessment.ts';
import { limitScore } from './detectors/limit.ts';
import { plainSlopePerSecond } from './detectors/trend.ts';
import { saturationScore } from './detectors/saturation.ts';
import type { DetectionSettings } from './engine-input.ts';
import {
  ordinaryUpTo,
  ownHistoryScore,
  peerScore,
  seasonalScore,
  shapeScore,
  slowTrendScore,
  trendScore,
} from './learned-scores.ts';
import { modelViews } from './model-agreement.ts';
import { explainedByLoad, explainedByPeersLoad } from './load-explanation.ts';
import type { SeriesTable } from './state/series-table.ts';
import type { MetricVerdict, Score } from './verdict.ts';

/**
 * Lets every detector that can speak do so; the scores end up on the assessment, the decisive one first. `patient`: a
 * bare expectation of a latency or an error ratio waits for a second sample; a request that asks once gets its answer.
 */
export function scoreMetric(table: SeriesTable, a: Assessment, settings: DetectionSettings, patient: boolean): void {
  if (a.refused !== undefined) return;
  const c = table.record(a.slot);
  const slopePerSecond = a.trend?.slopePerSecond ?? a.slowTrend?.slopePerSecond ?? plainSlopePerSecond(c);
  const { scores } = a;
  speak(scores, limitScore(c, a.watched.spec, a.value, a.atMs), slopePerSecond);
  const saturation = saturationScore({
    profile: a.watched.profile,
    value: patient && a.limit === undefined ? Math.min(a.value, a.smooth) : a.value,
    limit: a.limit,
    samples: a.learnt,
    ordinaryUpTo: ordinaryUpTo(a, settings.minSamples),
  });
  speak(scores, saturation, slopePerSecond);
  speak(scores, trendScore(a, settings), slopePerSecond);
  speak(scores, slowTrendScore(a), slopePerSecond);
  speak(scores, peerScore(a), slopePerSecond);
  speak(scores, ownHistoryScore(a, settings), slopePerSecond);
  speak(scores, seasonalScore(a, settings), slopePerSecond);
  speak(scores, shapeScore(a, settings), slopePerSecond);
}

/** A score that was made just now and that nobody has seen. */
type NewScore = { -readonly [Field in keyof Score]: Score[Field] };

/**
 * Puts a score in its place, the highest first; at equal scores the detector that needs less history, which speaks
 * first, stays first. The slope is written into the score: a copy of every score of every sample would cost more.
 */
function speak(scores: Score[], score: NewScore | undefined, slopePerSecond: number | undefined): void {
  if (score === undefined) return;
  if (slopePerSecond !== undefined && score.slopePerSecond === undefined) score.slopePerSecond = slopePerSecond;
  let at = scores.length;
  for (; at > 0; at--) {
    const before = scores[at - 1];
    if (before === undefined || before.score >= score.score) break;
    scores[at] = before;
  }
  scores[at] = score;
}

/** The verdict on one series; `driver` is the same pod's load, where it has one. */
export function verdictOf(a: Assessment, driver: Assessment | undefined, settings: DetectionSettings): MetricVerdict {
  const threshold = settings.anomalyThreshold;
  const metric = a.watched.spec.name;
  if (a.refused !== undefined) {
    return { metric, verdict: { kind: 'no-verdict', reason: a.refused, samples: a.learnt }, detectors: [] };
  }
  const { value, atMs } = a;
  const decisive = a.scores[0];
  if (decisive === undefined) {
    const verdict = { kind: 'no-verdict', reason: 'InsufficientData', samples: a.learnt } as const;
    return { metric, verdict, detectors: [], value, atMs };
  }
  const verdict: MetricVerdict = { metric, verdict: decisive, detectors: a.scores, value, atMs };
  if (decisive.score < threshold) return verdict;
  const discounted = discount(a, driver, threshold);
  return discounted === undefined ? { ...verdict, models: modelViews(a, settings) } : { ...verdict, discounted };
}

function discount(a: Assessment, driver: Assessment | undefined, threshold: number): MetricVerdict['discounted'] {
  const counted = a.scores.filter((score) => score.score >= threshold);
  const { load } = a.watched.profile;
  if (load === 'driver') return counted.every((score) => isMoreLoad(a, score)) ? 'LoadIsNoFault' : undefined;
  if (load !== 'follower') return undefined;
  return counted.every((score) => isExplained(a, driver, score)) ? 'ExplainedByLoad' : undefined;
}

function isMoreLoad(a: Assessment, score: Score): boolean {
  return score.detector !== 'limit' && score.expected !== undefined && a.smooth > score.expected;
}

function isExplained(a: Assessment, driver: Assessment | undefined, score: Score): boolean {
  switch (score.detector) {
    case 'own-history':
    case 'trend':
    case 'seasonal':
    case 'shape':
      return explainedByLoad(a, driver);
    case 'peers':
      return explainedByPeersLoad(a, driver);
    case 'limit':
    case 'saturation':
    case 'status':
    case 'vector':
      return false;
  }
}

/** The score that counts for the pod: 0 where nothing was said or it was discounted. */
export function countedScore(verdict: MetricVerdict): number {
  return verdict.verdict.kind === 'score' && verdict.discounted === undefined ? verdict.verdict.score : 0;
}
