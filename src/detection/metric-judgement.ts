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
  const spoken = [
    limitScore(c, a.watched.spec, a.value, a.atMs),
    saturationScore({
      profile: a.watched.profile,
      value: patient && a.limit === undefined ? Math.min(a.value, a.smooth) : a.value,
      limit: a.limit,
      samples: a.learnt,
      ordinaryUpTo: ordinaryUpTo(a, settings.minSamples),
    }),
    trendScore(a, settings),
    slowTrendScore(a),
    peerScore(a),
    ownHistoryScore(a, settings),
    seasonalScore(a, settings),
    shapeScore(a, settings),
  ];
  const slopePerSecond = a.trend?.slopePerSecond ?? a.slowTrend?.slopePerSecond ?? plainSlopePerSecond(c);
  for (const score of spoken) {
    if (score === undefined) continue;
    a.scores.push(
      slopePerSecond === undefined || score.slopePerSecond !== undefined ? score : { ...score, slopePerSecond },
    );
  }
  // Stable: at equal scores the detector that needs less history comes first.
  a.scores.sort((x, y) => y.score - x.score);
}

/** The verdict on one series; `driver` is the same pod's load, where it has one. */
export function verdictOf(a: Assessment, driver: Assessment | undefined, settings: DetectionSettings): MetricVerdict {
  const threshold = settings.anomalyThreshold;
  const metric = a.watched.spec.name;
  if (a.refused !== undefined) {
    return { metric, verdict: { kind: 'no-verdict', reason: a.refused, samples: a.learnt }, detectors: [] };
  }
  const seen = { value: a.value, atMs: a.atMs };
  const [decisive] = a.scores;
  if (decisive === undefined) {
    const verdict = { kind: 'no-verdict', reason: 'InsufficientData', samples: a.learnt } as const;
    return { metric, verdict, detectors: [], ...seen };
  }
  const verdict: MetricVerdict = { metric, verdict: decisive, detectors: a.scores, ...seen };
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
