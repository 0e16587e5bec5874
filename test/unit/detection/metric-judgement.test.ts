import { describe, expect, test } from '@jest/globals';
import type { Assessment } from '../../../src/detection/assessment.ts';
import { countedScore, scoreMetric, verdictOf } from '../../../src/detection/metric-judgement.ts';
import { judgePod, objectionTo } from '../../../src/detection/pod-judgement.ts';
import type { PodObservation } from '../../../src/detection/engine-input.ts';
import { isCorroborated, modelViews, modelsInWords } from '../../../src/detection/model-agreement.ts';
import { profileOf, metricSpec } from '../../../src/detection/metric-profile.ts';
import { SeriesTable } from '../../../src/detection/state/series-table.ts';
import type { MetricVerdict, Score } from '../../../src/detection/verdict.ts';
import { aScore, aTrend, aWatched, anAssessment, anObserved } from '../../support/builders/assessment.ts';
import { anObservation, someSettings } from '../../support/builders/detection.ts';

const SETTINGS = someSettings({ anomalyThreshold: 0.85, minSamples: 30 });

describe('a series’ verdict', () => {
  test('a refused reading has the reason, and how much was learnt', () => {
    const verdict = verdictOf(anAssessment({ refused: 'StaleData', learnt: 7 }), undefined, SETTINGS);
    expect(verdict).toEqual({
      metric: 'depth',
      verdict: { kind: 'no-verdict', reason: 'StaleData', samples: 7 },
      detectors: [],
    });
  });

  test('where no detector can speak there is too little data, and the value is still told', () => {
    const verdict = verdictOf(anAssessment({ learnt: 7, value: 3 }), undefined, SETTINGS);
    expect(verdict).toMatchObject({
      verdict: { kind: 'no-verdict', reason: 'InsufficientData', samples: 7 },
      value: 3,
    });
  });

  test('the first score decides; models are named from the threshold on', () => {
    const calm = verdictOf(anAssessment({ scores: [aScore('peers', 0.849), aScore('limit', 0.1)] }), undefined, SETTINGS);
    expect(calm.verdict).toMatchObject({ detector: 'peers', score: 0.849 });
    expect(calm).not.toHaveProperty('models');
    const loud = verdictOf(anAssessment({ scores: [aScore('peers', 0.85)] }), undefined, SETTINGS);
    expect(loud.models).toHaveLength(2);
    expect([countedScore(calm), countedScore(loud)]).toEqual([0.849, 0.85]);
  }); // prettier-ignore

  const high = (detector: Score['detector'], over: Partial<Score> = {}): Score => aScore(detector, 0.9, over);
  const driver = aWatched({ load: 'driver' });
  test.each<readonly [string, readonly Score[], Partial<Assessment>, boolean]>([
    ['more than expected', [high('own-history', { expected: 50 })], {}, true],
    ['less than expected: a fault', [high('own-history', { expected: 150 })], {}, false],
    ['as much as expected: a fault', [high('own-history', { expected: 100 })], {}, false],
    ['beyond a limit that people set', [high('limit', { expected: 50 })], {}, false],
    ['nothing is expected of it', [high('shape')], {}, false],
    ['more than expected, yet one of the scores is of a limit', [high('own-history', { expected: 50 }), high('limit', { expected: 50 })], {}, false],
    ['more than expected, and a limit that is not breached', [high('own-history', { expected: 50 }), aScore('limit', 0.6, { expected: 50 })], {}, true],
    ['only its newest sample is more', [high('own-history', { expected: 50 })], { smooth: 40 }, false],
  ])('load that is %s', (_, scores, over, expected) => {
    const verdict = verdictOf(anAssessment({ watched: driver, scores: [...scores], ...over }), undefined, SETTINGS);
    expect(verdict.discounted).toBe(expected ? 'LoadIsNoFault' : undefined);
    expect(countedScore(verdict)).toBe(expected ? 0 : 0.9);
    expect(verdict.models === undefined).toBe(expected);
  }); // prettier-ignore

  const follower = { watched: aWatched({ load: 'follower' }), value: 200, peerRatio: 2, peerExpected: 100 };
  const doubled = anAssessment({ watched: driver, value: 200, peerRatio: 2, peerExpected: 100 });
  const alike = anAssessment({ watched: driver, value: 200, peerRatio: 0, peerExpected: 200 });
  test.each<readonly [string, readonly Score[], Assessment | undefined, boolean]>([
    ['its own history, while load doubled', [high('own-history')], doubled, true],
    ['its slope, while load doubled', [high('trend')], doubled, true],
    ['its day, while load doubled', [high('seasonal')], doubled, true],
    ['its shape, while load doubled', [high('shape')], doubled, true],
    ['its replicas, which have half of its load', [high('peers')], doubled, true],
    ['its replicas, which have the same load', [high('peers')], alike, false],
    ['its limit', [high('limit')], doubled, false],
    ['the end of its scale', [high('saturation')], doubled, false],
    ['its status', [high('status')], doubled, false],
    ['all metrics together', [high('vector')], doubled, false],
    ['its own history and its limit', [high('own-history'), high('limit')], doubled, false],
    ['its own history, and nobody knows the load', [high('own-history')], undefined, false],
  ])('a follower against %s: explained or not', (_, scores, load, expected) => {
    const verdict = verdictOf(anAssessment({ ...follower, scores: [...scores] }), load, SETTINGS);
    expect(verdict.discounted).toBe(expected ? 'ExplainedByLoad' : undefined);
  }); // prettier-ignore

  test('what does not follow load is never explained by it', () => {
    const a = anAssessment({ ...follower, watched: aWatched(), scores: [high('own-history')] });
    expect(verdictOf(a, doubled, SETTINGS).discounted).toBeUndefined();
  });
});

describe('detectors speak', () => {
  function spoken(over: Partial<Assessment>, patient = true): readonly Score[] {
    const table = new SeriesTable();
    const a = anAssessment({ slot: table.open('s'), ...over });
    scoreMetric(table, a, SETTINGS, patient);
    return a.scores;
  }
  const saturated = (over: Partial<Assessment>, patient: boolean): number =>
    spoken({ watched: { spec: metricSpec('response_time'), profile: profileOf(metricSpec('response_time')) }, learnt: 0, ...over }, patient)
      .find(({ detector }) => detector === 'saturation')?.score ?? NaN; // prettier-ignore

  test('the highest first; of equal ones the detector that needs less history', () => {
    const slow = { seasonalRatio: 3, seasonalExpected: 100, residualSigma: 1, season: 'day', shapeRatio: 1.07 } as const;
    const all = spoken({
      value: 160,
      observation: anObserved(3),
      peerRatio: 1,
      peerExpected: 140,
      peerNeeded: 20,
      slow,
      limit: 200,
      trend: aTrend({ rise: 50, timeToLimitMs: 30 * 60_000 }),
      watched: aWatched({}, { limit: { enter: 170, leave: 100, forSeconds: 0 } }),
    });
    // Own history and the day three lines, trend, peers and shape one, the limit none.
    expect(all.map(({ detector }) => detector)).toEqual(['own-history', 'seasonal', 'trend', 'peers', 'shape', 'limit']);
  }); // prettier-ignore

  test('a refused reading lets nobody speak', () => {
    expect(spoken({ refused: 'Absent', observation: anObserved(3) })).toEqual([]);
  });

  test('each score tells the slope: of minutes, else of hours, else none', () => {
    const slopes = (over: Partial<Assessment>): unknown =>
      spoken({ observation: anObserved(3), ...over }).find(({ detector }) => detector === 'own-history')?.slopePerSecond;
    const [fast, slow] = [aTrend({ slopePerSecond: 3 }), aTrend({ slopePerSecond: 2 })];
    expect(slopes({ trend: fast, slowTrend: slow })).toBe(3);
    expect(slopes({ slowTrend: slow })).toBe(2);
    expect(slopes({})).toBeUndefined();
    // The slow trend keeps its own.
    const own = spoken({ trend: fast, slowTrend: slow }).find(({ feature }) => feature === 'slow-time-to-limit');
    expect(own?.slopePerSecond).toBe(2);
  }); // prettier-ignore

  test('a bare expectation waits for a second sample, where it is asked again and again', () => {
    expect(saturated({ value: 5000, smooth: 100 }, true)).toBeLessThan(0.05);
    expect(saturated({ value: 100, smooth: 5000 }, true)).toBeLessThan(0.05);
    expect(saturated({ value: 5000, smooth: 100 }, false)).toBe(0.95);
  });

  test('a share of a limit does not wait', () => {
    const watched = { spec: metricSpec('cpu_usage'), profile: profileOf(metricSpec('cpu_usage')) };
    const scores = spoken({ watched, value: 100, smooth: 10, limit: 100, learnt: 0 });
    expect(scores[0]).toMatchObject({ detector: 'saturation', score: 0.95 });
  });
});

describe('what stands against learning', () => {
  const verdict = (over: Partial<MetricVerdict>, score = 0.9): MetricVerdict => ({
    metric: 'm',
    verdict: aScore('own-history', score),
    detectors: [],
    ...over,
  });
  const yields = aWatched({ expectationYieldsToHistory: true });
  const hot = (...detectors: Score['detector'][]): Partial<Assessment> => ({
    scores: detectors.map((detector) => aScore(detector, 0.9)),
  });
  test.each<readonly [string, Partial<Assessment>, MetricVerdict, boolean, string]>([
    ['a broken pod', {}, verdict({}, 0.1), true, 'fixed'],
    ['what load explains', hot('own-history'), verdict({ discounted: 'ExplainedByLoad' }), false, 'learned'],
    ['nothing', {}, verdict({}, 0.84), false, 'normal'],
    ['a sample that waits for confirmation', { value: 200, smooth: 100, observation: anObserved(3) }, verdict({}, 0.1), false, 'suspect'],
    ['learnt expectations', hot('own-history', 'peers'), verdict({}), false, 'learned'],
    ['a limit', hot('own-history', 'limit'), verdict({}), false, 'fixed'],
    ['the end of the scale', hot('own-history', 'saturation'), verdict({}), false, 'fixed'],
    ['the end of the scale of a young series that may be known as full', { ...hot('saturation'), learnt: 29, watched: yields }, verdict({}), false, 'normal'],
    ['the same, when it is not young any more', { ...hot('saturation'), learnt: 30, watched: yields }, verdict({}), false, 'fixed'],
    ['the same, of a metric that may never be', { ...hot('saturation'), learnt: 29 }, verdict({}), false, 'fixed'],
    ['the same, and its replicas are not full', { ...hot('saturation', 'peers'), learnt: 29, watched: yields }, verdict({}), false, 'fixed'],
    ['a limit that is not breached is none', { scores: [aScore('own-history', 0.9), aScore('limit', 0.6)] }, verdict({}), false, 'learned'],
    ['a score exactly at the threshold', { scores: [aScore('limit', 0.85)] }, verdict({}, 0.85), false, 'fixed'],
  ])('%s', (_, over, of, isBroken, expected) => {
    expect(objectionTo(anAssessment(over), of, SETTINGS, isBroken)).toBe(expected);
  }); // prettier-ignore
});

describe('a pod', () => {
  const calm = anAssessment({ scores: [aScore('own-history', 0.1)] });
  const hot = anAssessment({ scores: [aScore('own-history', 0.85)] });
  const blind = anAssessment({ refused: 'Absent' });
  const never = anAssessment({ refused: 'Absent', slot: -1 });
  const silent = anAssessment({ refused: 'InsufficientData' });
  const restarts = anAssessment({ watched: aWatched({}, { name: 'restarts' }), scores: [aScore('own-history', 0)] });
  const status = (severity: number): Partial<PodObservation> => ({ status: [{ reason: 'R', message: '', severity }] });

  test.each<readonly [string, readonly Assessment[], Partial<PodObservation>, string, number]>([
    ['one metric at the threshold', [calm, hot], {}, 'unhealthy', 0.85],
    ['all are calm', [calm, calm], {}, 'healthy', 0.1],
    ['one that it had cannot be seen', [calm, blind], {}, 'unknown', 0.1],
    ['harm outweighs blindness', [hot, blind], {}, 'unhealthy', 0.85],
    ['one that it never had is not missed', [calm, never], {}, 'healthy', 0.1],
    ['too little data is no blindness', [calm, silent], {}, 'healthy', 0.1],
    ['too little data alone is no health', [silent], {}, 'unknown', 0],
    ['nothing is measured', [], {}, 'unknown', 0],
    ['that it did not die is no health, where more is measured', [restarts, silent], {}, 'unknown', 0],
    ['that it did not die is all that is measured', [restarts], {}, 'healthy', 0],
    ['its status is a breach', [calm], status(0.85), 'unhealthy', 0.85],
    ['its status is odd: that counts for nothing', [calm], status(0.84), 'healthy', 0.1],
  ])('%s', (_, assessments, over, state, score) => {
    const verdict = judgePod({ observation: anObservation('a', over), assessments }, SETTINGS);
    expect([verdict.state, verdict.score]).toEqual([state, score]);
  });

  test.each(['StaleData', 'Gap', 'NotFinite', 'Absent', 'Partial', 'SourceError'] as const)(
    'is not healthy while a metric is missing by %s',
    (refused) => {
      const assessments = [calm, anAssessment({ refused })];
      expect(judgePod({ observation: anObservation('a'), assessments }, SETTINGS).state).toBe('unknown');
    },
  );

  test('its load explains its followers, wherever it stands among the metrics', () => {
    const follower = anAssessment({ watched: aWatched({ load: 'follower' }), value: 200, scores: [aScore('own-history', 0.9)] });
    const driver = anAssessment({ watched: aWatched({ load: 'driver' }), value: 200, scores: [aScore('own-history', 0.1)] });
    const verdict = judgePod({ observation: anObservation('a'), assessments: [follower, driver] }, SETTINGS);
    expect([verdict.state, verdict.metrics[0]?.discounted]).toEqual(['healthy', 'ExplainedByLoad']);
  }); // prettier-ignore
});

describe('models of several ages', () => {
  const far = { value: 130, expected: 100, sigma: 2 };
  const views = (over: Partial<Assessment>, minSamples = 30): string | undefined =>
    modelsInWords({ models: modelViews(anAssessment({ ...far, ...over }), someSettings({ minSamples })) });

  test.each<readonly [string, Partial<Assessment>, number, string | undefined]>([
    ['too little is learnt', { learnt: 29 }, 30, undefined],
    ['the young one alone', { learnt: 119 }, 30, 'recent (60 samples) objects'],
    ['it knows no more than was learnt', { learnt: 40 }, 30, 'recent (40 samples) objects'],
    ['the past, when it is twice as old', { learnt: 120 }, 30, 'recent (60 samples) objects, past (120 samples) objects'],
    ['the past, when it has twice the samples that are asked for', { learnt: 199 }, 100, 'recent (60 samples) objects'],
    ['then it speaks', { learnt: 200 }, 100, 'recent (60 samples) objects, past (200 samples) objects'],
    ['the past since the present level was accepted', { learnt: 500, learntBefore: 381 }, 30, 'recent (60 samples) objects'],
    ['it is as old as that', { learnt: 500, learntBefore: 380 }, 30, 'recent (60 samples) objects, past (120 samples) objects'],
    ['the young one has followed', { recent: { expected: 130, sigma: 2 } }, 30, 'recent (60 samples) does not, past (500 samples) objects'],
    ['the day speaks where it expects something', { slow: { seasonalRatio: 1, seasonalExpected: 125, residualSigma: 1, season: 'day', shapeRatio: 0 } }, 30, 'recent (60 samples) objects, past (500 samples) objects, day (500 samples) does not'],
  ])('%s', (_, over, minSamples, expected) => {
    expect(views(over, minSamples)).toBe(expected);
  }); // prettier-ignore

  const model = (agrees: boolean) => ({ model: 'recent', samples: 60, expected: 1, agrees }) as const;
  test.each<readonly [string, readonly Score[], readonly boolean[], boolean]>([
    ['two models object', [aScore('own-history', 0.9)], [true, false, true], true],
    ['one objects', [aScore('own-history', 0.9)], [true, false], false],
    ['none', [aScore('own-history', 0.9)], [], false],
    ...(['limit', 'saturation', 'status', 'peers', 'trend'] as const).map(
      (detector) => [`one, but ${detector} needs no history`, [aScore(detector, 0.85)], [true], true] as const,
    ),
    ['one, and replicas below the threshold', [aScore('own-history', 0.9), aScore('peers', 0.84)], [true], false],
  ])('an anomaly is corroborated or not: %s', (_, detectors, agree, expected) => {
    const verdict = { metric: 'm', verdict: aScore('own-history', 0.9), detectors, models: agree.map(model) };
    expect(isCorroborated(verdict, 0.85)).toBe(expected);
  });
});
