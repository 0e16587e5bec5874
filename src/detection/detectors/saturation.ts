import type { MetricProfile } from '../metric-profile.ts';
import { interpolate } from '../statistics/interpolate.ts';
import { newScore } from '../verdict.ts';
import type { Score } from '../verdict.ts';

export interface SaturationInput {
  readonly profile: MetricProfile;
  readonly value: number;
  /** The container's limit in the metric's unit; `undefined`: none is known. */
  readonly limit: number | undefined;
  readonly samples: number;
  /** Upper end of what the series' own past calls ordinary; `undefined`: too little is known. */
  readonly ordinaryUpTo: number | undefined;
}

/** What a level that is ordinary for this series keeps of its score: visible, but no breach. */
const YIELDED = 0.8;

/**
 * A bare value against what no healthy container shows, no history needed: the share of a container's limit, an error
 * ratio, a response time. `undefined` where the metric has no such expectation or its limit is not known.
 */
export function saturationScore(input: SaturationInput): Score | undefined {
  const { profile, value, limit, samples, ordinaryUpTo } = input;
  if (profile.expectation === undefined) return undefined;
  if (profile.expectationNeedsLimit && !(limit !== undefined && limit > 0)) return undefined;
  const onScale = limit !== undefined && limit > 0 && profile.ceiling !== undefined;
  const read = onScale ? (value / limit) * (profile.ceiling ?? 1) : value;
  const plain = interpolate(profile.expectation, read);
  const yields = profile.expectationYieldsToHistory && ordinaryUpTo !== undefined && value <= ordinaryUpTo;
  return newScore({
    score: yields ? Math.min(plain, YIELDED) : plain,
    detector: 'saturation',
    feature: onScale ? 'share-of-limit' : 'expectation',
    observed: value,
    samples,
    band: onScale ? [0, limit] : undefined,
  });
}
