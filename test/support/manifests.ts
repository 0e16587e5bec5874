/** A Deployment of simulated pods with limits, labelled by its name. */
export function deployment(namespace: string, name: string, replicas: number): object {
  const resources = { cpu: '500m', memory: '256Mi' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          nodeSelector: { type: 'kwok' },
          tolerations: [{ key: 'kwok.x-k8s.io/node', operator: 'Exists', effect: 'NoSchedule' }],
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: 'app',
              image: `example.invalid/${name}:1.0`,
              resources: { requests: resources, limits: resources },
            },
          ],
        },
      },
    },
  };
}

/** A definition of custom objects with whatever fields, as far as the API server is concerned. */
export function definition(
  names: { readonly group: string; readonly version: string; readonly plural: string; readonly kind: string },
  more: object = {},
): object {
  const { group, version, plural, kind } = names;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      ...{ group, scope: 'Namespaced', names: { plural, kind, singular: kind.toLowerCase() } },
      versions: [
        {
          ...{ name: version, served: true, storage: true, ...more },
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  };
}

/** Detection of what people feel, by a limit that needs no history. */
export const feltLatency = {
  ...{ intervalSeconds: 5, minSamples: 20 },
  metrics: [
    { name: 'response_time', limit: { enter: '600', leave: '350', forSeconds: 1 } },
    { name: 'request_rate' },
    { name: 'cpu_usage' },
  ],
};

/** A policy for the Deployment of its name, with waits that a test can afford. */
export function policy(namespace: string, name: string, spec: object = {}): object {
  return {
    apiVersion: 'healing.aegis.dev/v1alpha1',
    kind: 'AegisHealingPolicy',
    metadata: { name, namespace },
    spec: {
      mode: 'Auto',
      target: { kind: 'Deployment', name },
      detection: { intervalSeconds: 5, minSamples: 20 },
      limits: { minPodAgeSeconds: 20, cooldownSeconds: 60 },
      verification: { stabilizationSeconds: 10, timeoutSeconds: 120 },
      ...spec,
    },
  };
}
