import { describe, expect, test } from '@jest/globals';
import { classify } from '../../../src/diagnosis/classify.ts';
import { aCase, aNode, anEvent, MINUTE, NOW, ONSET, podName } from '../../support/builders/diagnosis.ts';
import type { CaseSpec, PodSpec } from '../../support/builders/diagnosis.ts';

const calm: PodSpec = { metrics: { cpu_usage: ['flat', 40, 40], error_rate: ['flat', 0.005, 0.005] } };
const failing: PodSpec = { metrics: { cpu_usage: ['flat', 40, 40], error_rate: ['up', 0.4, 0.005] } };
const end = { reason: 'Error', exitCode: 1, startedAtMs: NOW - 80_000, finishedAtMs: NOW - 40_000 };
const crashed: PodSpec = { waiting: 'CrashLoopBackOff', restarts: 6, lastEnd: end };
const diesAtOnce: PodSpec = { ...crashed, lastEnd: { ...end, startedAtMs: NOW - 41_000 } };
const three = (each: PodSpec): readonly PodSpec[] => [each, each, each];
const fresh = (spec: PodSpec): PodSpec => ({ ...spec, hash: 'new', ageMs: 4 * MINUTE });

const revision = (name: string, number: number, ageMs: number, replicas: number) => ({
  name: `checkout-${name}`,
  templateHash: name,
  revision: number,
  createdAtMs: NOW - ageMs,
  replicas,
  readyReplicas: 0,
});
const released = { revisions: [revision('new', 8, 4 * MINUTE, 3), revision('abc', 7, 9e8, 0)] };
const rolling = { revisions: [revision('new', 8, 4 * MINUTE, 1), revision('abc', 7, 9e8, 2)] };
const born = { createdAtMs: NOW - 5 * MINUTE, revisions: [revision('abc', 1, 5 * MINUTE, 3)] };

interface Row {
  readonly name: string;
  readonly spec: CaseSpec;
  readonly type: string;
  readonly cause?: string;
  readonly pods?: number;
}

const probed: PodSpec = {
  restarts: 5,
  ready: false,
  lastEnd: { reason: 'Error', exitCode: 143, finishedAtMs: NOW - 30_000 },
};
const probeEvents = [
  anEvent('Unhealthy', 'Liveness probe failed: HTTP probe failed with statuscode: 503'),
  ...[90, 60, 30].map((s) =>
    anEvent('Killing', 'Container app failed liveness probe, will be restarted', { lastAtMs: NOW - s * 1000 }),
  ),
];

const rows: readonly Row[] = [
  {
    name: 'crash_loop: one of three while its peers run',
    spec: { pods: [crashed, calm, calm] },
    type: 'crash_loop',
    cause: 'self',
    pods: 1,
  },
  {
    name: 'crash_loop: all, without a change',
    spec: { pods: three(crashed) },
    type: 'crash_loop',
    cause: 'self',
    pods: 3,
  },
  {
    name: 'crash_loop: peers that took its share of requests are no surge',
    spec: {
      pods: [
        crashed,
        ...Array<PodSpec>(2).fill({ metrics: { request_rate: ['up', 150, 100], cpu_usage: ['up', 60, 40] } }),
      ],
    },
    type: 'crash_loop',
    cause: 'self',
  },
  {
    name: 'crash_loop: one of three, though a release is recent',
    spec: { pods: [fresh(crashed), fresh(calm), fresh(calm)], workload: released },
    type: 'crash_loop',
    cause: 'self',
  },
  {
    name: 'crash_loop: many restarts without the waiting reason',
    spec: { pods: [{ ...crashed, waiting: undefined as never, ready: false }, calm, calm] },
    type: 'crash_loop',
  },

  {
    name: 'bad_deploy: all pods crash after a release',
    spec: { pods: three(fresh(crashed)), workload: released },
    type: 'bad_deploy',
    cause: 'rollout',
  },
  {
    name: 'bad_deploy: only the new pod crashes, mid-rollout',
    spec: { pods: [fresh(crashed), calm, calm], workload: rolling },
    type: 'bad_deploy',
    cause: 'rollout',
    pods: 1,
  },
  {
    name: 'bad_deploy: only the new pod answers with errors',
    spec: { pods: [fresh(failing), calm, calm], workload: rolling },
    type: 'bad_deploy',
    cause: 'rollout',
    pods: 1,
  },
  {
    name: 'bad_deploy: old pods fail as well',
    spec: { pods: [fresh(failing), failing, failing], workload: rolling },
    type: 'unknown',
    cause: 'rollout',
  },
  {
    name: 'bad_deploy: a release of an hour ago is no explanation',
    spec: {
      pods: three(crashed),
      workload: { revisions: [revision('abc', 8, 3_600_000, 3), revision('old', 7, 9e8, 0)] },
    },
    type: 'crash_loop',
  },
  {
    name: 'bad_deploy: a restart by Aegis makes a revision, not a deploy',
    spec: {
      pods: three(fresh(crashed)),
      workload: released,
      input: { recentActions: [{ action: 'restart_pod', executedAtMs: NOW - 4 * MINUTE - 1000 }] },
    },
    type: 'crash_loop',
    cause: 'aegis',
  },

  {
    name: 'image_error: cannot be pulled',
    spec: { pods: [{ waiting: 'ImagePullBackOff', phase: 'Pending' }, calm] },
    type: 'image_error',
    cause: 'self',
    pods: 1,
  },
  {
    name: 'image_error: after a release it is the image all the same',
    spec: { pods: [fresh({ waiting: 'ErrImagePull', phase: 'Pending' }), calm, calm], workload: rolling },
    type: 'image_error',
    cause: 'rollout',
  },

  {
    name: 'bad_config: the container cannot be made',
    spec: { pods: [{ waiting: 'CreateContainerConfigError', phase: 'Pending' }, calm] },
    type: 'bad_config',
  },
  {
    name: 'bad_config: dies at once and misses a variable',
    spec: { pods: three(diesAtOnce), logs: ['missing required environment variable DATABASE_URL'] },
    type: 'bad_config',
  },
  {
    name: 'bad_config: dies at once after its ConfigMap changed',
    spec: { pods: three(diesAtOnce), input: { changes: [{ kind: 'config', name: 'settings', atMs: ONSET - MINUTE }] } },
    type: 'bad_config',
  },
  {
    name: 'bad_config or bad_deploy, all crash at birth: people either way',
    spec: { pods: three(diesAtOnce), workload: born },
    type: 'bad_config',
  },

  {
    name: 'probe_misconfigured: killed at constant spacing',
    spec: { pods: [probed, calm, calm], input: { events: probeEvents } },
    type: 'probe_misconfigured',
    pods: 1,
  },
  {
    name: 'probe_misconfigured: in a crash loop by now',
    spec: { pods: [{ ...probed, waiting: 'CrashLoopBackOff' }, calm, calm], input: { events: probeEvents } },
    type: 'probe_misconfigured',
  },
  {
    name: 'probe_misconfigured: a crash with a panic is none',
    spec: {
      pods: [crashed, calm, calm],
      logs: ['panic: nil'],
      input: { events: [anEvent('Unhealthy', 'Readiness probe failed')] },
    },
    type: 'crash_loop',
  },
  {
    name: 'probe_misconfigured: the events of another pod do not count',
    spec: {
      pods: [crashed, calm, calm],
      input: { events: probeEvents.map((each) => ({ ...each, name: 'checkout-gateway-1' })) },
    },
    type: 'crash_loop',
  },

  {
    name: 'unschedulable: no node fits',
    spec: { pods: [{ phase: 'Pending', node: null, unschedulable: '0/5 nodes are available' }, calm, calm] },
    type: 'unschedulable',
    pods: 1,
  },
  {
    name: 'unschedulable: quota',
    spec: {
      pods: [calm, calm],
      workload: { replicas: { desired: 3, current: 2, updated: 2, ready: 2, available: 2 } },
      input: {
        events: [anEvent('FailedCreate', 'exceeded quota: compute', { kind: 'ReplicaSet', name: 'checkout-abc' })],
      },
    },
    type: 'unschedulable',
  },

  {
    name: 'node_pressure: evicted',
    spec: { pods: [{ phase: 'Failed', reason: 'Evicted', ready: false }, calm, calm] },
    type: 'node_pressure',
    cause: 'node',
    pods: 1,
  },
  {
    name: 'node_pressure: the node says so',
    spec: {
      pods: [failing, calm, calm],
      input: { nodes: [aNode('node-1', { pressures: ['MemoryPressure'] }), aNode('node-2'), aNode('node-3')] },
    },
    type: 'node_pressure',
    cause: 'node',
  },
  {
    name: 'node_pressure: a pressed node that carries none of its pods',
    spec: { pods: [calm, calm, calm], input: { nodes: [aNode('node-9', { pressures: ['DiskPressure'] })] } },
    type: 'unknown',
    cause: 'self',
  },

  {
    name: 'node_not_ready: its pods are gone with it',
    spec: {
      pods: [{ ready: false }, calm, calm],
      input: { nodes: [aNode('node-1', { ready: 'Unknown' }), aNode('node-2'), aNode('node-3')] },
    },
    type: 'node_not_ready',
    cause: 'node',
    pods: 1,
  },
  {
    name: 'node_not_ready: what crashes elsewhere is not its fault',
    spec: {
      pods: [crashed, crashed, calm],
      input: { nodes: [aNode('node-1'), aNode('node-2'), aNode('node-3', { ready: 'False' })] },
    },
    type: 'crash_loop',
  },
];

describe('life cycle and nodes', () => {
  test.each(rows)('$name', ({ spec, type, cause, pods }) => {
    const diagnosis = classify(aCase(spec));
    expect(diagnosis.failureType).toBe(type);
    if (type !== 'unknown') expect(diagnosis.confidence).toBeGreaterThanOrEqual(0.6);
    if (cause !== undefined) expect(diagnosis.cause.kind).toBe(cause);
    if (pods !== undefined) expect(diagnosis.pods).toHaveLength(pods);
  });

  test('the pod that carries the failure is named', () => {
    expect(classify(aCase({ pods: [calm, crashed, calm] })).pods).toEqual([{ name: podName(2), uid: 'p-2' }]);
  });
});
