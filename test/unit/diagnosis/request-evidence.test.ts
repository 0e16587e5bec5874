import { describe, expect, test } from '@jest/globals';
import type { LogLine } from '../../../src/diagnosis/diagnosis.ts';
import {
  baselineOf,
  diagnosisInputOf,
  gatherRequest,
  isAnomalous,
  isClimbing,
} from '../../../src/diagnosis/request-evidence.ts';
import type { FailureQuestion, JudgedMetric, RequestSeries } from '../../../src/diagnosis/request-evidence.ts';
import { aScore, judged, MINUTE, NOW } from '../../support/builders/diagnosis.ts'; // prettier-ignore

const WINDOW = 5 * MINUTE;
const sample = (value: number, agoMs = 0, over: Partial<JudgedMetric> = {}): JudgedMetric =>
  judged({
    metric: 'cpu_usage',
    value,
    atMs: NOW - agoMs,
    labels: {},
    detectors: [],
    samples: 0,
    ...over,
  });
const line = (agoMs = 0, level: LogLine['level'] = 'error'): LogLine => ({
  atMs: NOW - agoMs,
  level,
  message: 'x',
  service: 'api',
});
const ask = (
  metrics: readonly JudgedMetric[],
  logs: readonly LogLine[] = [],
  over: Partial<FailureQuestion> = {},
): FailureQuestion => ({ metrics, logs, windowMs: WINDOW, anomalyThreshold: 0.85, nowMs: 7, ...over });

/** One series whose samples lie a second apart, the last one now. */
const seriesOf = (values: readonly number[], over: Partial<JudgedMetric> = {}): RequestSeries => {
  const [only] = gatherRequest(ask(values.map((value, i) => sample(value, (values.length - 1 - i) * 1000, over)))).series;
  if (only === undefined) throw new Error('no series');
  return only;
}; // prettier-ignore

describe('a request sorted into series', () => {
  test('now is the newest timestamp that was sent, of samples or lines', () => {
    expect(gatherRequest(ask([sample(1, 5000), sample(1, 9000)])).nowMs).toBe(NOW - 5000);
    expect(gatherRequest(ask([sample(1, 5000)], [line(1000)]))).toMatchObject({
      nowMs: NOW - 1000,
      startMs: NOW - 1000 - WINDOW,
    });
    expect(gatherRequest(ask([])).nowMs).toBe(7);
    expect(gatherRequest(ask([sample(1, NaN)], [line(NaN)])).nowMs).toBe(7);
  });

  test('what is no number is left out, and moves no time', () => {
    const found = gatherRequest(ask([sample(NaN, 0), sample(Infinity, 0), sample(3, 1000)]));
    expect(found.nowMs).toBe(NOW - 1000);
    expect(found.series).toMatchObject([{ last: { value: 3 }, window: [{ value: 3 }] }]);
  });

  test('by metric and labels, whatever their order; series by key', () => {
    const labelled = (labels: Record<string, string>, metric = 'cpu_usage') => sample(1, 0, { labels, metric });
    const found = gatherRequest(
      ask([
        labelled({ b: '2', a: '1' }),
        labelled({ a: '1', b: '2' }),
        labelled({ a: '1', b: '3' }),
        labelled({ a: '1', b: '2' }, 'aaa'),
      ]),
    );
    expect(found.series.map(({ metric, labels, window }) => [metric, labels['b'], window.length])).toEqual([
      ['aaa', '2', 1],
      ['cpu_usage', '2', 2],
      ['cpu_usage', '3', 1],
    ]);
  });

  test('cut at the start of the window, which belongs to it', () => {
    const found = gatherRequest(
      ask([sample(1, WINDOW + 1), sample(2, WINDOW), sample(3), sample(9, 0)], [line(WINDOW + 1), line(WINDOW)]),
    );
    expect(found.series[0]?.before.map(({ value }) => value)).toEqual([1]);
    expect(found.series[0]?.window.map(({ value }) => value)).toEqual([2, 3, 9]); // at one moment the higher is last
    expect(found.series[0]?.last.value).toBe(9);
    expect(found.logs).toHaveLength(1);
  });

  test('the order of the samples does not matter', () => {
    const samples = [sample(9, 0), sample(3, 0), sample(2, 2000), sample(1, WINDOW + 5)];
    expect(gatherRequest(ask(samples.toReversed())).series).toEqual(gatherRequest(ask(samples)).series);
  });

  test('a series without a sample in the window is of the past', () => {
    expect(gatherRequest(ask([sample(1, WINDOW + 1)], [line()])).series).toEqual([]);
  });

  test('its pod is a label', () => {
    expect(seriesOf([1], { labels: { pod: 'a' } }).pod).toBe('a');
    expect(seriesOf([1])).not.toHaveProperty('pod');
  });
});

describe('a climb', () => {
  test.each<[string, readonly number[], boolean]>([
    ['three that climb', [100, 102, 105], true],
    ['by less than a twentieth', [100, 102, 104.9], false],
    ['two are too few', [100, 200], false],
    ['four of five pairs', [100, 120, 110, 130, 125, 140], true],
    ['three of four pairs', [100, 140, 110, 120, 115, 125], false],
    ['falling', [200, 150, 100], false],
    ['flat', [100, 100, 100], false],
    ['from zero', [0, 0.1, 0.2], true],
    ['from zero by nothing', [0, 0, 1e-10], false],
    ['from below zero', [-100, -97, -95], true],
    ['a step and a plateau', [100, 200, 200, 200, 200], false],
  ])('%s: %p', (_, values, expected) => {
    expect(isClimbing(seriesOf(values))).toBe(expected);
  });

  test('of a long series the last two hundred are looked at', () => {
    const saw = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 500 : 1));
    const rise = Array.from({ length: 199 }, (_, i) => 100 + i);
    expect(isClimbing(seriesOf([1, ...saw, 1000, ...rise]))).toBe(true);
    expect(isClimbing(seriesOf([1, ...saw, ...rise.slice(0, 100)]))).toBe(false);
  });
});

describe('what a series was before', () => {
  const score = (expected?: number) => {
    const { expected: _left, ...bare } = aScore('own-history', { score: 0.9 });
    return expected === undefined ? bare : { ...bare, expected };
  };
  test.each<[string, readonly number[], Parameters<typeof seriesOf>[1], number | undefined]>([
    ['what the engine expected', [1, 2, 3, 9], { detectors: [score(), score(5)] }, 5],
    ['an expectation of nothing', [1, 2, 3, 9], { detectors: [score(0)] }, 0],
    ['an expectation that is no number', [1, 2, 3, 9], { detectors: [score(NaN)] }, 2],
    ['the median of the earlier samples', [4, 1, 3, 2, 99], {}, 2.5],
    ['of an odd number of them the middle one', [5, 1, 3, 99], {}, 3],
    ['two earlier ones are too few', [1, 2, 99], {}, undefined],
    ['a median of nothing is nothing, not missing: odd', [0, 0, 0, 99], {}, 0],
    ['a median of nothing is nothing, not missing: even', [0, 0, 0, 0, 99], {}, 0],
  ])('%s', (_, values, over, expected) => {
    expect(baselineOf(seriesOf(values, over))).toBe(expected);
  });

  test('samples from before the window count', () => {
    const [found] = gatherRequest(ask([sample(1, WINDOW + 3), sample(2, WINDOW + 2), sample(6, 1000), sample(99)])).series; // prettier-ignore
    expect(found && baselineOf(found)).toBe(2);
  });

  test('the engine calls the newest anomalous', () => {
    const judged = (value: number) => seriesOf([1], { detectors: [aScore('limit', { score: value })] });
    expect(isAnomalous(judged(0.85), 0.85)).toBe(true);
    expect(isAnomalous(judged(0.84), 0.85)).toBe(false);
    expect(isAnomalous(seriesOf([1]), 0.85)).toBe(false);
    expect(isAnomalous(seriesOf([1]), 0)).toBe(true);
  });
});

describe('the request as an input of the classifier', () => {
  const of = (metrics: readonly JudgedMetric[], logs: readonly LogLine[] = [], over: Partial<FailureQuestion> = {}) =>
    diagnosisInputOf(gatherRequest(ask(metrics, logs, over)));
  const judged = (value: number, pod?: string, metric = 'cpu_usage') =>
    sample(50, 0, { metric, labels: pod === undefined ? {} : { pod }, detectors: [aScore('own-history', { score: value })] }); // prettier-ignore

  test('the window begins at the onset, lines of debugging are left out', () => {
    const found = of([sample(1)], [line(), line(0, 'debug'), line(0, 'info')]);
    expect(found).toMatchObject({ nowMs: NOW, onsetAtMs: NOW - WINDOW, settings: { anomalyThreshold: 0.85 } });
    expect(found.logs.map(({ level }) => level)).toEqual(['error', 'info']);
    expect(found).not.toHaveProperty('workload');
    expect([found.events, found.nodes, found.changes]).toEqual([[], [], []]);
  });

  test('pods and the whole are judged by their worst series', () => {
    const found = of([judged(0.85, 'a'), judged(0.2, 'a', 'm'), judged(0.84, 'b'), judged(0.9, undefined)]).verdict;
    expect(found?.pods.map(({ pod, state, score, metrics }) => [pod.name, pod.uid, state, score, metrics.length])).toEqual([
      ['a', 'a', 'unhealthy', 0.85, 2],
      ['b', 'b', 'healthy', 0.84, 1],
    ]); // prettier-ignore
    expect(found).toMatchObject({ atMs: NOW, state: 'unhealthy', score: 0.9 });
    expect(found?.workloadMetrics.map(({ metric, value, atMs }) => [metric, value, atMs])).toEqual([
      ['cpu_usage', 50, NOW],
    ]);
    expect(of([judged(0.84)]).verdict).toMatchObject({ state: 'healthy', pods: [] });
    expect(of([sample(1)]).verdict).toMatchObject({ score: 0, state: 'healthy' });
  });

  test('a sample that nothing judged says so', () => {
    expect(of([sample(1, 0, { samples: 4 })]).verdict?.workloadMetrics[0]?.verdict).toEqual({
      kind: 'no-verdict',
      reason: 'InsufficientData',
      samples: 4,
    });
  });

  test.each<[string, readonly number[], number | undefined]>([
    ['three from before', [0, 0, 5], 0],
    ['four from before', [1, 2, 3, 4], 2.5],
    ['two from before are too few', [1, 2], undefined],
  ])('series are summarised: %s', (_, before, expected) => {
    const samples = [...before.map((value, i) => sample(value, WINDOW + 10 - i)), sample(7)];
    const [summary] = of(samples).series ?? [];
    expect(summary).toEqual({
      metric: 'cpu_usage',
      ...(expected === undefined ? {} : { baselineMedian: expected }),
      current: 7,
      climbingWindows: 0,
    });
  });

  test('and whether they climb', () => {
    const climbing = [1, 2, 3].map((value, i) => sample(value, 3000 - i * 1000, { labels: { pod: 'a' } }));
    expect(of(climbing).series).toEqual([{ metric: 'cpu_usage', pod: 'a', current: 3, climbingWindows: 3 }]);
  });

  test('the workload that was sent', () => {
    const kubernetes = { workload: { name: 'api', namespace: 'shop' }, pods: [{ name: 'api-1' }] };
    const found = of([judged(0.9)], [], { kubernetes });
    expect(found.workload?.ref.name).toBe('api');
    expect(found.verdict?.workload.name).toBe('api');
  });
});
