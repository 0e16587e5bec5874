import type { Assessment } from './assessment.ts';
import { RECENT_MEMORY } from './detectors/own-history.ts';
import type { DetectionSettings } from './engine-input.ts';
import { deviates } from './learned-scores.ts';
import type { DetectorName, MetricVerdict, ModelView } from './verdict.ts';

/**
 * Models of several ages, and whether they agree that a metric is anomalous. A series has up to three: `recent` (its last
 * 60 samples), `past` (up to 5,000, since the present level was accepted) and, where a gate is open, `day` or `week`.
 * They differ where a level drifts or was accepted lately: one of them has followed, another has not.
 *
 * A learnt anomaly is corroborated by two of them; what needs no history (a policy's limit, the end of a scale, replicas,
 * a slope towards a limit) corroborates by itself. An anomaly that is not corroborated is shown and told to people, and
 * justifies no effect (`policy/guards/young-model.ts`).
 */
const NEEDED = 2;
/** The past is a second model only once it is this many times older than what the recent one remembers. */
const OLDER = 2;

/** Needs no learnt model of the series itself. A slope counts: it is held against a limit, and needs height or peers. */
const AGELESS: ReadonlySet<DetectorName> = new Set<DetectorName>(['limit', 'saturation', 'status', 'peers', 'trend']);

/** Samples from which on a series has a past that is a second model. */
export const samplesOfPast = (minSamples: number): number => OLDER * Math.max(RECENT_MEMORY, minSamples);

/** What each model of the series expects now, and whether it finds the newest samples harmfully far from it. */
export function modelViews(a: Assessment, settings: DetectionSettings): readonly ModelView[] {
  if (a.learnt < settings.minSamples) return [];
  const views = [view(a, 'recent', Math.min(a.learnt, RECENT_MEMORY), a.recent.expected, a.recent.sigma)];
  const sinceAccepted = a.learnt - a.learntBefore;
  if (sinceAccepted >= samplesOfPast(settings.minSamples)) {
    views.push(view(a, 'past', sinceAccepted, a.expected, a.sigma));
  }
  const { season, seasonalExpected, residualSigma } = a.slow;
  if (!Number.isNaN(seasonalExpected)) views.push(view(a, season, a.learnt, seasonalExpected, residualSigma));
  return views;
}

function view(a: Assessment, model: ModelView['model'], samples: number, expected: number, sigma: number): ModelView {
  return { model, samples, expected, agrees: deviates(a, expected, sigma) };
}

/** True if the anomaly rests on more than one young model. A verdict without views rests on what needs no history. */
export function isCorroborated({ detectors, models = [] }: MetricVerdict, threshold: number): boolean {
  if (detectors.some(({ detector, score }) => score >= threshold && AGELESS.has(detector))) return true;
  return models.filter(({ agrees }) => agrees).length >= NEEDED;
}

/** What each model says, in words: "recent (60 samples) objects, past (80 samples) does not"; `undefined`: none spoke. */
export function modelsInWords({ models = [] }: Pick<MetricVerdict, 'models'>): string | undefined {
  const views = models.map(
    ({ model, samples, agrees }) => `${model} (${samples} samples) ${agrees ? 'objects' : 'does not'}`,
  );
  return views.length === 0 ? undefined : views.join(', ');
}
