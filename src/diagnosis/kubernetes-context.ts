/**
 * Kubernetes evidence that a caller of the REST API sends in `context.kubernetes`. Nothing in it is trusted further
 * than for naming a failure: what has the wrong type is left out, lists are cut, text is data.
 *
 *     { "workload": { "kind": "Deployment", "namespace": "shop", "name": "checkout", "desired": 3, "ready": 2 },
 *       "pods": [{ "name": "checkout-1", "phase": "Running", "ready": false, "restarts": 7, "node": "n1",
 *                  "waiting_reason": "CrashLoopBackOff", "last_termination_reason": "Error", "exit_code": 1,
 *                  "template_hash": "abc", "unschedulable": "0/5 nodes are available" }],
 *       "events": [{ "reason": "FailedScheduling", "message": "…", "kind": "Pod", "name": "checkout-1" }],
 *       "nodes": [{ "name": "n1", "ready": "True", "pressures": ["MemoryPressure"] }],
 *       "changes": [{ "kind": "config", "name": "settings", "timestamp": "2026-01-01T11:55:00Z" }] }
 */
import { WORKLOAD_KINDS } from '../lib/workload.ts';
import type {
  ClusterEvent,
  ContainerSnapshot,
  NodeSnapshot,
  PodCondition,
  PodSnapshot,
  TerminationSnapshot,
  WorkloadSnapshot,
} from '../lib/workload.ts';
import type { Change, DiagnosisInput } from './evidence.ts';
import { present } from './present.ts';

const MAX_ITEMS = 200;
const MAX_TEXT = 1024;

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const listOf = (value: unknown): readonly Fields[] =>
  Array.isArray(value) ? value.slice(0, MAX_ITEMS).filter(isObject) : [];

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value.slice(0, MAX_TEXT) : undefined;

const countOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.min(Math.trunc(value), 1e6) : undefined;

function timeOf(value: unknown): number | undefined {
  const text = textOf(value);
  const atMs = text === undefined ? NaN : Date.parse(text);
  return Number.isFinite(atMs) ? atMs : undefined;
}

const oneOf = <T extends string>(allowed: readonly T[], value: unknown): T | undefined =>
  allowed.find((each) => each === value);

/** The fields of a diagnosis input that Kubernetes speaks for; undefined: nothing usable was sent. */
export type KubernetesEvidence = Pick<DiagnosisInput, 'workload' | 'events' | 'nodes' | 'changes'>;

/** Reads `context.kubernetes`. `nowMs` dates what carries no time of its own. */
export function readKubernetesContext(value: unknown, nowMs: number): KubernetesEvidence | undefined {
  if (!isObject(value)) return undefined;
  const pods = listOf(value['pods']).flatMap((each) => podOf(each, nowMs) ?? []);
  const events = listOf(value['events']).flatMap((each) => eventOf(each, nowMs) ?? []);
  const nodes = listOf(value['nodes']).flatMap((each) => nodeOf(each) ?? []);
  const changes = listOf(value['changes']).flatMap((each) => changeOf(each) ?? []);
  const described = isObject(value['workload']) ? value['workload'] : {};
  if (pods.length + events.length + nodes.length + changes.length === 0) return undefined;
  const workload = workloadOf(described, pods);
  return {
    workload,
    // Events without an object are taken to be about this workload: nobody else's were asked for.
    events: events.map((event) => ({
      ...event,
      namespace: workload.ref.namespace,
      ...(event.name === '' ? { kind: workload.ref.kind, name: workload.ref.name } : {}),
    })),
    nodes,
    changes,
  };
}

function endOf(fields: Fields): TerminationSnapshot | undefined {
  const reason = textOf(fields['last_termination_reason']);
  const exitCode = countOf(fields['exit_code']);
  if (reason === undefined && exitCode === undefined) return undefined;
  return { reason: reason ?? 'Error', exitCode: exitCode ?? (reason === 'OOMKilled' ? 137 : 1) };
}

const PHASES = ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'] as const;

function containerOf(fields: Fields, ready: boolean): ContainerSnapshot {
  const waitingReason = textOf(fields['waiting_reason']);
  return {
    name: textOf(fields['container']) ?? 'CONTAINER',
    image: textOf(fields['image']) ?? '',
    init: false,
    ready,
    restartCount: countOf(fields['restarts']) ?? 0,
    state: waitingReason === undefined ? 'unknown' : 'waiting',
    ...present({ waitingReason, lastTermination: endOf(fields) }),
  };
}

const unscheduled = (message: string): PodCondition => ({
  type: 'PodScheduled',
  status: 'False',
  reason: 'Unschedulable',
  message,
});

function podOf(fields: Fields, nowMs: number): PodSnapshot | undefined {
  const name = textOf(fields['name']);
  if (name === undefined) return undefined;
  const unschedulable = textOf(fields['unschedulable']);
  const phase = oneOf(PHASES, fields['phase']) ?? (unschedulable === undefined ? 'Running' : 'Pending');
  const seemsReady = textOf(fields['waiting_reason']) === undefined && phase === 'Running';
  const ready = typeof fields['ready'] === 'boolean' ? fields['ready'] : seemsReady;
  return {
    name,
    uid: name,
    namespace: '',
    phase,
    ready,
    createdAtMs: timeOf(fields['created_at']) ?? nowMs,
    hostNetwork: false,
    labels: {},
    annotations: {},
    conditions: unschedulable === undefined ? [] : [unscheduled(unschedulable)],
    containers: [containerOf(fields, ready)],
    ...present({
      reason: textOf(fields['reason']),
      nodeName: textOf(fields['node']),
      templateHash: textOf(fields['template_hash']),
    }),
  };
}

function eventOf(fields: Fields, nowMs: number): ClusterEvent | undefined {
  const reason = textOf(fields['reason']);
  if (reason === undefined) return undefined;
  return {
    namespace: '',
    kind: textOf(fields['kind']) ?? '',
    name: textOf(fields['name']) ?? '',
    type: textOf(fields['type']) ?? 'Warning',
    reason,
    message: textOf(fields['message']) ?? '',
    lastAtMs: timeOf(fields['timestamp']) ?? nowMs,
    count: countOf(fields['count']) ?? 1,
  };
}

function nodeOf(fields: Fields): NodeSnapshot | undefined {
  const name = textOf(fields['name']);
  if (name === undefined) return undefined;
  const ready = fields['ready'];
  const pressures = Array.isArray(fields['pressures']) ? fields['pressures'].slice(0, 10) : [];
  return {
    name,
    ready: ready === false ? 'False' : (oneOf(['True', 'False', 'Unknown'] as const, ready) ?? 'True'),
    pressures: pressures.flatMap((each) => textOf(each) ?? []),
    unschedulable: fields['unschedulable'] === true,
    labels: {},
  };
}

const CHANGE_KINDS: readonly Change['kind'][] = [
  'template',
  'image',
  'config',
  'secret',
  'service',
  'network-policy',
  'node',
  'scale',
  'certificate',
];

function changeOf(fields: Fields): Change | undefined {
  const kind = oneOf(CHANGE_KINDS, fields['kind']);
  const name = textOf(fields['name']);
  const atMs = timeOf(fields['timestamp']);
  return kind === undefined || name === undefined || atMs === undefined ? undefined : { kind, name, atMs };
}

function workloadOf(fields: Fields, pods: readonly PodSnapshot[]): WorkloadSnapshot {
  const ready = countOf(fields['ready']) ?? pods.filter((pod) => pod.ready).length;
  const desired = countOf(fields['desired']) ?? pods.length;
  const namespace = textOf(fields['namespace']) ?? '';
  const kind = oneOf(WORKLOAD_KINDS, fields['kind']) ?? 'Deployment';
  return {
    ref: { apiVersion: 'apps/v1', kind, namespace, name: textOf(fields['name']) ?? 'NAME', uid: '' },
    resourceVersion: '',
    generation: 0,
    observedGeneration: 0,
    createdAtMs: 0,
    labels: {},
    annotations: {},
    namespaceLabels: {},
    namespaceAnnotations: {},
    replicas: { desired, current: pods.length, updated: pods.length, ready, available: ready },
    paused: false,
    strategy: 'RollingUpdate',
    maxSurge: 0,
    conditions: [],
    revisions: [],
    autoscalers: [],
    autoscalersKnown: false,
    replicasManagers: [],
    disruptionBudgets: [],
    pods: pods.map((pod) => ({ ...pod, namespace })),
  };
}
