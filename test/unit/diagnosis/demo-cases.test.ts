import { describe, expect, test } from '@jest/globals';
import { defaultLadder, situationOf } from '../../../src/diagnosis/catalog.ts';
import { classify } from '../../../src/diagnosis/classify.ts';
import { aCase, NOW } from '../../support/builders/diagnosis.ts';
import type { CaseSpec, PodSpec } from '../../support/builders/diagnosis.ts';

const calm: PodSpec = {
  metrics: { cpu_usage: ['flat', 40, 40], memory_usage: ['flat', 50, 50], request_rate: ['flat', 100, 100] },
};
const leaking: PodSpec = {
  metrics: { ...calm.metrics, memory_usage: ['up', 88, 50, ['own-history', 'trend', 'peers']] },
};
const busy: PodSpec = {
  metrics: { cpu_usage: ['up', 95, 40], memory_usage: ['flat', 52, 50], request_rate: ['up', 320, 100] },
};
const hot: PodSpec = { metrics: { ...calm.metrics, cpu_usage: ['up', 95, 40] } };
const crashed: PodSpec = { waiting: 'CrashLoopBackOff', restarts: 5, lastEnd: { reason: 'Error', exitCode: 1 } };
const justReleased = {
  revisions: [
    {
      name: 'checkout-abc',
      templateHash: 'abc',
      revision: 8,
      createdAtMs: NOW - 400_000,
      replicas: 3,
      readyReplicas: 0,
    },
    { name: 'checkout-old', templateHash: 'old', revision: 7, createdAtMs: NOW - 9e8, replicas: 0, readyReplicas: 0 },
  ],
};

interface Row {
  readonly name: string;
  readonly spec: CaseSpec;
  readonly type: string;
  readonly rungs: readonly string[];
  readonly pods: number;
}

const rows: readonly Row[] = [
  {
    name: 'one pod of three leaks memory at flat requests',
    spec: { pods: [leaking, calm, calm] },
    type: 'memory_leak',
    rungs: ['clear_cache', 'restart_pod'],
    pods: 1,
  },
  {
    name: 'all replicas are asked more',
    spec: { pods: [busy, busy, busy] },
    type: 'traffic_surge',
    rungs: ['scale_up', 'throttle_api'],
    pods: 3,
  },
  {
    name: 'all replicas work harder at flat requests',
    spec: { pods: [hot, hot, hot] },
    type: 'cpu_saturation',
    rungs: ['scale_up'],
    pods: 3,
  },
  {
    name: 'one replica works harder at flat requests',
    spec: { pods: [calm, hot, calm] },
    type: 'cpu_saturation',
    rungs: ['restart_pod'],
    pods: 1,
  },
  {
    name: 'one pod of three crash-loops',
    spec: { pods: [calm, crashed, calm] },
    type: 'crash_loop',
    rungs: ['restart_pod'],
    pods: 1,
  },
  {
    name: 'all pods crash-loop after a release',
    spec: { pods: [crashed, crashed, crashed], workload: justReleased },
    type: 'bad_deploy',
    rungs: [],
    pods: 3,
  },
];

describe('the cases of the live demo, with no logs and no error rate', () => {
  test.each(rows)('$name', ({ spec, type, rungs, pods }) => {
    const diagnosis = classify(aCase(spec));
    expect(diagnosis).toMatchObject({ failureType: type });
    expect(diagnosis.confidence).toBeGreaterThanOrEqual(0.6);
    expect(diagnosis.lead).toBeGreaterThanOrEqual(0.2);
    expect(diagnosis.pods).toHaveLength(pods);
    const situation = situationOf(diagnosis, spec.pods.length);
    expect(defaultLadder(diagnosis.failureType, situation).map((rung) => rung.action)).toEqual(rungs);
  });

  test('a noisy healthy workload has no name', () => {
    expect(classify(aCase({ pods: [calm, calm, calm] })).failureType).toBe('unknown');
  });
});
