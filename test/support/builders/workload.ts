import type {
  ContainerSnapshot,
  NodeSnapshot,
  PodRef,
  PodSnapshot,
  WorkloadRef,
  WorkloadSnapshot,
} from '../../../src/lib/workload.ts';

/** A Wednesday, noon: 2025-06-04T12:00:00Z. */
export const NOW = Date.parse('2025-06-04T12:00:00Z');
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const REF: WorkloadRef = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  namespace: 'shop',
  name: 'checkout',
  uid: 'w-checkout',
};

export function aContainer(over: Partial<ContainerSnapshot> = {}): ContainerSnapshot {
  return {
    name: 'app',
    image: 'shop/checkout:1',
    init: false,
    ready: true,
    restartCount: 0,
    state: 'running',
    ...over,
  };
}

/** A ready pod of the workload, a day old: `pod-0` with the UID `uid-0`. */
export function aPod(index: number, over: Partial<PodSnapshot> = {}): PodSnapshot {
  return {
    name: `pod-${index}`,
    uid: `uid-${index}`,
    namespace: REF.namespace,
    phase: 'Running',
    ready: true,
    createdAtMs: NOW - DAY,
    nodeName: 'node-a',
    hostNetwork: false,
    templateHash: 'abc',
    controllerKind: 'ReplicaSet',
    labels: {},
    annotations: {},
    conditions: [],
    containers: [aContainer()],
    ...over,
  };
}
export const podRef = (index: number): PodRef => ({ name: `pod-${index}`, uid: `uid-${index}` });

export const somePods = (count: number, over: Partial<PodSnapshot> = {}): PodSnapshot[] =>
  Array.from({ length: count }, (_, index) => aPod(index, over));

export const aNode = (over: Partial<NodeSnapshot> = {}): NodeSnapshot => ({
  name: 'node-a',
  ready: 'True',
  pressures: [],
  unschedulable: false,
  labels: {},
  ...over,
});

/** A Deployment of four ready pods that nobody else scales; its numbers follow the pods that are given. */
export function aWorkload(over: Partial<WorkloadSnapshot> = {}): WorkloadSnapshot {
  const pods = over.pods ?? somePods(4);
  const count = pods.length;
  return {
    ref: REF,
    resourceVersion: '42',
    generation: 3,
    observedGeneration: 3,
    createdAtMs: NOW - 30 * DAY,
    labels: { app: 'checkout' },
    annotations: {},
    namespaceLabels: { team: 'shop' },
    namespaceAnnotations: {},
    replicas: {
      desired: count,
      current: count,
      updated: count,
      ready: pods.filter(({ ready }) => ready).length,
      available: count,
    },
    paused: false,
    strategy: 'RollingUpdate',
    maxSurge: 1,
    conditions: [],
    revisions: [],
    autoscalers: [],
    autoscalersKnown: true,
    replicasManagers: ['kubectl'],
    disruptionBudgets: [],
    ...over,
    pods,
  };
}

/** The same workload with other numbers of replicas. */
export const withReplicas = (
  workload: WorkloadSnapshot,
  replicas: Partial<WorkloadSnapshot['replicas']>,
): WorkloadSnapshot => ({ ...workload, replicas: { ...workload.replicas, ...replicas } });
