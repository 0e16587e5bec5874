import { describe, expect, test } from '@jest/globals';
import type { MetricVerdict, Score } from '../../../src/detection/verdict.ts';
import type { SeriesSummary } from '../../../src/diagnosis/evidence.ts';
import { bounded, metricShape, metricStates, robustShift } from '../../../src/diagnosis/metric-shape.ts';
import { aMetric, aScore, aVerdict, podName } from '../../support/builders/diagnosis.ts';
import type { Behaviour } from '../../support/builders/diagnosis.ts';

const shapeOf = (behaviours: readonly (Behaviour | undefined)[], series: readonly SeriesSummary[] = []) => {
  const pods = behaviours.map((cpu_usage) => ({ metrics: cpu_usage === undefined ? {} : { cpu_usage } }));
  return metricShape('cpu_usage', metricStates(aVerdict(pods), series, 0.85));
};

const up: Behaviour = ['up', 95, 40];
const flat: Behaviour = ['flat', 40, 40];
const down: Behaviour = ['down', 5, 40];

describe('what a metric does over the pods', () => {
  test.each<[string, readonly (Behaviour | undefined)[], string, string]>([
    ['one of three up', [up, flat, flat], 'up', 'one'],
    ['two of three up', [up, up, flat], 'up', 'some'],
    ['all up', [up, up, up], 'up', 'all'],
    ['the only pod up', [up], 'up', 'all'],
    ['one up where the other is not measured', [up, undefined], 'up', 'all'],
    ['more fall than rise', [up, down, down], 'down', 'some'],
    ['none moves', [flat, flat], 'flat', 'none'],
    ['not measured', [undefined, undefined], 'unknown', 'none'],
  ])('%s', (_, behaviours, direction, scope) => {
    expect(shapeOf(behaviours)).toMatchObject({ direction, scope });
  });

  test('a reading of the workload as a whole has no pods', () => {
    const states = metricStates(aVerdict([{}], { cpu_usage: up }), [], 0.85);
    expect(metricShape('cpu_usage', states)).toMatchObject({ direction: 'up', scope: 'workload', pods: [] });
  });

  test('the worst pod is first', () => {
    expect(shapeOf([flat, up, up]).pods).toEqual([podName(2), podName(3)]);
  });
});

function stateOf(metric: string, scores: readonly Partial<Score>[], series: readonly SeriesSummary[] = []) {
  const detectors = scores.map((over) => aScore(over.detector ?? 'own-history', over));
  const verdict: MetricVerdict = {
    ...aMetric(metric, flat),
    verdict: detectors[0] ?? { kind: 'no-verdict', reason: 'Gap', samples: 0 },
    detectors,
  };
  const whole = aVerdict([]);
  return metricStates({ ...whole, workloadMetrics: [verdict] }, series, 0.85)[0];
}

describe('the state of one series', () => {
  test('a limit in hysteresis still points up', () => {
    const { band: _band, ...bare } = aScore('limit', { score: 0.9, observed: 78, expected: 80 });
    expect(stateOf('cpu_usage', [{ ...bare, detector: 'limit' }])?.direction).not.toBe('down');
  });

  test('saturation within its band points up', () => {
    const state = stateOf('memory_usage', [{ detector: 'saturation', score: 0.92, observed: 97, band: [0, 100] }]);
    expect(state).toMatchObject({ direction: 'up', limited: true });
  });

  test('a value far outside its band has moved, even while the alarm is quiet', () => {
    expect(stateOf('cpu_usage', [{ score: 0.45, observed: 90, expected: 40, band: [30, 50] }])?.direction).toBe('up');
    expect(stateOf('cpu_usage', [{ score: 0.45, observed: 52, expected: 50, band: [45, 51] }])?.direction).toBe('flat');
  });

  test('a trend towards the limit climbs', () => {
    const trend = { detector: 'trend', score: 0.9, slopePerSecond: 0.2, timeToLimitMs: 60_000 } as const;
    expect(stateOf('memory_usage', [trend])).toMatchObject({ rising: true, timeToLimitMs: 60_000 });
    expect(stateOf('memory_usage', [{ ...trend, slopePerSecond: -0.2 }])?.rising).toBe(false);
  });

  test('standing out among peers needs an alarm', () => {
    expect(stateOf('cpu_usage', [{ detector: 'peers', score: 0.9 }])?.peerOutlier).toBe(true);
    expect(stateOf('cpu_usage', [{ detector: 'peers', score: 0.6 }])?.peerOutlier).toBe(false);
  });

  test('what a limit expects is not what is usual', () => {
    expect(stateOf('cpu_usage', [{ detector: 'limit', expected: 80 }, { expected: 40 }])?.expected).toBe(40);
  });

  test('no verdict, no direction', () => {
    expect(stateOf('cpu_usage', [])).toMatchObject({ direction: 'unknown', hasBaseline: false });
  });

  test('numbers that are none are left out', () => {
    const state = stateOf('cpu_usage', [{ observed: NaN }]);
    expect(state?.direction).toBe('unknown');
    expect(bounded(NaN)).toBe(0);
    expect(bounded(7)).toBe(1);
  });
});

describe('summaries of series', () => {
  const summary: SeriesSummary = { metric: 'cpu_usage', baselineMedian: 40, baselineIqr: 4, current: 60 };

  test('the shift counts inter-quartile ranges, floored at a twentieth of the median', () => {
    expect(robustShift(summary)).toBe(5);
    expect(robustShift({ ...summary, baselineIqr: 0 })).toBe(10);
    expect(robustShift({ metric: 'x', current: 3 })).toBeUndefined();
  });

  test('a summary speaks where the verdict is calm', () => {
    expect(
      stateOf('cpu_usage', [{ score: 0.1, observed: 60, expected: 58, band: [50, 66] }], [summary])?.direction,
    ).toBe('up');
  });

  test('a summary stands in where there is no verdict', () => {
    const states = metricStates(undefined, [summary, { metric: 'memory_usage', pod: 'a', climbingWindows: 4 }], 0.85);
    expect(metricShape('cpu_usage', states)).toMatchObject({ direction: 'up', score: 0.85 });
    expect(metricShape('memory_usage', states).rising).toBe(true);
  });
});
