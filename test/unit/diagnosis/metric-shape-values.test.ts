import { describe, expect, test } from '@jest/globals';
import type { MetricVerdict, Score } from '../../../src/detection/verdict.ts';
import type { SeriesSummary } from '../../../src/diagnosis/evidence.ts';
import { bounded, metricShape, metricStates, robustShift } from '../../../src/diagnosis/metric-shape.ts';
import type { MetricShape, MetricState } from '../../../src/diagnosis/metric-shape.ts';
import { aScore, aVerdict, NOW, ONSET } from '../../support/builders/diagnosis.ts';

const METRIC = 'queue_depth';
const THRESHOLD = 0.85;

/** Expected are 100, with a band of 90 to 110. */
const score = (detector: Score['detector'], of: number, observed: number, over: Partial<Score> = {}): Score =>
  aScore(detector, { score: of, observed, expected: 100, band: [90, 110], ...over });
const bare = (detector: Score['detector'], of: number, observed: number): Score => {
  const { expected: _expected, band: _band, ...rest } = score(detector, of, observed);
  return rest;
};

type Scores = readonly [Score, ...Score[]];

/** The state of one pod's metric after these scores, the decisive one first, and what the series showed before. */
function stateOf(scores: Scores | undefined, summary?: Partial<SeriesSummary>, metric = METRIC): MetricState {
  const verdict = aVerdict([{}]);
  const pods = verdict.pods.map((pod) => ({
    ...pod,
    metrics: scores === undefined ? [] : [{ metric, verdict: scores[0], detectors: scores } satisfies MetricVerdict],
  }));
  const series = summary === undefined ? [] : [{ metric, pod: pods[0]?.pod.name ?? '', ...summary }];
  const [state, ...more] = metricStates({ ...verdict, pods }, series, THRESHOLD);
  expect(more).toEqual([]);
  return state ?? ({} as MetricState);
}

describe('which way a metric of a pod goes', () => {
  test.each<readonly [string, Scores, MetricState['direction']]>([
    ['above its band', [score('own-history', 0.9, 111)], 'up'],
    ['below its band', [score('own-history', 0.9, 89)], 'down'],
    ['in its band, above what was expected', [score('own-history', 0.9, 105)], 'up'],
    ['in its band, below what was expected', [score('own-history', 0.9, 95)], 'down'],
    ['as expected', [score('own-history', 0.9, 100)], 'flat'],
    ['as expected, and on its way to a limit', [score('trend', 0.9, 100)], 'up'],
    ['where nothing was expected', [bare('own-history', 0.9, 500)], 'flat'],
    ['beyond a limit', [score('limit', 0.9, 120)], 'up'],
    ['at the limit’s hysteresis, below it', [score('limit', 0.9, 95)], 'up'],
    ['at the end of its scale', [bare('saturation', 0.9, 95)], 'up'],
    ['above a band without a middle', [{ ...bare('own-history', 0.9, 111), band: [90, 110] }], 'up'],
    ['below such a band', [{ ...bare('own-history', 0.9, 89), band: [90, 110] }], 'down'],
    ['within it, at its ends', [{ ...bare('own-history', 0.9, 90), band: [90, 90] }], 'flat'],
    ['no number', [score('own-history', 0.9, NaN)], 'unknown'],
    ['exactly at the threshold', [score('own-history', 0.85, 111)], 'up'],
    ['below it, a little outside its band', [score('own-history', 0.84, 124)], 'flat'],
    ['below it, a quarter beyond what was expected', [score('own-history', 0.84, 125)], 'up'],
    ['below it, a quarter less than expected', [score('own-history', 0.1, 75)], 'down'],
    ['a quarter beyond, but at the edge of a wide band', [score('own-history', 0.1, 125, { band: [75, 125] })], 'flat'],
    ['a quarter less, but at the edge of a wide band', [score('own-history', 0.1, 75, { band: [75, 125] })], 'flat'],
    ['a quarter beyond a limit that is not breached', [score('limit', 0.6, 130)], 'flat'],
    ['another detector than the decisive one saw it move', [score('limit', 0.6, 130), score('own-history', 0.1, 130)], 'up'],
  ])('%s', (_, scores, expected) => {
    expect(stateOf(scores).direction).toBe(expected);
  }); // prettier-ignore

  test.each([
    ['request_rate', 'down'],
    ['memory_usage', 'up'],
  ])('a limit of %s that is met from below means %s', (metric, expected) => {
    expect(stateOf([score('limit', 0.9, 80)], undefined, metric).direction).toBe(expected);
  });

  const was = { baselineMedian: 100, baselineIqr: 5 };
  test.each<readonly [string, Scores | undefined, Partial<SeriesSummary>, MetricState['direction']]>([
    ['a rise by a quarter and four ranges', undefined, { ...was, current: 125 }, 'up'],
    ['a fall by as much', undefined, { ...was, current: 75 }, 'down'],
    ['a rise by less than a quarter', undefined, { ...was, current: 124 }, 'flat'],
    ['four ranges are enough', undefined, { baselineMedian: 100, baselineIqr: 10, current: 140 }, 'up'],
    ['less than four are not', undefined, { baselineMedian: 100, baselineIqr: 10, current: 139 }, 'flat'],
    ['a series that never moved: five ranges of a twentieth', undefined, { baselineMedian: 100, baselineIqr: 0, current: 125 }, 'up'],
    ['from nothing', undefined, { baselineMedian: 0, baselineIqr: 0, current: 1 }, 'up'],
    ['of which nothing was known', undefined, { current: 125 }, 'unknown'],
    ['of which the present is no number', undefined, { ...was, current: NaN }, 'unknown'],
    ['it rose, though no detector calls it odd', [score('own-history', 0.1, 100)], { ...was, current: 125 }, 'up'],
    ['a detector calls it odd, whatever it did before', [score('own-history', 0.9, 80)], { ...was, current: 125 }, 'down'],
    ['neither says anything', [score('own-history', 0.1, 100)], { current: 125 }, 'flat'],
  ])('by what the series was before: %s', (_, scores, summary, expected) => {
    expect(stateOf(scores, summary).direction).toBe(expected);
  }); // prettier-ignore

  test('shift in ranges, of a twentieth of the median at least', () => {
    const shift = (over: Partial<SeriesSummary>) => robustShift({ metric: METRIC, ...was, current: 130, ...over });
    expect([shift({}), shift({ baselineIqr: 10 }), shift({ baselineIqr: NaN }), shift({ baselineMedian: -100 })]).toEqual([6, 3, 6, 46]);
    expect([shift({ current: NaN }), shift({ baselineMedian: Infinity })]).toEqual([undefined, undefined]);
  }); // prettier-ignore

  test.each([
    [0.5, 0.5],
    [-1, 0],
    [2, 1],
    [NaN, 0],
    [Infinity, 0],
  ])('a score of %p is %p', (value, expected) => {
    expect(bounded(value)).toBe(expected);
  });
});

describe('what else is known of it', () => {
  test.each<readonly [string, Scores | undefined, Partial<SeriesSummary> | undefined, Partial<MetricState>]>([
    ['nearly odd: it leans that way', [score('own-history', 0.5, 120)], undefined, { direction: 'flat', leaning: 'up', score: 0.5 }],
    ['not nearly', [score('own-history', 0.49, 120)], undefined, { direction: 'flat', leaning: 'flat' }],
    ['it moved, and no detector spoke: as if at the threshold', undefined, { baselineMedian: 100, current: 150 }, { score: 0.85, leaning: 'up' }],
    ['it did not move, and no detector spoke', undefined, { baselineMedian: 100, current: 100 }, { score: 0, leaning: 'flat' }],
    ['it stands out among its replicas', [score('own-history', 0.9, 120), score('peers', 0.85, 120)], undefined, { peerOutlier: true, limited: false }],
    ['hardly stands out', [score('own-history', 0.9, 120), score('peers', 0.84, 120)], undefined, { peerOutlier: false }],
    ['a limit is met', [score('own-history', 0.9, 120), score('limit', 0.85, 120)], undefined, { limited: true }],
    ['the end of its scale is met', [score('saturation', 0.9, 120)], undefined, { limited: true }],
    ['a limit is not met', [score('own-history', 0.9, 120), score('limit', 0.84, 120)], undefined, { limited: false }],
    ['expected is what was learnt, not the limit', [score('limit', 0.9, 120, { expected: 110 }), score('own-history', 0.1, 120)], undefined, { expected: 100, hasBaseline: true }],
    ['else what the series was', [score('limit', 0.9, 120)], { baselineMedian: 70 }, { expected: 70, hasBaseline: true }],
    ['a limit needs no past', [bare('limit', 0.9, 120)], undefined, { hasBaseline: true }],
    ['nor do replicas', [bare('peers', 0.9, 120)], undefined, { hasBaseline: true }],
    ['nothing healthy is known', [bare('shape', 0.9, 120)], undefined, { hasBaseline: false }],
    ['nor by a median that is no number', [bare('shape', 0.9, 120)], { baselineMedian: NaN }, { hasBaseline: false }],
    ['its value is what was observed', [score('own-history', 0.9, 120)], { current: 5 }, { value: 120 }],
    ['its onset is that of the series', [score('own-history', 0.9, 120)], { onsetAtMs: ONSET }, { onsetAtMs: ONSET }],
  ])('%s', (_, scores, summary, expected) => {
    expect(stateOf(scores, summary)).toMatchObject(expected);
  }); // prettier-ignore

  test('what is not known is undefined', () => {
    const state = stateOf([bare('shape', 0.9, 120)]);
    for (const field of ['expected', 'onsetAtMs', 'atMs', 'slopePerSecond', 'timeToLimitMs'])
      expect(state).toHaveProperty(field, undefined);
    expect(stateOf([score('own-history', 0.9, 120)], { baselineMedian: NaN, onsetAtMs: NaN })).toHaveProperty('onsetAtMs', undefined);
  }); // prettier-ignore

  const rising = { slopePerSecond: 2, timeToLimitMs: 9000 };
  test.each<readonly [string, Scores, Partial<SeriesSummary>, Partial<MetricState>]>([
    ['by its trend', [score('own-history', 0.9, 120), score('trend', 0.5, 120, rising)], { slopePerSecond: 7 }, { rising: true, ...rising }],
    ['not by a trend that is none', [score('own-history', 0.9, 120), score('trend', 0.49, 120, rising)], {}, { rising: false }],
    ['not by a trend that stands', [score('trend', 0.9, 120, { slopePerSecond: 0 })], {}, { rising: false, slopePerSecond: 0 }],
    ['by a trend whose slope is not told', [score('trend', 0.9, 120)], {}, { rising: true }],
    ['by three windows in a row', [score('own-history', 0.1, 100)], { climbingWindows: 3, slopePerSecond: 7, timeToLimitMs: 8 }, { rising: true, slopePerSecond: 7, timeToLimitMs: 8 }],
    ['not by two', [score('own-history', 0.1, 100)], { climbingWindows: 2 }, { rising: false }],
    ['the decisive score’s slope goes before that of the series', [score('own-history', 0.9, 120, { slopePerSecond: 3, timeToLimitMs: 5 })], { slopePerSecond: 7, timeToLimitMs: 8 }, { slopePerSecond: 3, timeToLimitMs: 5 }],
  ])('whether it climbs, and how fast: %s', (_, scores, summary, expected) => {
    expect(stateOf(scores, summary)).toMatchObject(expected);
  }); // prettier-ignore

  test('a series of which there is no verdict stands for itself, by pod and for the whole', () => {
    const summaries = [
      { metric: METRIC, pod: 'a', baselineMedian: 100, current: 150 },
      { metric: METRIC, baselineMedian: 100, current: 50 },
    ];
    const states = metricStates(undefined, summaries, THRESHOLD);
    expect(states.map(({ pod, direction }) => [pod, direction])).toEqual([['a', 'up'], [undefined, 'down']]);
  }); // prettier-ignore

  test('the workload’s own metrics have no pod, and their series is found', () => {
    const verdict = aVerdict([], { [METRIC]: ['up', 120, 100] });
    const states = metricStates(verdict, [{ metric: METRIC, onsetAtMs: ONSET }], THRESHOLD);
    expect(states).toHaveLength(1);
    expect(states[0]).toMatchObject({ direction: 'up', onsetAtMs: ONSET, value: 120, atMs: NOW - 5000 });
    expect(states[0]).toHaveProperty('pod', undefined);
  });
});

describe('what a metric does over the workload', () => {
  const state = (pod: string | undefined, direction: MetricState['direction'], over: Partial<MetricState> = {}): MetricState => ({
    metric: METRIC,
    pod,
    direction,
    leaning: direction,
    score: 0.9,
    ...{ value: undefined, expected: undefined, slopePerSecond: undefined, timeToLimitMs: undefined },
    ...{ onsetAtMs: undefined, atMs: undefined },
    rising: false,
    peerOutlier: false,
    limited: false,
    hasBaseline: true,
    ...over,
  }); // prettier-ignore
  /** `u` up, `d` down, `f` flat, `l` flat but leaning up, `?` unknown: one letter a pod. */
  const shapeOf = (letters: string): MetricShape => {
    const kinds = { u: 'up', d: 'down', f: 'flat', l: 'flat', '?': 'unknown' } as const;
    const states = [...letters].map((letter, i) =>
      state(`p${i}`, kinds[letter as keyof typeof kinds], letter === 'l' ? { leaning: 'up' } : {}),
    );
    return metricShape(METRIC, states);
  };

  test.each([
    ['uuu', 'up', 'all'],
    ['uuuuf', 'up', 'all'],
    ['uuuff', 'up', 'some'],
    ['uull', 'up', 'all'],
    ['ulll', 'up', 'one'],
    ['uff', 'up', 'one'],
    ['u', 'up', 'all'],
    ['fff', 'flat', 'none'],
    ['lll', 'flat', 'none'],
    ['ddd', 'down', 'all'],
    ['ud', 'up', 'one'],
    ['udd', 'down', 'some'],
    ['u??', 'up', 'all'],
    ['???', 'unknown', 'none'],
    ['', 'unknown', 'none'],
  ])('pods that do %s: %s, %s of them', (letters, direction, scope) => {
    expect(shapeOf(letters)).toMatchObject({ direction, scope });
  });

  test('names the pods that carry it, the worst first, and since when', () => {
    const shape = metricShape(METRIC, [
      state('c', 'up', { score: 0.9, onsetAtMs: 5 }),
      state('b', 'up', { score: 0.95, onsetAtMs: 7 }),
      state('a', 'up', { score: 0.9 }),
      state('d', 'down', { score: 1, onsetAtMs: 1 }),
      { ...state('e', 'up', { score: 1, onsetAtMs: 1 }), metric: 'another' },
    ]);
    expect(shape).toMatchObject({ pods: ['b', 'a', 'c'], known: 4, score: 0.95, onsetAtMs: 5, worst: { pod: 'b' } });
    expect(shape.states).toHaveLength(4);
  });

  test('flat: nobody carries it, and no onset is known', () => {
    const shape = metricShape(METRIC, [state('a', 'flat', { onsetAtMs: 5 })]);
    expect(shape).toMatchObject({ pods: [], score: 0 });
    expect([shape.onsetAtMs, shape.worst]).toEqual([undefined, undefined]);
  });

  test('of the workload as a whole, where no pod is measured; else the pods decide', () => {
    const whole = state(undefined, 'up');
    expect(metricShape(METRIC, [whole])).toMatchObject({ direction: 'up', scope: 'workload', pods: [], known: 1 });
    expect(metricShape(METRIC, [state(undefined, 'flat')]).scope).toBe('none');
    expect(metricShape(METRIC, [whole, state('a', 'flat')])).toMatchObject({ direction: 'flat', known: 1 });
    expect(metricShape(METRIC, [whole, state('a', 'unknown')])).toMatchObject({ direction: 'up', scope: 'workload' });
  });

  test.each([
    ['flat', true],
    ['up', true],
    ['down', false],
  ] as const)('a climb counts where the metric is %s: %p', (direction, expected) => {
    expect(metricShape(METRIC, [state('a', direction, { rising: true })]).rising).toBe(expected);
  });
});
