import type { Assessment } from './assessment.ts';
import { STATUS_BREACH, worstFinding } from './detectors/status.ts';
import type { DetectionSettings, PodObservation } from './engine-input.ts';
import { isSuspect } from './learned-scores.ts';
import { countedScore, verdictOf } from './metric-judgement.ts';
import { PRESETS } from './presets.ts';
import type { Objection } from './series-learning.ts';
import type { HealthState, MetricVerdict, NoVerdictReason, PodVerdict } from './verdict.ts';

/** Reasons that say "the data failed us", as against "not enough learnt yet". */
const BLIND: ReadonlySet<NoVerdictReason> = new Set<NoVerdictReason>([
  'StaleData',
  'Gap',
  'NotFinite',
  'Absent',
  'Partial',
  'SourceError',
]);

/** A pod with its series in the order of the policy's metrics. */
export interface JudgedPod {
  readonly observation: PodObservation;
  readonly assessments: readonly Assessment[];
}

/** The three answers for one pod: harm outweighs blindness, blindness outweighs health. */
export function judgePod(pod: JudgedPod, settings: DetectionSettings): PodVerdict {
  const { observation, assessments } = pod;
  const driver = assessments.find(({ watched }) => watched.profile.load === 'driver');
  const metrics = assessments.map((a) => verdictOf(a, driver, settings));
  const worst = worstFinding(observation.status);
  const fromMetrics = metrics.reduce((score, metric) => Math.max(score, countedScore(metric)), 0);
  const isBroken = worst !== undefined && worst.severity >= STATUS_BREACH;
  const isUnhealthy = isBroken || fromMetrics >= settings.anomalyThreshold;
  return {
    pod: observation.pod,
    state: isUnhealthy ? 'unhealthy' : stateOfCalm(assessments, metrics),
    score: Math.max(fromMetrics, isBroken ? worst.severity : 0),
    metrics,
    status: observation.status,
  };
}

/**
 * No harm is seen: healthy only if every series that is required was seen. Required is what was seen of this pod
 * before; a metric that it never had is not missed.
 */
function stateOfCalm(assessments: readonly Assessment[], metrics: readonly MetricVerdict[]): HealthState {
  const isBlind = assessments.some((a) => a.slot >= 0 && a.refused !== undefined && BLIND.has(a.refused));
  // That a pod did not die says nothing of whether it works: health must be measured, where anything is.
  const measured = metrics.filter(({ metric }) => metric !== PRESETS.restarts.name);
  const isJudged = (measured.length > 0 ? measured : metrics).some(({ verdict }) => verdict.kind === 'score');
  return isJudged && !isBlind ? 'healthy' : 'unknown';
}

/** What stands against learning from this series in this poll. */
export function objectionTo(
  a: Assessment,
  verdict: MetricVerdict,
  settings: DetectionSettings,
  podIsBroken: boolean,
): Objection {
  if (podIsBroken) return 'fixed';
  // What load explains is no fault, yet no normal either until it lasts: else one surge would blind the history.
  if (verdict.discounted !== undefined) return 'learned';
  if (countedScore(verdict) < settings.anomalyThreshold) return isSuspect(a, settings) ? 'suspect' : 'normal';
  const breaching = a.scores.filter((score) => score.score >= settings.anomalyThreshold);
  if (breaching.some((score) => score.detector === 'limit')) return 'fixed';
  const isSaturated = breaching.some((score) => score.detector === 'saturation');
  if (!isSaturated) return 'learned';
  // A service that was always slow or full must be able to become known as such while the series is young.
  const isYoung = a.learnt < settings.minSamples && breaching.every((score) => score.detector === 'saturation');
  return isYoung && a.watched.profile.expectationYieldsToHistory ? 'normal' : 'fixed';
}
