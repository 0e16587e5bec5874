import { record, list } from '../../../src/kubernetes/json.ts';
import { apiVersionOf, RESOURCES, type Resource } from '../../../src/kubernetes/resources.ts';
import { asObserved, merged, statusTimes } from '../patch.ts';
import type { ObjectKind, Scenario, ScenarioObject, ScenarioWorkload } from '../schema.ts';

type Fields = Readonly<Record<string, unknown>>;

const OBJECTS: Readonly<Record<ObjectKind, Resource>> = {
  Service: RESOURCES.services,
  NetworkPolicy: RESOURCES.networkPolicies,
  ConfigMap: RESOURCES.configMaps,
  Certificate: RESOURCES.certificates,
  ExternalSecret: RESOURCES.externalSecrets,
  HTTPRoute: RESOURCES.httpRoutes,
  Ingress: RESOURCES.ingresses,
  BackendTrafficPolicy: RESOURCES.backendTrafficPolicies,
  EnvoyFilter: RESOURCES.envoyFilters,
};
export const resourceOf = (kind: ObjectKind): Resource => OBJECTS[kind];

/** The workload with pods that the rig's nodes run; `hostname`: on that node alone. */
export function workloadManifest(workload: ScenarioWorkload, namespace: string, hostname?: string): object {
  const { name, kind, pods, limits, set, podSpec } = workload;
  const quantities = limits === null ? undefined : { cpu: `${limits.cpu * 1000}m`, memory: String(limits.memory) };
  const containers = [
    { name: 'app', image: `example.invalid/${name}:1.0` },
    ...list(podSpec['containers']).map(record),
  ];
  const distinct = [...new Map(containers.map((each) => [each['name'], each])).values()];
  const resources = quantities === undefined ? {} : { resources: { limits: quantities } };
  const selector = { matchLabels: { app: name } };
  return {
    ...{ apiVersion: 'apps/v1', kind },
    metadata: {
      name,
      namespace,
      labels: { app: name, ...record(set['labels']) },
      annotations: record(set['annotations']),
    },
    spec: {
      ...(kind !== 'DaemonSet' && { replicas: pods }),
      ...(kind === 'StatefulSet' && { serviceName: name, podManagementPolicy: 'Parallel' }),
      selector,
      template: {
        metadata: { labels: { app: name } },
        spec: {
          ...podSpec,
          nodeSelector: { type: 'kwok', ...(hostname !== undefined && { 'kubernetes.io/hostname': hostname }) },
          terminationGracePeriodSeconds: 1,
          containers: distinct.map((container, i) => ({ ...container, ...(i === 0 && resources) })),
        },
      },
    },
  };
}

/** What the fields of a workload stand for: its autoscalers, its budgets, its quota. */
export function companions({ name, kind, pods }: ScenarioWorkload, set: Fields, namespace: string): readonly object[] {
  const target = { apiVersion: 'apps/v1', kind, name };
  const autoscalers = list(set['autoscalers']).map((each) => {
    const { name: own = name, minReplicas = 1, maxReplicas = 10 } = record(each);
    const resource = { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } };
    return {
      ...{ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name: own, namespace } },
      spec: { scaleTargetRef: target, minReplicas, maxReplicas, metrics: [{ type: 'Resource', resource }] },
    };
  });
  const budgets = list(set['disruptionBudgets']).map((each) => {
    const { name: own = name, disruptionsAllowed } = record(each);
    return {
      ...{ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: own, namespace } },
      spec: { minAvailable: pods - Number(disruptionsAllowed), selector: { matchLabels: { app: name } } },
    };
  });
  const left = set['quotaPodsLeft'];
  const quota = {
    ...{ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'pods', namespace } },
    spec: { hard: { pods: String(pods + Number(left)) } },
  };
  return [...autoscalers, ...budgets, ...(left === undefined ? [] : [quota])];
}

/** Pods of a gateway, in the only namespace that an installation for single namespaces looks for them. */
export function proxies(namespace: string, { spec }: ScenarioObject, count: number): readonly object[] {
  return list(record(spec)['parentRefs']).map((parent) => {
    const { name, namespace: at = namespace } = record(parent);
    const labels = {
      app: `proxy-${String(name)}`,
      'gateway.envoyproxy.io/owning-gateway-name': String(name),
      'gateway.envoyproxy.io/owning-gateway-namespace': String(at),
    };
    return {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: labels.app, namespace } },
      spec: {
        ...{ replicas: count, selector: { matchLabels: { app: labels.app } } },
        template: {
          metadata: { labels },
          spec: { nodeSelector: { type: 'kwok' }, containers: [{ name: 'envoy', image: 'example.invalid/envoy:1.0' }] },
        },
      },
    };
  });
}

/** An object as the API server takes it: without its status, which is written apart. */
export function objectManifest(object: ScenarioObject, namespace: string): object {
  const { status: _, ...rest } = object;
  return { ...rest, apiVersion: apiVersionOf(OBJECTS[object.kind]), metadata: { ...object.metadata, namespace } };
}

/** Its status with real times; conditions get what the API server demands of them. */
export function objectStatus(object: ScenarioObject, nowMs: number): object | undefined {
  const { status } = statusTimes(asObserved(object), nowMs);
  return status === undefined ? undefined : (complete(status) as object);
}

function complete(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(complete);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.fromEntries(Object.entries(value).map(([name, each]) => [name, complete(each)]));
  if (!('type' in fields && 'status' in fields)) return fields;
  return { reason: 'Scenario', message: '', lastTransitionTime: new Date().toISOString(), ...fields };
}

type Manifest = Scenario['policies'][number];

/** The policy as its owner would apply it, with logs from where the rig keeps them. */
export function policyManifest({ metadata, spec }: Manifest, namespace: string): object {
  const logs = { diagnosis: { logs: { source: 'Loki' } } };
  return {
    ...{ apiVersion: 'healing.aegis.dev/v1alpha1', kind: 'AegisHealingPolicy' },
    metadata: { ...metadata, namespace },
    spec: merged(logs, spec),
  };
}

export const GUARDRAIL_CONFIG_MAP = 'aegis-guardrail';

/** A guardrail of an installation for single namespaces: a ConfigMap, a key for each field of the spec (ADR 0036). */
export function guardrailConfigMap(spec: unknown, namespace: string): object {
  const data = Object.fromEntries(Object.entries(record(spec)).map(([key, value]) => [key, JSON.stringify(value)]));
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: GUARDRAIL_CONFIG_MAP, namespace }, data };
}
