import type { Assessment, Watched } from '../../../src/detection/assessment.ts';
import { newObservation } from '../../../src/detection/detectors/own-history.ts';
import type { Observation } from '../../../src/detection/detectors/own-history.ts';
import type { Trend } from '../../../src/detection/detectors/trend.ts';
import type { MetricProfile } from '../../../src/detection/metric-profile.ts';
import type { MetricSpec } from '../../../src/detection/sample.ts';
import type { Score } from '../../../src/detection/verdict.ts';
import { T0 } from './detection.ts';

/** A metric that harms above; deviations of less than 10, or of a fifth of what is expected, matter to nobody. */
export const aWatched = (profile: Partial<MetricProfile> = {}, spec: Partial<MetricSpec> = {}): Watched => ({
  spec: { name: 'depth', unit: '', direction: profile.direction ?? 'Above', ...spec },
  profile: {
    ...{ direction: 'Above', absoluteFloor: 10, relativeFloor: 0.2, harmfulFrom: undefined, ceiling: undefined },
    ...{ expectation: undefined, expectationNeedsLimit: false, expectationYieldsToHistory: false, fills: false },
    load: 'none',
    ...profile,
  },
});

export const anObserved = (ratio: number, over: Partial<Observation> = {}): Observation => ({
  ...newObservation(),
  ratio,
  feature: 5,
  tail: 0.01,
  ...over,
});

/** A series of 500 samples around 100 with a standard deviation of 2 that shows 100 now: needed are 20. */
export function anAssessment(over: Partial<Assessment> = {}): Assessment {
  const value = over.value ?? 100;
  return {
    watched: aWatched(),
    slot: 0,
    refused: undefined,
    value,
    atMs: T0,
    fresh: true,
    observation: anObserved(0, { feature: 0, tail: 1 }),
    learnt: 500,
    inherited: 0,
    learntBefore: 0,
    contiguous: 500,
    smooth: value,
    expected: 100,
    sigma: 2,
    recent: { expected: 100, sigma: 2 },
    low: 90,
    high: 110,
    modelAgeMs: 7_500_000,
    limit: undefined,
    trend: undefined,
    slowTrend: undefined,
    slow: { seasonalRatio: 0, seasonalExpected: NaN, residualSigma: 0, season: 'day', shapeRatio: 0 },
    peerRatio: NaN,
    peerExpected: NaN,
    peerNeeded: NaN,
    peerDeviation: NaN,
    scores: [],
    ...over,
  };
}

/** A steady rise by 12 over 6 minutes that meets its limit in 10. */
export const aTrend = (over: Partial<Trend> = {}): Trend => ({
  slopePerSecond: 12 / 360,
  rise: 12,
  steady: true,
  keepsPace: true,
  spanMs: 360_000,
  timeToLimitMs: 600_000,
  samples: 24,
  ...over,
});

export const aScore = (detector: Score['detector'], score: number, over: Partial<Score> = {}): Score => ({
  kind: 'score',
  score,
  detector,
  feature: 'f',
  observed: 100,
  samples: 500,
  ...over,
});
