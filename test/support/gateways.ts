import type { Kubectl } from '../../tools/rig/kubectl.ts';
import { deployment } from './manifests.ts';

/** A gateway, by where it is. */
export interface Gateway {
  readonly name: string;
  readonly namespace: string;
}

type Manifest = { spec: { template: { metadata: { labels: object }; spec: { containers: object[] } } } };

/** What Envoy Gateway would run for a gateway: pods with its labels. */
export function gatewayProxies(namespace: string, gateway: Gateway & { readonly count: number }): object {
  const made = deployment(namespace, `proxy-${gateway.name}`, gateway.count) as Manifest;
  Object.assign(made.spec.template.metadata.labels, {
    'gateway.envoyproxy.io/owning-gateway-name': gateway.name,
    'gateway.envoyproxy.io/owning-gateway-namespace': gateway.namespace,
  });
  return made;
}

/** A Deployment whose pods have a sidecar of the mesh. */
export function meshed(namespace: string, name: string, replicas: number): object {
  const made = deployment(namespace, name, replicas) as Manifest;
  made.spec.template.spec.containers.push({ name: 'istio-proxy', image: 'example.invalid/proxy:1.0' });
  return made;
}

export const service = (namespace: string, app: string): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: app, namespace },
  spec: { selector: { app }, ports: [{ port: 80 }] },
});

export const httpRoute = (namespace: string, app: string, gateway: Gateway): object => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: app, namespace },
  spec: { parentRefs: [{ ...gateway }], rules: [{ backendRefs: [{ name: app, port: 80 }] }] },
});

export const ingress = (namespace: string, app: string): object => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: {
    ...{ name: app, namespace },
    annotations: { 'nginx.ingress.kubernetes.io/limit-rps': '500', 'example.test/other': 'stays' },
  },
  spec: {
    ingressClassName: 'nginx',
    defaultBackend: { service: { name: app, port: { number: 80 } } },
  },
});

/** As the gateway's controller does: the route takes part. */
export async function acceptRoute(kubectl: Kubectl, namespace: string, app: string, gateway: Gateway): Promise<void> {
  const conditions = [
    {
      ...{ type: 'Accepted', status: 'True', reason: 'Accepted', message: '', observedGeneration: 1 },
      lastTransitionTime: new Date().toISOString(),
    },
  ];
  const controllerName = 'gateway.envoyproxy.io/gatewayclass-controller';
  const status = { parents: [{ parentRef: { ...gateway }, controllerName, conditions }] };
  const patch = ['patch', 'httproute', app, '-n', namespace, '--subresource', 'status', '--type', 'merge'];
  await kubectl([...patch, '-p', JSON.stringify({ status })]);
}
