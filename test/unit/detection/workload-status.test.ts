import { describe, expect, test } from '@jest/globals';
import { podsMissing, workloadFindings } from '../../../src/detection/workload-status.ts';
import type { WorkloadSnapshot } from '../../../src/lib/workload.ts';
import { aPod, aWorkload, NOW } from '../../support/builders/workload.ts';

const usual = aWorkload();
const replicas = (desired: number, ready: number) => ({ ...usual.replicas, desired, ready });
const pods = (n: number, ready = true) => Array.from({ length: n }, (_, i) => aPod(i, { ready }));
const MINUTE = 60_000;
const refused = (sinceMs: number) => ({
  conditions: [
    {
      ...({ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', changedAtMs: sinceMs } as const),
      message: 'pods "web-1" is forbidden: exceeded quota: team, requested: pods=1, used: pods=4, limited: pods=4',
    },
  ],
});

describe('pods that do not exist', () => {
  test.each<[what: string, over: Partial<WorkloadSnapshot>, missing: number]>([
    ['all there', { replicas: replicas(3, 3), pods: pods(3) }, 0],
    ['none there', { replicas: replicas(3, 0), pods: [] }, 3],
    ['one short', { replicas: replicas(3, 2), pods: pods(2) }, 1],
    ['switched off', { replicas: replicas(0, 0), pods: [] }, 0],
    ['more than wanted', { replicas: replicas(2, 3), pods: pods(3) }, 0],
    [
      'one on its way out holds its place',
      { replicas: replicas(2, 1), pods: [...pods(1), aPod(1, { deletedAtMs: NOW })] },
      0,
    ],
    ['a spec that was not seen yet', { replicas: replicas(3, 0), pods: [], generation: 2, observedGeneration: 1 }, 0],
    [
      'a StatefulSet whose first pod is not ready yet makes no second',
      { ref: { ...usual.ref, kind: 'StatefulSet' }, replicas: replicas(3, 0), pods: pods(1, false) },
      0,
    ],
    [
      'a StatefulSet whose pods are ready, and too few',
      { ref: { ...usual.ref, kind: 'StatefulSet' }, replicas: replicas(3, 2), pods: pods(2) },
      1,
    ],
  ])('%s', (_, over, missing) => {
    expect(podsMissing(aWorkload({ ...over }))).toBe(missing);
  });
});

describe('what speaks against a workload', () => {
  test.each<[what: string, over: Partial<WorkloadSnapshot>, sinceMs: number, severity: number | undefined]>([
    ['all its pods exist', { replicas: replicas(1, 1), pods: pods(1) }, NOW - 10 * MINUTE, undefined],
    ['none exists, for a second', { replicas: replicas(3, 0), pods: [] }, NOW - 1_000, 0.5],
    ['none exists, for a minute', { replicas: replicas(3, 0), pods: [] }, NOW - MINUTE, 0.95],
    ['one is missing, for a minute', { replicas: replicas(3, 2), pods: pods(2) }, NOW - MINUTE, 0.9],
    ['the cluster says since when', { replicas: replicas(3, 0), pods: [], ...refused(NOW - MINUTE) }, NOW, 0.95],
    ['it was refused just now', { replicas: replicas(3, 0), pods: [], ...refused(NOW) }, NOW - 10 * MINUTE, 0.5],
  ])('%s', (_, over, sinceMs, severity) => {
    expect(workloadFindings(aWorkload({ ...over }), sinceMs, NOW)[0]?.severity).toBe(severity);
  });

  test('is told in the words of whoever refused', () => {
    const [found] = workloadFindings(aWorkload({ replicas: replicas(3, 0), pods: [], ...refused(0) }), 0, NOW);
    expect(found?.reason).toBe('FailedCreate');
    expect(found?.message).toContain('exceeded quota: team');
  });
});
