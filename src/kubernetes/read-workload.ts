import type { WorkloadKind, WorkloadSnapshot } from '../lib/workload.ts';
import {
  type Json,
  at,
  controllerOf,
  count,
  list,
  metaOf,
  optionalCount,
  optionalText,
  optionalTime,
  present,
  record,
  stringMap,
  text,
} from './json.ts';
import { type Selector, readSelector } from './label-selector.ts';
import { quantity } from './quantity.ts';
import { readConditions, shortAnnotations } from './read-pod.ts';
import { WORKLOAD_RESOURCES, apiVersionOf } from './resources.ts';

/** What the workload's own object says: a snapshot without what other objects add. */
export type CachedWorkload = Omit<
  WorkloadSnapshot,
  | 'namespaceLabels'
  | 'namespaceAnnotations'
  | 'revisions'
  | 'autoscalers'
  | 'autoscalersKnown'
  | 'disruptionBudgets'
  | 'pods'
  | 'quotaPodsLeft'
> & {
  /** Selects the pods; never empty in a valid object. */
  readonly selector: Selector;
  readonly templateLabels: Readonly<Record<string, string>>;
  /** What one pod asks of a quota: resource name -> base units. */
  readonly podRequests: Readonly<Record<string, number>>;
};

/** A ReplicaSet as a revision of its Deployment or Rollout. */
export interface CachedReplicaSet {
  readonly uid: string;
  readonly controllerUid: string;
  readonly name: string;
  readonly namespace: string;
  readonly templateHash?: string;
  readonly revision?: number;
  readonly createdAtMs: number;
  readonly replicas: number;
  readonly readyReplicas: number;
}

/** Annotations of the pod template that tell of restarts; the others are not kept. */
const KEPT_TEMPLATE_ANNOTATIONS = ['kubectl.kubernetes.io/restartedAt', 'healing.aegis.dev/action'];

export function readWorkload(kind: WorkloadKind, object: unknown): CachedWorkload {
  const meta = at(object, 'metadata');
  const spec = at(object, 'spec');
  const status = at(object, 'status');
  const { name, namespace, uid, resourceVersion } = metaOf(object);
  const replicas = readReplicas(kind, spec, status);
  return {
    ref: { apiVersion: apiVersionOf(WORKLOAD_RESOURCES[kind]), kind, namespace, name, uid },
    resourceVersion,
    generation: count(meta.generation),
    observedGeneration: observedGeneration(status.observedGeneration),
    createdAtMs: optionalTime(meta.creationTimestamp) ?? 0,
    labels: stringMap(meta.labels),
    annotations: shortAnnotations(meta.annotations),
    replicas,
    paused: spec.paused === true || list(status.pauseConditions).length > 0,
    strategy: readStrategy(kind, spec),
    maxSurge: readSurge(kind, spec, replicas.desired),
    conditions: readConditions(status.conditions),
    replicasManagers: replicasManagers(meta.managedFields),
    selector: readSelector(spec.selector) ?? { matchLabels: {}, matchExpressions: [] },
    templateLabels: stringMap(at(spec, 'template', 'metadata').labels),
    templateAnnotations: templateAnnotations(kind, spec),
    podRequests: podRequests(at(spec, 'template', 'spec')),
  };
}

/** Argo writes it as a text, and older versions as a hash: then the newest state counts as not yet seen. */
function observedGeneration(value: unknown): number {
  const number = typeof value === 'string' ? Number(value) : value;
  return count(number, 0);
}

function readReplicas(kind: WorkloadKind, spec: Json, status: Json): WorkloadSnapshot['replicas'] {
  if (kind === 'DaemonSet') {
    return {
      desired: count(status.desiredNumberScheduled),
      current: count(status.currentNumberScheduled),
      updated: count(status.updatedNumberScheduled),
      ready: count(status.numberReady),
      available: count(status.numberAvailable),
    };
  }
  const desired = count(spec.replicas, 1);
  // Pods below the partition keep their revision on purpose: they are as updated as they will be.
  const partition = kind === 'StatefulSet' ? count(at(spec, 'updateStrategy', 'rollingUpdate').partition) : 0;
  const updated = count(status.updatedReplicas);
  return {
    desired,
    current: count(status.replicas),
    updated: partition > 0 ? Math.min(desired, updated + Math.min(partition, desired)) : updated,
    ready: count(status.readyReplicas),
    // Old API servers do not count availability for StatefulSets.
    available: optionalCount(status.availableReplicas) ?? (kind === 'StatefulSet' ? count(status.readyReplicas) : 0),
  };
}

function readStrategy(kind: WorkloadKind, spec: Json): WorkloadSnapshot['strategy'] {
  if (kind === 'Rollout') return at(spec, 'strategy').blueGreen === undefined ? 'Canary' : 'BlueGreen';
  const type = kind === 'Deployment' ? at(spec, 'strategy').type : at(spec, 'updateStrategy').type;
  return type === 'Recreate' || type === 'OnDelete' ? type : 'RollingUpdate';
}

function readSurge(kind: WorkloadKind, spec: Json, desired: number): number {
  switch (kind) {
    case 'Deployment':
      return at(spec, 'strategy').type === 'Recreate'
        ? 0
        : share(at(spec, 'strategy', 'rollingUpdate').maxSurge, '25%', desired);
    case 'Rollout':
      // Blue-green brings up the whole new set beside the old one.
      if (at(spec, 'strategy').blueGreen !== undefined) return desired;
      return share(at(spec, 'strategy', 'canary').maxSurge, '25%', desired);
    case 'DaemonSet':
      return share(at(spec, 'updateStrategy', 'rollingUpdate').maxSurge, 0, desired);
    case 'StatefulSet':
      return 0;
  }
}

/** An int-or-percent of the desired replicas, rounded up as Kubernetes rounds a surge. */
function share(value: unknown, fallback: string | number, of: number): number {
  const given = typeof value === 'number' || typeof value === 'string' ? value : fallback;
  if (typeof given === 'number') return Math.max(0, Math.floor(given));
  const percent = /^(\d{1,3})%$/.exec(given)?.[1];
  return percent === undefined ? 0 : Math.ceil((Number(percent) / 100) * of);
}

/** Who owns `spec.replicas`: the managers that wrote it, directly or through the scale subresource. */
function replicasManagers(managedFields: unknown): readonly string[] {
  const names = new Set<string>();
  for (const entry of list(managedFields)) {
    const manager = text(record(entry).manager);
    if (manager !== '' && at(record(entry).fieldsV1, 'f:spec')['f:replicas'] !== undefined) names.add(manager);
  }
  return [...names];
}

function templateAnnotations(kind: WorkloadKind, spec: Json): Readonly<Record<string, string>> {
  const all = stringMap(at(spec, 'template', 'metadata').annotations);
  const kept: Record<string, string> = {};
  for (const key of KEPT_TEMPLATE_ANNOTATIONS) if (all[key] !== undefined) kept[key] = all[key];
  const restartAt = kind === 'Rollout' ? optionalText(spec.restartAt) : undefined;
  return restartAt === undefined ? kept : { ...kept, 'kubectl.kubernetes.io/restartedAt': restartAt };
}

/** Requests and limits as quotas count them: the larger of all containers together and each init container. */
function podRequests(podSpec: Json): Readonly<Record<string, number>> {
  const total: Record<string, number> = { pods: 1 };
  const largest: Record<string, number> = {};
  const each = (container: unknown, add: (key: string, amount: number) => void): void => {
    for (const group of ['requests', 'limits']) {
      for (const [name, value] of Object.entries(at(container, 'resources', group))) {
        add(`${group}.${name}`, quantity(value) ?? 0);
      }
    }
  };
  for (const container of list(podSpec.containers)) each(container, (key, n) => (total[key] = (total[key] ?? 0) + n));
  for (const container of list(podSpec.initContainers)) {
    each(container, (key, n) => (largest[key] = Math.max(largest[key] ?? 0, n)));
  }
  for (const [key, n] of Object.entries(largest)) total[key] = Math.max(total[key] ?? 0, n);
  return total;
}

export function readReplicaSet(object: unknown): CachedReplicaSet {
  const meta = at(object, 'metadata');
  const { name, namespace, uid } = metaOf(object);
  const labels = stringMap(meta.labels);
  const annotations = record(meta.annotations);
  const revision = Number(
    text(annotations['deployment.kubernetes.io/revision']) ||
      text(annotations['rollout.argoproj.io/revision']) ||
      'NaN',
  );
  return {
    uid,
    name,
    namespace,
    controllerUid: controllerOf(object)?.uid ?? '',
    createdAtMs: optionalTime(meta.creationTimestamp) ?? 0,
    replicas: count(at(object, 'status').replicas),
    readyReplicas: count(at(object, 'status').readyReplicas),
    ...present({
      templateHash: optionalText(labels['pod-template-hash'] ?? labels['rollouts-pod-template-hash']),
      revision: Number.isFinite(revision) ? revision : undefined,
    }),
  };
}
