import type { ContainerSnapshot, PodCondition, PodSnapshot, TerminationSnapshot } from '../lib/workload.ts';
import {
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
import { quantity } from './quantity.ts';

/** A pod with the UID of the object that controls it, by which it is found. */
export interface CachedPod {
  readonly snapshot: PodSnapshot;
  readonly controllerUid: string;
}

const PHASES = ['Pending', 'Running', 'Succeeded', 'Failed'] as const;
const LONGEST_ANNOTATION = 512;
const LONGEST_MESSAGE = 1_024;

export function readPod(object: unknown): CachedPod {
  const meta = at(object, 'metadata');
  const spec = at(object, 'spec');
  const status = at(object, 'status');
  const conditions = readConditions(status.conditions);
  const labels = stringMap(meta.labels);
  const controller = controllerOf(object);
  const { name, namespace, uid } = metaOf(object);
  const snapshot: PodSnapshot = {
    name,
    namespace,
    uid,
    phase: PHASES.find((phase) => phase === status.phase) ?? 'Unknown',
    ready: conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
    createdAtMs: optionalTime(meta.creationTimestamp) ?? 0,
    hostNetwork: spec.hostNetwork === true,
    labels,
    annotations: shortAnnotations(meta.annotations),
    conditions,
    containers: readContainers(spec, status),
    ...present({
      reason: optionalText(status.reason),
      deletedAtMs: optionalTime(meta.deletionTimestamp),
      nodeName: optionalText(spec.nodeName),
      podIP: optionalText(status.podIP),
      templateHash:
        labels['pod-template-hash'] ?? labels['rollouts-pod-template-hash'] ?? labels['controller-revision-hash'],
      controllerKind: controller?.kind,
      terminationGracePeriodSeconds: optionalCount(spec.terminationGracePeriodSeconds),
    }),
  };
  return { snapshot, controllerUid: controller?.uid ?? '' };
}

/** What `kubectl apply` keeps for itself, and texts that no rule reads, are not kept: there may be 30,000 pods. */
export function shortAnnotations(value: unknown): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {};
  for (const [key, entry] of Object.entries(stringMap(value))) {
    if (key !== 'kubectl.kubernetes.io/last-applied-configuration' && entry.length <= LONGEST_ANNOTATION)
      kept[key] = entry;
  }
  return kept;
}

export function readConditions(value: unknown): readonly PodCondition[] {
  return list(value).map((entry) => {
    const condition = record(entry);
    return {
      type: text(condition.type),
      status: condition.status === 'True' || condition.status === 'False' ? condition.status : 'Unknown',
      ...present({
        reason: optionalText(condition.reason),
        message: optionalText(condition.message)?.slice(0, LONGEST_MESSAGE),
        changedAtMs: optionalTime(condition.lastTransitionTime),
      }),
    };
  });
}

function readContainers(spec: ReturnType<typeof record>, status: ReturnType<typeof record>): ContainerSnapshot[] {
  const of = (specs: unknown, statuses: unknown, init: boolean): ContainerSnapshot[] => {
    const byName = new Map(list(statuses).map((entry) => [text(record(entry).name), record(entry)]));
    return list(specs).map((entry) => readContainer(record(entry), byName.get(text(record(entry).name)) ?? {}, init));
  };
  return [
    ...of(spec.initContainers, status.initContainerStatuses, true),
    ...of(spec.containers, status.containerStatuses, false),
  ];
}

function readContainer(
  spec: ReturnType<typeof record>,
  status: ReturnType<typeof record>,
  init: boolean,
): ContainerSnapshot {
  const state = record(status.state);
  const waiting = record(state.waiting);
  const requests = at(spec, 'resources', 'requests');
  const limits = at(spec, 'resources', 'limits');
  return {
    name: text(spec.name),
    image: text(spec.image),
    init,
    ready: status.ready === true,
    restartCount: count(status.restartCount),
    state: stateOf(state),
    ...present({
      waitingReason: optionalText(waiting.reason),
      waitingMessage: optionalText(waiting.message)?.slice(0, LONGEST_MESSAGE),
      startedAtMs: optionalTime(at(state, 'running').startedAt),
      termination: readTermination(state.terminated),
      lastTermination: readTermination(at(status, 'lastState').terminated),
      // A limit without a request is the request: the API server fills it in on creation.
      cpuRequest: quantity(requests.cpu),
      cpuLimit: quantity(limits.cpu),
      memoryRequest: quantity(requests.memory),
      memoryLimit: quantity(limits.memory),
    }),
  };
}

function stateOf(state: ReturnType<typeof record>): ContainerSnapshot['state'] {
  if (state.running !== undefined) return 'running';
  if (state.waiting !== undefined) return 'waiting';
  return state.terminated === undefined ? 'unknown' : 'terminated';
}

function readTermination(value: unknown): TerminationSnapshot | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const ended = record(value);
  return {
    reason: text(ended.reason),
    exitCode: count(ended.exitCode),
    ...present({
      message: optionalText(ended.message)?.slice(0, LONGEST_MESSAGE),
      startedAtMs: optionalTime(ended.startedAt),
      finishedAtMs: optionalTime(ended.finishedAt),
    }),
  };
}
