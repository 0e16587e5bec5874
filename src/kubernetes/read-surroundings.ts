import type { AutoscalerSnapshot, ClusterEvent, NodeSnapshot } from '../lib/workload.ts';
import {
  at,
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
import { readConditions } from './read-pod.ts';

/** An autoscaler with the workload that it scales. */
export interface CachedAutoscaler {
  readonly namespace: string;
  readonly targetKind: string;
  readonly targetName: string;
  readonly snapshot: AutoscalerSnapshot;
}

export interface CachedBudget {
  readonly namespace: string;
  readonly name: string;
  readonly selector: Selector | undefined;
  readonly disruptionsAllowed: number;
  readonly unhealthyPodEvictionPolicy?: string;
}

/** A ResourceQuota: what is left of each constrained resource, in base units. */
export interface CachedQuota {
  readonly namespace: string;
  readonly scopes: readonly string[];
  readonly left: Readonly<Record<string, number>>;
}

export interface CachedNamespace {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export function readAutoscaler(kind: AutoscalerSnapshot['kind'], object: unknown): CachedAutoscaler {
  const spec = at(object, 'spec');
  const target = record(kind === 'VerticalPodAutoscaler' ? spec.targetRef : spec.scaleTargetRef);
  const keda = kind === 'ScaledObject';
  const { name, namespace } = metaOf(object);
  return {
    namespace,
    // KEDA leaves the kind out when it means a Deployment.
    targetKind: optionalText(target.kind) ?? (keda ? 'Deployment' : ''),
    targetName: text(target.name),
    snapshot: {
      kind,
      name,
      ...present({
        minReplicas: optionalCount(keda ? spec.minReplicaCount : spec.minReplicas),
        maxReplicas: optionalCount(keda ? spec.maxReplicaCount : spec.maxReplicas),
        currentReplicas: optionalCount(at(object, 'status').currentReplicas),
      }),
    },
  };
}

export function readBudget(object: unknown): CachedBudget {
  const spec = at(object, 'spec');
  const { name, namespace } = metaOf(object);
  return {
    name,
    namespace,
    selector: readSelector(spec.selector),
    disruptionsAllowed: count(at(object, 'status').disruptionsAllowed),
    ...present({ unhealthyPodEvictionPolicy: optionalText(spec.unhealthyPodEvictionPolicy) }),
  };
}

export function readQuota(object: unknown): CachedQuota {
  const hard = at(object, 'status', 'hard');
  const used = at(object, 'status', 'used');
  const left: Record<string, number> = {};
  for (const [name, value] of Object.entries(hard)) {
    const most = quantity(value);
    if (most !== undefined) left[quotaKey(name)] = Math.max(0, most - (quantity(used[name]) ?? 0));
  }
  const scoped = list(at(object, 'spec', 'scopeSelector').matchExpressions).map((e) => text(record(e).scopeName));
  return {
    namespace: metaOf(object).namespace,
    scopes: [...list(at(object, 'spec').scopes).map(text), ...scoped],
    left,
  };
}

/** `cpu` means `requests.cpu`, and `count/pods` the same as `pods`. */
function quotaKey(name: string): string {
  if (name === 'cpu' || name === 'memory') return `requests.${name}`;
  return name === 'count/pods' ? 'pods' : name;
}

export function readNamespace(object: unknown): CachedNamespace {
  const meta = at(object, 'metadata');
  return {
    name: metaOf(object).name,
    labels: stringMap(meta.labels),
    // Only Aegis's own keys are ever asked for.
    annotations: Object.fromEntries(
      Object.entries(stringMap(meta.annotations)).filter(([key]) => key.startsWith('healing.aegis.dev/')),
    ),
  };
}

export function readNode(object: unknown): NodeSnapshot {
  const conditions = readConditions(at(object, 'status').conditions);
  const ready = conditions.find((condition) => condition.type === 'Ready');
  return {
    name: metaOf(object).name,
    ready: ready?.status ?? 'Unknown',
    pressures: conditions
      .filter((each) => each.type.endsWith('Pressure') && each.status === 'True')
      .map((each) => each.type),
    unschedulable: at(object, 'spec').unschedulable === true,
    labels: stringMap(at(object, 'metadata').labels),
    ...present({ readyChangedAtMs: ready?.changedAtMs }),
  };
}

const LONGEST_EVENT_MESSAGE = 1_024;

/** A core/v1 Event; the newer API writes the same objects with other fields filled in. */
export function readEvent(object: unknown): ClusterEvent {
  const event = record(object);
  const about = record(event.involvedObject);
  const series = record(event.series);
  return {
    namespace: metaOf(object).namespace,
    kind: text(about.kind),
    name: text(about.name),
    type: text(event.type),
    reason: text(event.reason),
    message: text(event.message).slice(0, LONGEST_EVENT_MESSAGE),
    lastAtMs:
      optionalTime(series.lastObservedTime) ??
      optionalTime(event.lastTimestamp) ??
      optionalTime(event.eventTime) ??
      optionalTime(at(object, 'metadata').creationTimestamp) ??
      0,
    count: Math.max(count(series.count), count(event.count), 1),
    ...present({ uid: optionalText(about.uid) }),
  };
}
