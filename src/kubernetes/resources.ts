import { GROUP, PLURALS, VERSION } from '../api/v1alpha1/labels.ts';
import type { WorkloadKind } from '../lib/workload.ts';

/** A kind of object as the API server names it. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

const namespaced = (group: string, version: string, plural: string, kind: string): Resource => ({
  group,
  version,
  plural,
  kind,
  namespaced: true,
});
const clusterWide = (group: string, version: string, plural: string, kind: string): Resource => ({
  group,
  version,
  plural,
  kind,
  namespaced: false,
});

/** Every resource that Aegis ever names in a request. */
export const RESOURCES = {
  policies: namespaced(GROUP, VERSION, PLURALS.AegisHealingPolicy, 'AegisHealingPolicy'),
  actions: namespaced(GROUP, VERSION, PLURALS.AegisHealingAction, 'AegisHealingAction'),
  guardrails: clusterWide(GROUP, VERSION, PLURALS.AegisGuardrail, 'AegisGuardrail'),
  pods: namespaced('', 'v1', 'pods', 'Pod'),
  namespaces: clusterWide('', 'v1', 'namespaces', 'Namespace'),
  nodes: clusterWide('', 'v1', 'nodes', 'Node'),
  quotas: namespaced('', 'v1', 'resourcequotas', 'ResourceQuota'),
  coreEvents: namespaced('', 'v1', 'events', 'Event'),
  events: namespaced('events.k8s.io', 'v1', 'events', 'Event'),
  deployments: namespaced('apps', 'v1', 'deployments', 'Deployment'),
  statefulSets: namespaced('apps', 'v1', 'statefulsets', 'StatefulSet'),
  daemonSets: namespaced('apps', 'v1', 'daemonsets', 'DaemonSet'),
  replicaSets: namespaced('apps', 'v1', 'replicasets', 'ReplicaSet'),
  rollouts: namespaced('argoproj.io', 'v1alpha1', 'rollouts', 'Rollout'),
  autoscalers: namespaced('autoscaling', 'v2', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler'),
  scaledObjects: namespaced('keda.sh', 'v1alpha1', 'scaledobjects', 'ScaledObject'),
  verticalAutoscalers: namespaced('autoscaling.k8s.io', 'v1', 'verticalpodautoscalers', 'VerticalPodAutoscaler'),
  disruptionBudgets: namespaced('policy', 'v1', 'poddisruptionbudgets', 'PodDisruptionBudget'),
  services: namespaced('', 'v1', 'services', 'Service'),
  ingresses: namespaced('networking.k8s.io', 'v1', 'ingresses', 'Ingress'),
  httpRoutes: namespaced('gateway.networking.k8s.io', 'v1', 'httproutes', 'HTTPRoute'),
  backendTrafficPolicies: namespaced(
    'gateway.envoyproxy.io',
    'v1alpha1',
    'backendtrafficpolicies',
    'BackendTrafficPolicy',
  ),
  envoyFilters: namespaced('networking.istio.io', 'v1alpha3', 'envoyfilters', 'EnvoyFilter'),
  endpointSlices: namespaced('discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice'),
  networkPolicies: namespaced('networking.k8s.io', 'v1', 'networkpolicies', 'NetworkPolicy'),
  configMaps: namespaced('', 'v1', 'configmaps', 'ConfigMap'),
  certificates: namespaced('cert-manager.io', 'v1', 'certificates', 'Certificate'),
  externalSecrets: namespaced('external-secrets.io', 'v1', 'externalsecrets', 'ExternalSecret'),
  /** Of releases before 0.16. */
  externalSecretsBeta: namespaced('external-secrets.io', 'v1beta1', 'externalsecrets', 'ExternalSecret'),
  leases: namespaced('coordination.k8s.io', 'v1', 'leases', 'Lease'),
  accessReviews: clusterWide('authorization.k8s.io', 'v1', 'selfsubjectaccessreviews', 'SelfSubjectAccessReview'),
} as const satisfies Record<string, Resource>;

export const WORKLOAD_RESOURCES: Readonly<Record<WorkloadKind, Resource>> = {
  Deployment: RESOURCES.deployments,
  StatefulSet: RESOURCES.statefulSets,
  DaemonSet: RESOURCES.daemonSets,
  Rollout: RESOURCES.rollouts,
};

export const apiVersionOf = (resource: Resource): string =>
  resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
