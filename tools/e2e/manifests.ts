import { APP_IMAGE } from './images.ts';
import { NAMESPACE, OVERLOADED, WORKLOADS, type SampleWorkload } from './workloads.ts';

const PORT = 8080;
/** Name of the sink in the chart's values and in the policies. */
export const SINK = 'oncall';

const list = (items: readonly object[]): object => ({ apiVersion: 'v1', kind: 'List', items });

/** The namespace, and for each workload a Deployment, its Service and its PodDisruptionBudget. */
export function workloadManifests(): object {
  const namespace = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: NAMESPACE, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  };
  return list([namespace, ...WORKLOADS.flatMap((each) => [deployment(each), service(each), budget(each)])]);
}

function deployment(workload: SampleWorkload): object {
  const { name, replicas } = workload;
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: NAMESPACE, labels },
    spec: {
      replicas,
      minReadySeconds: 5,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      selector: { matchLabels: labels },
      template: {
        metadata: { labels, annotations: { 'prometheus.io/port': String(PORT) } },
        spec: {
          // The account's token is of no use to the application.
          ...{ automountServiceAccountToken: false, enableServiceLinks: false, terminationGracePeriodSeconds: 20 },
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [container(workload)],
        },
      },
    },
  };
}

function container({ cpuLimit, memoryLimit, cpuMs }: SampleWorkload): object {
  return {
    name: 'app',
    image: APP_IMAGE,
    imagePullPolicy: 'Never',
    env: [
      { name: 'CPU_MS', value: String(cpuMs) },
      { name: 'BROKEN_PERCENT', value: '0' },
    ],
    ports: [{ name: 'http', containerPort: PORT }],
    readinessProbe: {
      ...{ httpGet: { path: '/ready', port: 'http' }, periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 3 },
    },
    // Requests go on coming until every node has heard that the pod leaves.
    lifecycle: { preStop: { sleep: { seconds: 4 } } },
    resources: { requests: { cpu: '10m', memory: '48Mi' }, limits: { cpu: cpuLimit, memory: memoryLimit } },
    securityContext: {
      ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    },
  };
}

function service({ name }: SampleWorkload): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: NAMESPACE },
    spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
  };
}

function budget({ name }: SampleWorkload): object {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, namespace: NAMESPACE },
    spec: { maxUnavailable: 1, selector: { matchLabels: { app: name } } },
  };
}

/** One policy a workload. Only the waiting times differ from the defaults, and where alerts go. */
export function policyManifests(): object {
  return list(WORKLOADS.map(policy));
}

function policy({ name }: SampleWorkload): object {
  return {
    apiVersion: 'healing.aegis.dev/v1alpha1',
    kind: 'AegisHealingPolicy',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      mode: 'Auto',
      target: { kind: 'Deployment', name },
      // A run cannot wait for an hour: it polls every 5 s, learns for ten minutes and verifies after 15 s.
      detection: { intervalSeconds: 5, minSamples: 60 },
      limits: { minPodAgeSeconds: 30, cooldownSeconds: 60 },
      verification: { stabilizationSeconds: 15, timeoutSeconds: 300 },
      notifications: [{ sink: SINK }],
      ...(name === OVERLOADED.name && { remedies: [scaleUpAndBack()] }),
    },
  };
}

/** The default ladder of an overload but for its end: replicas are given back after a minute of health, not after half an hour. */
function scaleUpAndBack(): object {
  const scale = { percent: 50, returnAfterSeconds: 60 };
  return { on: ['traffic_surge', 'cpu_saturation'], steps: [{ action: 'scale_up', scale }, { action: 'alert_admin' }] };
}
