import { describe, expect, test } from '@jest/globals';
import { observePod } from '../../../src/detection/pod-observation.ts';
import { statusFindings } from '../../../src/detection/pod-status.ts';
import type { ContainerSnapshot, PodCondition, PodSnapshot } from '../../../src/lib/workload.ts';
import { T0, aContainerSnapshot, aPodSnapshot } from '../../support/builders/detection.ts';

const MINUTE = 60_000;
const waiting = (waitingReason: string, over: Partial<ContainerSnapshot> = {}): Partial<PodSnapshot> => ({
  ready: false,
  containers: [aContainerSnapshot({ state: 'waiting', waitingReason, ready: false, ...over })],
});
const died = (reason: string, exitCode: number, agoMs: number) => ({
  reason,
  exitCode,
  startedAtMs: T0 - agoMs - 5000,
  finishedAtMs: T0 - agoMs,
});
const conditions = (type: string, over: Partial<PodCondition>): readonly PodCondition[] => [
  { type: 'PodScheduled', status: 'True', changedAtMs: T0 - 60 * MINUTE },
  { type, status: 'False', ...over },
];

/** Gravest finding as `reason`, marked with `!` where it makes the pod unhealthy. */
function gravest(over: Partial<PodSnapshot>): string {
  const [first] = statusFindings(aPodSnapshot(over), T0);
  return first === undefined ? '-' : `${first.reason}${first.severity >= 0.85 ? '!' : ''}`;
}

describe('what a pod’s status says', () => {
  test.each<[string, Partial<PodSnapshot>, string]>([
    ['a ready pod says nothing', {}, '-'],
    ['crash loop', waiting('CrashLoopBackOff'), 'CrashLoopBackOff!'],
    ['image cannot be pulled', waiting('ImagePullBackOff'), 'ImagePullBackOff!'],
    ['image name is invalid', waiting('InvalidImageName'), 'InvalidImageName!'],
    ['configuration is missing', waiting('CreateContainerConfigError'), 'CreateContainerConfigError!'],
    ['an init container crashes', waiting('CrashLoopBackOff', { init: true }), 'CrashLoopBackOff!'],
    ['an ordinary start', { ...waiting('ContainerCreating'), createdAtMs: T0 - 5000, conditions: [] }, 'NotReady'],
    [
      'between two crashes of a loop it runs, and is not well',
      {
        containers: [
          aContainerSnapshot({ restartCount: 3, startedAtMs: T0 - 5000, lastTermination: died('Error', 1, 6000) }),
        ],
      },
      'CrashLoopBackOff!',
    ],
    [
      'three crashes long ago are over',
      { containers: [aContainerSnapshot({ restartCount: 3, lastTermination: died('Error', 1, 60 * MINUTE) })] },
      '-',
    ],
    [
      'restarts that ended well are no crash',
      {
        containers: [
          aContainerSnapshot({ restartCount: 9, startedAtMs: T0 - 5000, lastTermination: died('Completed', 0, 6000) }),
        ],
      },
      '-',
    ],
    [
      'killed for its memory a minute ago',
      { containers: [aContainerSnapshot({ restartCount: 1, lastTermination: died('OOMKilled', 137, MINUTE) })] },
      'OOMKilled!',
    ],
    [
      'killed for its memory yesterday: evidence only',
      {
        containers: [
          aContainerSnapshot({ restartCount: 1, lastTermination: died('OOMKilled', 137, 24 * 60 * MINUTE) }),
        ],
      },
      'OOMKilled',
    ],
    [
      'not ready for 61 s',
      { ready: false, conditions: conditions('Ready', { changedAtMs: T0 - 61_000 }) },
      'NotReady!',
    ],
    ['not ready for 10 s', { ready: false, conditions: conditions('Ready', { changedAtMs: T0 - 10_000 }) }, 'NotReady'],
    [
      'never ready for two minutes: a slow start',
      { ready: false, createdAtMs: T0 - 2 * MINUTE, conditions: conditions('Ready', { changedAtMs: T0 - 2 * MINUTE }) },
      'NotReady',
    ],
    [
      'never ready for six minutes',
      { ready: false, createdAtMs: T0 - 6 * MINUTE, conditions: conditions('Ready', { changedAtMs: T0 - 6 * MINUTE }) },
      'NotReady!',
    ],
    [
      'no node takes it, for two minutes',
      {
        ready: false,
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', changedAtMs: T0 - 2 * MINUTE }],
      },
      'Unschedulable!',
    ],
    [
      'no node takes it yet',
      {
        ready: false,
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', changedAtMs: T0 - 5000 }],
      },
      'Unschedulable',
    ],
    [
      'evicted just now',
      {
        phase: 'Failed',
        reason: 'Evicted',
        ready: false,
        conditions: conditions('Ready', { changedAtMs: T0 - MINUTE }),
      },
      'Evicted!',
    ],
    ['the remains of an eviction', { phase: 'Failed', reason: 'Evicted', ready: false, conditions: [] }, 'Evicted'],
    [
      'crashed three times, nobody knows when',
      {
        containers: [
          aContainerSnapshot({
            restartCount: 3,
            startedAtMs: T0 - 5000,
            lastTermination: { reason: 'Error', exitCode: 1 },
          }),
        ],
      },
      '-',
    ],
    [
      'crashed twice',
      {
        containers: [
          aContainerSnapshot({ restartCount: 2, startedAtMs: T0 - 5000, lastTermination: died('Error', 1, 6000) }),
        ],
      },
      '-',
    ],
    [
      'an init container that crashed before it ended well',
      {
        containers: [
          aContainerSnapshot({
            init: true,
            restartCount: 3,
            startedAtMs: T0 - 5000,
            lastTermination: died('Error', 1, 6000),
          }),
        ],
      },
      '-',
    ],
    [
      'killed for its memory yesterday, and not running since',
      {
        containers: [
          aContainerSnapshot({
            state: 'terminated',
            restartCount: 1,
            lastTermination: died('OOMKilled', 137, 24 * 60 * MINUTE),
          }),
        ],
      },
      'OOMKilled!',
    ],
    [
      'killed for its memory ten minutes ago',
      { containers: [aContainerSnapshot({ restartCount: 1, lastTermination: died('OOMKilled', 137, 10 * MINUTE) })] },
      'OOMKilled!',
    ],
    [
      'killed for its memory a little longer ago: evidence only',
      {
        containers: [aContainerSnapshot({ restartCount: 1, lastTermination: died('OOMKilled', 137, 10 * MINUTE + 1) })],
      },
      'OOMKilled',
    ],
    [
      'failed ten minutes ago',
      { phase: 'Failed', ready: false, conditions: conditions('Ready', { changedAtMs: T0 - 10 * MINUTE }) },
      'Failed!',
    ],
    [
      'failed longer ago: evidence only',
      { phase: 'Failed', ready: false, conditions: conditions('Ready', { changedAtMs: T0 - 10 * MINUTE - 1 }) },
      'Failed',
    ],
    [
      'not ready for a minute, just now',
      { ready: false, conditions: conditions('Ready', { changedAtMs: T0 - MINUTE }) },
      'NotReady',
    ],
    [
      'never ready, and restarted: a minute of it is enough',
      {
        ready: false,
        createdAtMs: T0 - 2 * MINUTE,
        conditions: conditions('Ready', { changedAtMs: T0 - 2 * MINUTE }),
        containers: [aContainerSnapshot({ restartCount: 1 })],
      },
      'NotReady!',
    ],
    ['on its way out', { ...waiting('CrashLoopBackOff'), deletedAtMs: T0 - 1000 }, '-'],
    ['done', { phase: 'Succeeded', ready: false }, '-'],
  ])('%s', (_, over, expected) => {
    expect(gravest(over)).toBe(expected);
  });

  test('times come from the cluster: a loop began no later than its last crashed run and its loss of readiness', () => {
    const pod = aPodSnapshot({
      ...waiting('CrashLoopBackOff', { restartCount: 4, lastTermination: died('Error', 1, 20_000) }),
      conditions: conditions('Ready', { changedAtMs: T0 - 5 * MINUTE }),
    });
    expect(statusFindings(pod, T0)[0]?.sinceMs).toBe(T0 - 5 * MINUTE);
  });

  test('a reason that is known silences the plain "not ready"', () => {
    const pod = aPodSnapshot({
      ...waiting('ImagePullBackOff'),
      conditions: conditions('Ready', { changedAtMs: T0 - 90_000 }),
    });
    expect(statusFindings(pod, T0).map(({ reason }) => reason)).toEqual(['ImagePullBackOff']);
  });
});

describe('a pod as the engine sees it', () => {
  test('limits lie at 100 per cent where every running container has one', () => {
    expect(observePod(aPodSnapshot(), [], T0)).toMatchObject({
      pod: { name: 'cart-1', uid: 'p1' },
      templateHash: 'h1',
      ageMs: 60 * MINUTE,
      ready: true,
      saturation: { cpu_usage: 100, memory_usage: 100 },
      status: [],
    });
  });

  test.each<[string, readonly ContainerSnapshot[], Record<string, number>]>([
    [
      'a sidecar without a cpu limit',
      [aContainerSnapshot(), { ...aContainerSnapshot(), cpuLimit: 0 }],
      { memory_usage: 100 },
    ],
    [
      'an init container without limits does not matter',
      [aContainerSnapshot(), aContainerSnapshot({ init: true, cpuLimit: 0 })],
      { cpu_usage: 100, memory_usage: 100 },
    ],
    ['no containers known', [], {}],
  ])('%s', (_, containers, saturation) => {
    expect(observePod(aPodSnapshot({ containers }), [], T0).saturation).toEqual(saturation);
  });

  test('a clock that is behind gives age 0, and an unknown template no hash', () => {
    const { templateHash: _hash, ...bare } = aPodSnapshot({ createdAtMs: T0 + 5000 });
    const observation = observePod(bare, [], T0);
    expect(observation.ageMs).toBe(0);
    expect('templateHash' in observation).toBe(false);
  });
});
