import { describe, expect, test } from '@jest/globals';
import type { Assessment } from '../../../src/detection/assessment.ts';
import {
  deviates,
  harmful,
  isSuspect,
  ordinaryUpTo,
  ownHistoryScore,
  peerScore,
  seasonalScore,
  shapeScore,
  slowTrendScore,
  trendScore,
} from '../../../src/detection/learned-scores.ts';
import type { Score } from '../../../src/detection/verdict.ts';
import { aTrend, aWatched, anAssessment, anObserved } from '../../support/builders/assessment.ts';
import { someSettings } from '../../support/builders/detection.ts';

const MINUTE = 60_000;
/** What a score says in alarm lines: the inverse of 1 - 0.15^ratio. */
const lines = (score: Score | undefined): number => Math.log(1 - (score?.score ?? NaN)) / Math.log(0.15);

type Row = readonly [what: string, over: Partial<Assessment>, lines: number];

/** Novel by five lines in its own history, unless it says otherwise. */
const novel = (over: Partial<Assessment>): Assessment => anAssessment({ observation: anObserved(5), ...over });
const ofOwnHistory = (over: Partial<Assessment>, minSamples = 30): number =>
  lines(ownHistoryScore(novel(over), someSettings({ minSamples })));

describe('a novel value counts as far as its deviation matters', () => {
  test.each<Row>([
    ['30 above what is expected, where 20 are needed: a line and a half', { value: 130 }, 1.5],
    ['no more than it is novel', { value: 300, observation: anObserved(1.2) }, 1.2],
    ['not at all, on the side that harms nobody', { value: 70 }, 0],
    ['below, where below harms', { value: 70, watched: aWatched({ direction: 'Below' }) }, 1.5],
    ['below, where both sides harm', { value: 70, watched: aWatched({ direction: 'Both' }) }, 1.5],
    ['one wild sample: as its median of three', { value: 300, smooth: 110 }, 0.5],
    ['two wild samples when the third is back: as the third', { value: 110, smooth: 300 }, 0.5],
    ['four standard deviations of ten are needed', { value: 130, sigma: 10 }, 0.75],
    ['around 20 the absolute floor of 10 is needed', { value: 35, expected: 20 }, 1.5],
    ['a lively rate may fall by nine tenths: that is enough', { value: 10, sigma: 100, watched: aWatched({ direction: 'Both' }) }, 1],
    ['for a rise of the same rate it is not', { value: 190, sigma: 100, watched: aWatched({ direction: 'Both' }) }, 90 / 400],
    ['a quiet rate that falls needs four standard deviations', { value: 10, sigma: 15, watched: aWatched({ direction: 'Both' }) }, 1.5],
  ])('%s', (_, over, expected) => {
    expect(ofOwnHistory(over)).toBeCloseTo(expected, 6);
  }); // prettier-ignore

  test.each<Row>([
    ['a value below the zone where the metric harms is shown, no more', { value: 199, watched: aWatched({ harmfulFrom: 200 }) }, 0.6],
    ['a value at its beginning counts', { value: 200, watched: aWatched({ harmfulFrom: 200 }) }, 5],
    ['a small deviation below the zone is not made greater', { value: 108, watched: aWatched({ harmfulFrom: 200 }) }, 0.4],
    ['a share of a limit below the zone', { value: 499, limit: 1000, watched: aWatched({ harmfulFrom: 50, ceiling: 100 }) }, 0.6],
    ['a share of a limit within the zone', { value: 500, limit: 1000, watched: aWatched({ harmfulFrom: 50, ceiling: 100 }) }, 5],
    ['a raw number where the zone is a share of an unknown limit', { value: 199, watched: aWatched({ harmfulFrom: 200, expectationNeedsLimit: true }) }, 4.95],
    ['a metric that harms on both sides has no such zone', { value: 199, watched: aWatched({ harmfulFrom: 200, direction: 'Both' }) }, 4.95],
    ['the median of three must be in the zone', { value: 200, smooth: 199, watched: aWatched({ harmfulFrom: 200 }) }, 0.6],
  ])('%s', (_, over, expected) => {
    expect(ofOwnHistory(over)).toBeCloseTo(expected, 6);
  }); // prettier-ignore

  test.each<readonly [string, Partial<Assessment>, number, number]>([
    ['while the pod is younger than minSamples it is shown, below the line', { inherited: 200, learnt: 229 }, 30, 0.8],
    ['from minSamples on it counts', { inherited: 200, learnt: 230 }, 30, 1.5],
    ['after 99 of its own it still warms up, where more are asked for', { inherited: 1000, learnt: 1099 }, 500, 0.8],
    ['after 100 of its own it counts, however many are asked for', { inherited: 1000, learnt: 1100 }, 500, 1.5],
    ['a pod that inherited nothing does not warm up', { inherited: 0, learnt: 30 }, 30, 1.5],
  ])('of inherited expectations: %s', (_, over, minSamples, expected) => {
    expect(ofOwnHistory({ value: 130, ...over }, minSamples)).toBeCloseTo(expected, 6);
  });

  test('says what was observed, expected and needed, how rare it is, and what it rests on', () => {
    const score = ownHistoryScore(novel({ value: 130, inherited: 3 }), someSettings());
    expect(score).toMatchObject({ detector: 'own-history', feature: 'range', observed: 130, expected: 100 });
    expect(score).toMatchObject({ band: [80, 120], p: 0.01, samples: 500, inherited: 3, modelAgeMs: 7_500_000 });
    expect(ownHistoryScore(novel({}), someSettings())).toHaveProperty('inherited', undefined);
  });

  test.each([
    [29, false],
    [30, true],
  ])('with %p of 30 samples it speaks: %p', (learnt, speaks) => {
    const settings = someSettings({ minSamples: 30 });
    const slow = { seasonalRatio: 1, seasonalExpected: 100, residualSigma: 1, season: 'day', shapeRatio: 1 } as const;
    const a = novel({ learnt, slow });
    const spoken = [ownHistoryScore, seasonalScore, shapeScore].map((score) => score(a, settings) !== undefined);
    expect(spoken).toEqual([speaks, speaks, speaks]);
    expect(ordinaryUpTo(a, 30) !== undefined).toBe(speaks);
  });

  test('ordinary is up to three standard deviations above what is expected, and never above what was seen', () => {
    expect(ordinaryUpTo(anAssessment({ high: 200 }), 30)).toBe(106);
    expect(ordinaryUpTo(anAssessment({ high: 104 }), 30)).toBe(104);
  });

  test.each([
    ['Above', -3, -3],
    ['Below', -3, 3],
    ['Both', -3, 3],
    ['Both', 3, 3],
  ] as const)('on its harmful side (%s) a deviation of %p is %p', (direction, deviation, expected) => {
    expect(harmful(direction, deviation)).toBe(expected);
  });

  test.each([
    ['at what is needed', 120, 120, true],
    ['less', 119, 119, false],
    ['the newest alone', 120, 119, false],
    ['the median alone', 119, 120, false],
  ])('a model of that mean and spread objects: %s', (_, value, smooth, expected) => {
    expect(deviates(anAssessment({ value, smooth }), 100, 2)).toBe(expected);
  });
});

describe('a sample that waits for confirmation', () => {
  const wild = { value: 130, smooth: 101, observation: anObserved(1) };

  test.each<readonly [string, Partial<Assessment>, boolean]>([
    ['is one that alone would be anomalous', {}, true],
    ['not one that its neighbours confirm', { smooth: 130 }, false],
    ['not one that is hardly novel', { observation: anObserved(0.99) }, false],
    ['not one that deviates by less than what is needed', { value: 119 }, false],
    ['one that deviates by just as much as is needed', { value: 120 }, true],
    ['not one of a series that knows too little', { learnt: 29 }, false],
    ['one of a series that has just enough', { learnt: 30 }, true],
    ['not one of a pod that warms up', { inherited: 490 }, false],
    ['not one outside the zone that harms', { watched: aWatched({ harmfulFrom: 200 }) }, false],
  ])('%s', (_, over, expected) => {
    expect(isSuspect(anAssessment({ ...wild, ...over }), someSettings())).toBe(expected);
  });
});

describe('against the day, the week, the shape and the replicas', () => {
  const slow = { seasonalRatio: 3, seasonalExpected: 50, residualSigma: 1, season: 'day', shapeRatio: 0 } as const;

  test('the day expects 50 and 10 are needed: 75 is two and a half lines', () => {
    const score = seasonalScore(anAssessment({ value: 75, slow }), someSettings());
    expect(lines(score)).toBeCloseTo(2.5, 6);
    expect(score).toMatchObject({ detector: 'seasonal', feature: 'time-of-day', observed: 75, expected: 50 });
    expect(score).toMatchObject({ band: [40, 60], samples: 500, modelAgeMs: 7_500_000 });
  });

  test('never more than the day’s own ratio; the profile’s residuals say what is noise', () => {
    expect(lines(seasonalScore(anAssessment({ value: 200, slow }), someSettings()))).toBeCloseTo(3, 6);
    const noisy = { ...slow, residualSigma: 10 };
    expect(lines(seasonalScore(anAssessment({ value: 75, slow: noisy }), someSettings()))).toBeCloseTo(25 / 40, 6);
  });

  test('the week is named where it speaks; without an expectation nobody does', () => {
    const week = anAssessment({ slow: { ...slow, season: 'week' } });
    expect(seasonalScore(week, someSettings())?.feature).toBe('day-of-week');
    expect(seasonalScore(anAssessment({ slow: { ...slow, seasonalExpected: NaN } }), someSettings())).toBeUndefined();
  });

  test.each<Row>([
    ['a little beyond its own line it is believed', { slow: { ...slow, shapeRatio: 1.07 } }, 1],
    ['it has no harmful side', { value: 10, slow: { ...slow, shapeRatio: 2.14 } }, 2],
    ['outside the zone that harms it is shown', { slow: { ...slow, shapeRatio: 2 }, watched: aWatched({ harmfulFrom: 200 }) }, 0.6],
  ])('shape: %s', (_, over, expected) => {
    const score = shapeScore(anAssessment(over), someSettings());
    expect(lines(score)).toBeCloseTo(expected, 6);
    expect(score).toMatchObject({ detector: 'shape', feature: 'nearest-neighbour', expected: 100, samples: 500 });
  }); // prettier-ignore

  test('a shape that was never compared says nothing', () => {
    expect(shapeScore(anAssessment({ slow }), someSettings())).toBeUndefined();
  });

  const peers = { peerRatio: 3, peerExpected: 100, peerNeeded: 10 };
  test.each<Row>([
    ['15 above the replicas, where 10 are no noise', { value: 115 }, 1.5],
    ['below them, where above harms: nothing', { value: 85 }, 0],
    ['one wild sample: as its median of three', { value: 150, smooth: 105 }, 0.5],
    ['outside the zone that harms it is shown', { value: 150, watched: aWatched({ harmfulFrom: 200 }) }, 0.6],
  ])('replicas: %s', (_, over, expected) => {
    const score = peerScore(anAssessment({ ...peers, ...over }));
    expect(lines(score)).toBeCloseTo(expected, 6);
    expect(score).toMatchObject({ detector: 'peers', feature: 'peer-deviation', band: [90, 110], samples: 500 });
  });

  test('the peers’ score names the median of three as what was observed; without peers there is none', () => {
    expect(peerScore(anAssessment({ ...peers, value: 150, smooth: 105 }))).toMatchObject({ observed: 105, expected: 100 });
    expect(peerScore(anAssessment())).toBeUndefined();
  }); // prettier-ignore
});

describe('a resource that fills', () => {
  // Half an hour is the line; each sixth halving of the time makes another line, up to two.
  const half = 30 * MINUTE;
  /** At 70 of 100, so high enough to need no confirmation. */
  const filling = { value: 70, limit: 100, trend: aTrend() };
  const ofTrend = (over: Partial<Assessment>): number =>
    lines(trendScore(anAssessment({ ...filling, ...over }), someSettings()));

  test.each<Row>([
    ['full in half an hour: the line', { trend: aTrend({ timeToLimitMs: half }) }, 1],
    ['full in a 64th of it: two lines', { trend: aTrend({ timeToLimitMs: half / 64 }) }, 2],
    ['full in an eighth of it: one and a half', { trend: aTrend({ timeToLimitMs: half / 8 }) }, 1.5],
    ['full already: no more than two lines', { trend: aTrend({ timeToLimitMs: 0 }) }, 2],
    ['full in a little over half an hour: not yet worth an alarm', { trend: aTrend({ timeToLimitMs: 1.0001 * half }) }, 0.7 / 1.0001],
    ['full in an hour: half of that', { trend: aTrend({ timeToLimitMs: 2 * half }) }, 0.35],
    ['it does not rise steadily', { trend: aTrend({ steady: false }) }, 0],
    ['low, and nobody confirms: shown', { value: 59.9, trend: aTrend({ timeToLimitMs: half / 8 }) }, 0.8],
    ['from 60 % of the limit on no confirmation is needed', { value: 60, trend: aTrend({ timeToLimitMs: half }) }, 1],
    ['low, but the replicas do not do the same', { value: 30, peerRatio: 0.4, trend: aTrend({ timeToLimitMs: half }) }, 1],
    ['low, and the replicas nearly do the same', { value: 30, peerRatio: 0.39, trend: aTrend({ timeToLimitMs: half }) }, 0.8],
    ['a rise of less than a twentieth of the scale is nothing', { trend: aTrend({ rise: 4.9 }) }, 0],
    ['a rise of a twentieth counts', { trend: aTrend({ rise: 5, timeToLimitMs: half }) }, 1],
    ['near the end a fifth of what was left is enough', { value: 98, trend: aTrend({ rise: 0.5, timeToLimitMs: half }) }, 1],
    ['near the end less than a fifth is not', { value: 98, trend: aTrend({ rise: 0.49 }) }, 0],
    ['the end is the policy’s limit, where the container has none', { limit: undefined, watched: aWatched({}, { limit: { enter: 100, leave: 90, forSeconds: 0 } }), trend: aTrend({ timeToLimitMs: half }) }, 1],
    ['no end is known', { limit: undefined }, 0],
  ])('%s', (_, over, expected) => {
    expect(ofTrend(over)).toBeCloseTo(expected, 6);
  }); // prettier-ignore

  test('a trend without a time to its limit is told, and alarms nobody', () => {
    const { timeToLimitMs: _, ...endless } = aTrend();
    const score = trendScore(anAssessment({ ...filling, trend: endless }), someSettings());
    expect(score?.score).toBe(0);
    expect(score).toHaveProperty('timeToLimitMs', undefined);
    expect(trendScore(anAssessment(), someSettings())).toBeUndefined();
  });

  /** A pod of 29 samples of its own, of 30 that are asked for: it may be filling its caches. */
  const young = { value: 80, limit: 100, learnt: 529, inherited: 500 };
  const soon = (over = {}) => aTrend({ timeToLimitMs: 300_000, ...over });
  test.each<Row>([
    ['high, soon full and at its pace: believed', { trend: soon() }, 1 + Math.log2(6) / 6],
    ['lower than 80 % of its limit: shown', { value: 79.9, trend: soon() }, 0.8],
    ['levelling off: shown', { trend: soon({ keepsPace: false }) }, 0.8],
    ['full later than it was observed: shown', { trend: soon({ timeToLimitMs: 360_001 }) }, 0.8],
    ['full after as long as it was observed: believed', { trend: soon({ timeToLimitMs: 360_000 }) }, 1 + Math.log2(5) / 6],
    ['replicas that do otherwise do not help it', { value: 60, peerRatio: 3, trend: soon() }, 0.8],
    ['with one sample more it is not young', { value: 60, learnt: 530, trend: soon({ keepsPace: false }) }, 1 + Math.log2(6) / 6],
  ])('in a young pod, %s', (_, over, expected) => {
    expect(lines(trendScore(anAssessment({ ...young, ...over }), someSettings()))).toBeCloseTo(expected, 6);
  }); // prettier-ignore

  test('says when it will be full, how fast it rises and how much it saw', () => {
    const score = trendScore(anAssessment(filling), someSettings());
    expect(score).toMatchObject({ detector: 'trend', feature: 'time-to-limit', observed: 70, samples: 24 });
    expect(score).toMatchObject({ timeToLimitMs: 600_000, slopePerSecond: 12 / 360 });
  });
});

describe('a resource that fills over hours', () => {
  const hours = 4 * 60 * MINUTE;
  const slowly = (over = {}) => aTrend({ spanMs: hours, timeToLimitMs: hours, rise: 20, samples: 48, ...over });
  const filling = { value: 70, limit: 100 };

  test.each<Row>([
    ['full after as long as it was observed: the line', { slowTrend: slowly() }, 1],
    ['full in an eighth of that: one and a half', { slowTrend: slowly({ timeToLimitMs: hours / 8 }) }, 1.5],
    ['full already: no more than two lines', { slowTrend: slowly({ timeToLimitMs: 0 }) }, 2],
    ['full after twice as long: shown by half', { slowTrend: slowly({ timeToLimitMs: 2 * hours }) }, 0.4],
    ['it levels off', { slowTrend: slowly({ steady: false }) }, 0],
    ['a rise of less than a twentieth', { slowTrend: slowly({ rise: 4.9 }) }, 0],
    ['a rise of a twentieth', { slowTrend: slowly({ rise: 5 }) }, 1],
    ['low, and nobody confirms: shown', { value: 59.9, slowTrend: slowly() }, 0.8],
    ['from 60 % on no confirmation is needed', { value: 60, slowTrend: slowly() }, 1],
    ['low, but the replicas do not do the same', { value: 30, peerRatio: 0.4, slowTrend: slowly() }, 1],
    ['low, and the replicas nearly do the same', { value: 30, peerRatio: 0.39, slowTrend: slowly() }, 0.8],
    ['the end is the policy’s limit, where the container has none', { limit: undefined, watched: aWatched({}, { limit: { enter: 100, leave: 90, forSeconds: 0 } }), slowTrend: slowly() }, 1],
    ['no end is known', { limit: undefined, slowTrend: slowly() }, 0],
  ])('%s', (_, over, expected) => {
    expect(lines(slowTrendScore(anAssessment({ ...filling, ...over })))).toBeCloseTo(expected, 6);
  }); // prettier-ignore

  test('says when it will be full, how fast it rises and for how long it was seen', () => {
    const score = slowTrendScore(anAssessment({ ...filling, slowTrend: slowly() }));
    expect(score).toMatchObject({ detector: 'trend', feature: 'slow-time-to-limit', observed: 70, samples: 48 });
    expect(score).toMatchObject({ timeToLimitMs: hours, slopePerSecond: 12 / 360, modelAgeMs: hours });
    expect(slowTrendScore(anAssessment())).toBeUndefined();
    const { timeToLimitMs: _, ...endless } = slowly();
    expect(slowTrendScore(anAssessment({ slowTrend: endless }))).toHaveProperty('timeToLimitMs', undefined);
  });
});
