import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { quotaPodsLeft } from '../../../src/kubernetes/assemble.ts';
import { readPod } from '../../../src/kubernetes/read-pod.ts';
import {
  readAutoscaler,
  readBudget,
  readEvent,
  readNamespace,
  readNode,
  readQuota,
} from '../../../src/kubernetes/read-surroundings.ts';
import { readReplicaSet, readWorkload } from '../../../src/kubernetes/read-workload.ts';
import { WORKLOAD_KINDS, type WorkloadKind } from '../../../src/lib/workload.ts';
import { aDeployment, aPod, aReplicaSet } from '../../support/builders/kubernetes.ts';

describe('a pod', () => {
  test('becomes a snapshot', () => {
    expect(readPod(aPod())).toEqual({
      controllerUid: 'rs-uid',
      snapshot: {
        name: 'web-1',
        namespace: 'shop',
        uid: 'uid-web-1',
        phase: 'Running',
        ready: true,
        createdAtMs: Date.UTC(2026, 0, 5, 12),
        nodeName: 'node-1',
        podIP: '10.0.0.7',
        hostNetwork: false,
        templateHash: 'abc',
        controllerKind: 'ReplicaSet',
        labels: { app: 'web', 'pod-template-hash': 'abc' },
        annotations: { note: 'short' },
        conditions: [{ type: 'Ready', status: 'True', changedAtMs: Date.UTC(2026, 0, 5, 12, 0, 5) }],
        containers: [
          {
            name: 'main',
            image: 'web:1',
            init: false,
            ready: true,
            restartCount: 2,
            state: 'running',
            startedAtMs: Date.UTC(2026, 0, 5, 12, 0, 3),
            lastTermination: { reason: 'OOMKilled', exitCode: 137, finishedAtMs: Date.UTC(2026, 0, 5, 12, 0, 2) },
            cpuRequest: 0.25,
            cpuLimit: 1,
            memoryRequest: 64 * 2 ** 20,
            memoryLimit: 128 * 2 ** 20,
          },
        ],
        terminationGracePeriodSeconds: 30,
      },
    });
  });

  test('what is absent stays absent: no readiness, no times, no limits are made up', () => {
    const { snapshot, controllerUid } = readPod({ metadata: { name: 'x' }, spec: { containers: [{ name: 'c' }] } });
    expect(controllerUid).toBe('');
    expect(snapshot).toMatchObject({ phase: 'Unknown', ready: false });
    expect(snapshot.controllerKind).toBeUndefined();
    expect(snapshot.containers[0]).toEqual({
      name: 'c',
      image: '',
      init: false,
      ready: false,
      restartCount: 0,
      state: 'unknown',
    });
  });
});

describe('workloads', () => {
  test('a Deployment', () => {
    expect(readWorkload('Deployment', aDeployment())).toMatchObject({
      ref: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web', uid: 'deploy-uid' },
      resourceVersion: '7',
      generation: 2,
      observedGeneration: 2,
      replicas: { desired: 3, current: 3, updated: 3, ready: 3, available: 3 },
      strategy: 'RollingUpdate',
      maxSurge: 1,
      paused: false,
      replicasManagers: ['kubectl'],
      templateAnnotations: { 'kubectl.kubernetes.io/restartedAt': '2026-01-05T11:30:00Z' },
      podRequests: { pods: 1, 'requests.cpu': 0.25, 'requests.memory': 64 * 2 ** 20 },
    });
  });

  const rows: [string, WorkloadKind, object, object][] = [
    ['replicas absent are one', 'Deployment', { spec: {} }, { replicas: { desired: 1 } }],
    [
      'Recreate has no surge',
      'Deployment',
      { spec: { replicas: 8, strategy: { type: 'Recreate' } } },
      { strategy: 'Recreate', maxSurge: 0 },
    ],
    [
      'a surge in per cent is rounded up',
      'Deployment',
      { spec: { replicas: 3, strategy: { rollingUpdate: { maxSurge: '34%' } } } },
      { maxSurge: 2 },
    ],
    ['a surge as a number', 'Deployment', { spec: { strategy: { rollingUpdate: { maxSurge: 2 } } } }, { maxSurge: 2 }],
    ['a surge of 0', 'Deployment', { spec: { strategy: { rollingUpdate: { maxSurge: 0 } } } }, { maxSurge: 0 }],
    ['a StatefulSet has none', 'StatefulSet', { spec: { replicas: 3 } }, { strategy: 'RollingUpdate', maxSurge: 0 }],
    ['OnDelete', 'StatefulSet', { spec: { updateStrategy: { type: 'OnDelete' } } }, { strategy: 'OnDelete' }],
    [
      'a partition counts as updated',
      'StatefulSet',
      { spec: { replicas: 5, updateStrategy: { rollingUpdate: { partition: 3 } } }, status: { updatedReplicas: 2 } },
      { replicas: { updated: 5 } },
    ],
    [
      'a rollout above the partition is one',
      'StatefulSet',
      { spec: { replicas: 5, updateStrategy: { rollingUpdate: { partition: 3 } } }, status: { updatedReplicas: 1 } },
      { replicas: { updated: 4 } },
    ],
    [
      'a DaemonSet counts nodes',
      'DaemonSet',
      {
        status: {
          desiredNumberScheduled: 4,
          numberReady: 3,
          updatedNumberScheduled: 4,
          numberAvailable: 3,
          currentNumberScheduled: 4,
        },
      },
      { replicas: { desired: 4, ready: 3, updated: 4, available: 3, current: 4 } },
    ],
    [
      'an Argo Rollout tells its generation as a text',
      'Rollout',
      { status: { observedGeneration: '5' } },
      { observedGeneration: 5, strategy: 'Canary' },
    ],
    [
      'or as a hash, which is not yet seen',
      'Rollout',
      { metadata: { generation: 5 }, status: { observedGeneration: 'f7c' } },
      { observedGeneration: 0 },
    ],
    [
      'a Rollout that waits in a step is paused',
      'Rollout',
      { status: { pauseConditions: [{ reason: 'CanaryPauseStep' }] } },
      { paused: true },
    ],
    [
      'blue-green surges by all',
      'Rollout',
      { spec: { replicas: 4, strategy: { blueGreen: {} } } },
      { strategy: 'BlueGreen', maxSurge: 4 },
    ],
    [
      'restartAt is seen like an annotation',
      'Rollout',
      { spec: { restartAt: 't' } },
      { templateAnnotations: { 'kubectl.kubernetes.io/restartedAt': 't' } },
    ],
    ['paused', 'Deployment', { spec: { paused: true } }, { paused: true }],
  ];
  test.each(rows)('%s', (_row, kind, object, expected) => {
    expect(readWorkload(kind, object)).toMatchObject(expected);
  });

  test('init containers count where they ask for more than all others together', () => {
    const spec = {
      template: {
        spec: {
          containers: [{ resources: { requests: { cpu: '1' } } }, { resources: { requests: { cpu: '500m' } } }],
          initContainers: [{ resources: { requests: { cpu: '2', memory: '1Gi' } } }],
        },
      },
    };
    expect(readWorkload('Deployment', { spec }).podRequests).toMatchObject({
      'requests.cpu': 2,
      'requests.memory': 2 ** 30,
    });
  });

  test('a ReplicaSet is a revision', () => {
    expect(readReplicaSet(aReplicaSet())).toEqual({
      uid: 'rs-uid',
      controllerUid: 'deploy-uid',
      name: 'web-abc',
      namespace: 'shop',
      templateHash: 'abc',
      revision: 4,
      createdAtMs: Date.UTC(2026, 0, 5, 11, 0, 1),
      replicas: 3,
      readyReplicas: 3,
    });
  });
});

describe('surroundings', () => {
  test('autoscalers of three kinds', () => {
    const hpa = {
      metadata: { name: 'h', namespace: 'shop' },
      spec: { minReplicas: 2, maxReplicas: 9, scaleTargetRef: { kind: 'Deployment', name: 'web' } },
      status: { currentReplicas: 3 },
    };
    expect(readAutoscaler('HorizontalPodAutoscaler', hpa)).toEqual({
      namespace: 'shop',
      targetKind: 'Deployment',
      targetName: 'web',
      snapshot: { kind: 'HorizontalPodAutoscaler', name: 'h', minReplicas: 2, maxReplicas: 9, currentReplicas: 3 },
    });
    const keda = {
      metadata: { name: 'k', namespace: 'shop' },
      spec: { minReplicaCount: 0, maxReplicaCount: 5, scaleTargetRef: { name: 'web' } },
    };
    expect(readAutoscaler('ScaledObject', keda)).toMatchObject({
      targetKind: 'Deployment',
      snapshot: { minReplicas: 0, maxReplicas: 5 },
    });
    const vpa = {
      metadata: { name: 'v', namespace: 'shop' },
      spec: { targetRef: { kind: 'StatefulSet', name: 'db' } },
    };
    expect(readAutoscaler('VerticalPodAutoscaler', vpa)).toMatchObject({ targetKind: 'StatefulSet', targetName: 'db' });
  });

  test('a budget, a namespace, a node', () => {
    const budget = {
      metadata: { name: 'b', namespace: 'shop' },
      spec: { selector: {}, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
      status: { disruptionsAllowed: 1 },
    };
    expect(readBudget(budget)).toMatchObject({ disruptionsAllowed: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' });
    const namespace = {
      metadata: { name: 'shop', labels: { a: 'b' }, annotations: { 'healing.aegis.dev/exclude': 'true', other: 'x' } },
    };
    expect(readNamespace(namespace)).toEqual({
      name: 'shop',
      labels: { a: 'b' },
      annotations: { 'healing.aegis.dev/exclude': 'true' },
    });
    const node = {
      metadata: { name: 'n', labels: {} },
      spec: { unschedulable: true },
      status: {
        conditions: [
          { type: 'Ready', status: 'Unknown', lastTransitionTime: '2026-01-05T12:00:00Z' },
          { type: 'MemoryPressure', status: 'True' },
          { type: 'DiskPressure', status: 'False' },
        ],
      },
    };
    expect(readNode(node)).toEqual({
      name: 'n',
      labels: {},
      ready: 'Unknown',
      pressures: ['MemoryPressure'],
      unschedulable: true,
      readyChangedAtMs: Date.UTC(2026, 0, 5, 12),
    });
    expect(readNode({}).ready).toBe('Unknown');
  });

  const events: [string, object, object][] = [
    [
      'the classic form',
      { count: 4, lastTimestamp: '2026-01-05T12:00:04Z' },
      { count: 4, lastAtMs: Date.UTC(2026, 0, 5, 12, 0, 4) },
    ],
    [
      'the newer form',
      { eventTime: '2026-01-05T12:00:01.000000Z' },
      { count: 1, lastAtMs: Date.UTC(2026, 0, 5, 12, 0, 1) },
    ],
    [
      'a series',
      {
        eventTime: '2026-01-05T12:00:01.000000Z',
        series: { count: 7, lastObservedTime: '2026-01-05T12:00:09.000000Z' },
      },
      { count: 7, lastAtMs: Date.UTC(2026, 0, 5, 12, 0, 9) },
    ],
  ];
  test.each(events)('an event in %s', (_row, fields, expected) => {
    const event = {
      metadata: { namespace: 'shop' },
      type: 'Warning',
      reason: 'BackOff',
      message: 'm',
      involvedObject: { kind: 'Pod', name: 'p', uid: 'u' },
      ...fields,
    };
    expect(readEvent(event)).toMatchObject({
      namespace: 'shop',
      kind: 'Pod',
      name: 'p',
      uid: 'u',
      type: 'Warning',
      reason: 'BackOff',
      ...expected,
    });
  });
});

describe('room under quotas', () => {
  const quota = (hard: object, used: object = {}, spec: object = {}) =>
    readQuota({ metadata: { namespace: 'shop' }, spec, status: { hard, used } });
  const asked = { pods: 1, 'requests.cpu': 0.5, 'limits.memory': 2 ** 30 };
  const rows: [string, ReturnType<typeof quota>[], number | undefined][] = [
    ['no quota', [], undefined],
    ['pods', [quota({ pods: '10' }, { pods: '7' })], 3],
    ['count/pods is the same', [quota({ 'count/pods': '10' }, { 'count/pods': '9' })], 1],
    ['cpu means requests', [quota({ cpu: '4' }, { cpu: '2500m' })], 3],
    [
      'the tightest counts',
      [quota({ pods: '50', 'limits.memory': '3Gi' }, { 'limits.memory': '1Gi' }), quota({ pods: '9' })],
      2,
    ],
    ['spent', [quota({ pods: '3' }, { pods: '3' })], 0],
    ['overspent', [quota({ pods: '3' }, { pods: '5' })], 0],
    ['of other things', [quota({ services: '1' }, { services: '1' })], undefined],
    ['on pods that end', [quota({ pods: '0' }, {}, { scopes: ['Terminating'] })], undefined],
    ['on best-effort pods, which these are not', [quota({ pods: '0' }, {}, { scopes: ['BestEffort'] })], undefined],
    [
      'on pods of a priority, which these may have',
      [quota({ pods: '1' }, {}, { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass' }] } })],
      1,
    ],
  ];
  test.each(rows)('%s', (_row, quotas, left) => {
    expect(quotaPodsLeft(quotas, asked)).toBe(left);
  });
});

test('no shape of an object makes a reader throw', () => {
  const hostile = fc.object({
    key: fc.constantFrom(
      'metadata',
      'spec',
      'status',
      'containers',
      'labels',
      'conditions',
      'template',
      'hard',
      '__proto__',
      'name',
      'managedFields',
      'selector',
    ),
    maxDepth: 5,
  });
  fc.assert(
    fc.property(fc.oneof(hostile, fc.anything()), (object) => {
      readPod(object);
      for (const kind of WORKLOAD_KINDS) readWorkload(kind, object);
      for (const read of [readReplicaSet, readBudget, readQuota, readNamespace, readNode, readEvent]) read(object);
      readAutoscaler('ScaledObject', object);
    }),
    { numRuns: 500 },
  );
});
