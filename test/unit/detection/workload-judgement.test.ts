import { describe, expect, test } from '@jest/globals';
import type { JudgeInput } from '../../../src/detection/engine-input.ts';
import type { HealthState, MetricVerdict, PodVerdict } from '../../../src/detection/verdict.ts';
import { workloadVerdict } from '../../../src/detection/workload-judgement.ts';
import { peerDeviation } from '../../../src/detection/detectors/peers.ts';
import { aMetric, aPodVerdict } from '../../support/builders/incident.ts';
import { NOW, podRef, REF, SECOND } from '../../support/builders/workload.ts';

const MINUTE_OLD = 60 * SECOND;

/** Pods of these states, as old as said (an hour unless it is). */
function judge(
  states: readonly (readonly [HealthState, number?])[],
  workloadMetrics: readonly MetricVerdict[] = [],
  severity?: number,
) {
  const pods = states.map(([state], i): PodVerdict => aPodVerdict(podRef(i), { state, score: 0.2, metrics: [] }));
  const input: JudgeInput = {
    workload: REF,
    nowMs: NOW,
    settings: { anomalyThreshold: 0.85, minSamples: 100, maxSampleAgeMs: MINUTE_OLD, intervalMs: 15 * SECOND },
    metrics: [],
    pods: states.map(([, ageMs = 60 * MINUTE_OLD], i) => ({
      pod: podRef(i),
      ageMs,
      ready: true,
      readings: [],
      saturation: {},
      status: [],
    })),
    workloadReadings: [],
    ...(severity === undefined ? {} : { workloadStatus: [{ reason: 'FailedCreate', message: '', severity }] }),
  };
  return workloadVerdict(input, pods, workloadMetrics);
}

describe('a workload is judged by its pods and by what is measured of it as a whole', () => {
  test.each<[string, Parameters<typeof judge>, HealthState]>([
    ['one unhealthy pod of three', [[['healthy'], ['unhealthy'], ['healthy']]], 'unhealthy'],
    ['all are healthy', [[['healthy'], ['healthy']]], 'healthy'],
    ['half of the pods were seen', [[['healthy'], ['unknown']]], 'healthy'],
    ['less than half of them', [[['healthy'], ['unknown'], ['unknown']]], 'unknown'],
    ['pods that start do not count', [[['healthy'], ['unknown', MINUTE_OLD - 1], ['unknown', 0]]], 'healthy'],
    ['a minute after their start they do', [[['healthy'], ['unknown', MINUTE_OLD], ['unknown', MINUTE_OLD]]], 'unknown'],
    ['where all start they are all that counts', [[['unknown', 0], ['unknown', 0], ['healthy', 0]]], 'unknown'],
    ['no pods, and nothing is measured', [[]], 'unknown'],
    ['no pods, and something is measured', [[], [aMetric('request_rate', 5, 0.1)]], 'healthy'],
    ['its own metric is exactly at the threshold', [[['healthy']], [aMetric('request_rate', 5, 0.85)]], 'unhealthy'],
    ['its own metric is below', [[['healthy']], [aMetric('request_rate', 5, 0.84)]], 'healthy'],
    ['its own status is a breach', [[['healthy']], [], 0.9], 'unhealthy'],
    ['its own status is odd, but no breach', [[['healthy']], [], 0.3], 'healthy'],
  ])('%s', (_, args, state) => {
    expect(judge(...args).state).toBe(state);
  }); // prettier-ignore

  test.each([
    [[0.3, 0.95, 0.1], 0.95],
    [[0.1, 0.05], 0.2], // the pods' own
  ])('its score is the worst of all: metrics %j', (scores, expected) => {
    expect(judge([['healthy']], scores.map((score) => aMetric('m', 5, score))).score).toBe(expected); // prettier-ignore
  });

  test('of its status the severity, and the status itself, are kept', () => {
    expect(judge([['healthy']], [], 0.7)).toMatchObject({ score: 0.7, status: [{ reason: 'FailedCreate' }] });
    expect(judge([['healthy']])).not.toHaveProperty('status');
  });

  test('the oldest sample that a score rests on', () => {
    const at = (agoMs: number): MetricVerdict => ({ ...aMetric('m', 5, 0.1), atMs: NOW - agoMs });
    expect(judge([], [at(5), at(9), at(7)]).oldestSampleMs).toBe(NOW - 9);
    const silent: MetricVerdict = {
      ...at(99),
      verdict: { kind: 'no-verdict', reason: 'InsufficientData', samples: 1 },
    };
    expect(judge([], [at(5), silent]).oldestSampleMs).toBe(NOW - 5);
    expect(judge([['healthy']])).not.toHaveProperty('oldestSampleMs');
  });
});

test('beside a single other replica twice the floor is no noise yet, beside several the floor is', () => {
  const needed = (...others: readonly number[]) =>
    peerDeviation({ value: 0, others, absoluteFloor: 10, relativeFloor: 0.25 })?.needed;
  expect(needed(40)).toBe(20);
  expect(needed(40, 40)).toBe(10);
  expect(needed(80)).toBe(40);
});
