import type { CallEdge } from '../controller/evidence-ports.ts';
import { oneOf } from '../lib/label-matcher.ts';
import { labelOf, type Row } from './instant-vector.ts';

/** Calls of the last half hour: those that fail now were made before, too. */
const WINDOW = '30m';

interface Family {
  readonly metric: string;
  /** Label that names the caller's namespace, by which the query is bound. */
  readonly namespace: string;
  /** Further matchers, each with a leading comma. */
  readonly matchers: string;
  readonly labels: readonly string[];
  readonly edge: (label: (name: string) => string | undefined) => CallEdge | undefined;
}

const ISTIO_LABELS = [
  'source_workload',
  'source_workload_namespace',
  'destination_workload',
  'destination_workload_namespace',
  'destination_service_name',
  'destination_service_namespace',
];

const istio = (metric: string): Family => ({
  metric,
  namespace: 'source_workload_namespace',
  matchers: ',reporter=~"source|waypoint"',
  labels: ISTIO_LABELS,
  edge: istioEdge,
});

/** From the application's own client: the host is what it dialled. */
const client = (namespace: string, pod: string): Family => ({
  metric: 'http_client_request_duration_seconds_count',
  namespace,
  matchers: ',server_address!=""',
  labels: [namespace, pod, 'server_address'],
  edge: (label) => podEdge(label(namespace), label(pod), label('server_address')),
});

const FAMILIES: readonly Family[] = [
  istio('istio_requests_total'),
  istio('istio_tcp_connections_opened_total'),
  {
    metric: 'envoy_cluster_upstream_rq_total',
    namespace: 'namespace',
    matchers: ',envoy_cluster_name=~"outbound[|].*"',
    labels: ['namespace', 'pod', 'envoy_cluster_name'],
    // outbound|PORT|SUBSET|HOST
    edge: (label) => podEdge(label('namespace'), label('pod'), label('envoy_cluster_name')?.split('|')[3]),
  },
  client('namespace', 'pod'),
  client('k8s_namespace_name', 'k8s_pod_name'),
];

/** Every call that went out of these namespaces, by whatever counts it; one row for each caller and callee. */
export function callsQuery(namespaces: readonly string[]): string {
  return FAMILIES.map(({ metric, namespace, matchers, labels }) => {
    const selector = `${metric}{${oneOf(namespace, namespaces)}${matchers}}`;
    return `sum by (${labels.join(', ')}) (increase(${selector}[${WINDOW}])) > 0`;
  }).join(' or ');
}

/** What names no caller or no callee is left out; so is a row of a namespace that was not asked for. */
export function callEdges(rows: readonly Row[], namespaces: readonly string[]): readonly CallEdge[] {
  const edges = new Map<string, CallEdge>();
  for (const row of rows) {
    const label = (name: string): string | undefined => labelOf(row, name);
    const family = FAMILIES.find(({ namespace, labels }) => {
      return label(namespace) !== undefined && labels.every((name) => name in row.labels || isOptional(name));
    });
    const edge = family?.edge(label);
    if (edge !== undefined && namespaces.includes(edge.caller.namespace)) edges.set(JSON.stringify(edge), edge);
  }
  return [...edges.values()];
}

/** A mesh leaves the destination out where it was never reached. */
const isOptional = (label: string): boolean => label.startsWith('destination_');

/** What a mesh calls that which it does not know, and where it sends what has no route. */
const NOBODY: readonly string[] = [
  'unknown',
  'PassthroughCluster',
  'BlackHoleCluster',
  'InboundPassthroughClusterIpv4',
];

function istioEdge(label: (name: string) => string | undefined): CallEdge | undefined {
  const named = (name: string): string | undefined => {
    const value = label(name);
    return value === undefined || NOBODY.includes(value) ? undefined : value;
  };
  const [namespace, caller] = [named('source_workload_namespace'), named('source_workload')];
  const workload = named('destination_workload');
  const service = named('destination_service_name');
  const place = named('destination_workload_namespace') ?? named('destination_service_namespace');
  if (namespace === undefined || caller === undefined || (workload ?? service) === undefined) return undefined;
  return {
    caller: { namespace, workload: caller },
    callee: {
      ...(place !== undefined && { namespace: place }),
      ...(workload !== undefined && { workload }),
      ...(service !== undefined && { service }),
    },
  };
}

function podEdge(namespace?: string, pod?: string, host?: string): CallEdge | undefined {
  if (namespace === undefined || pod === undefined || host === undefined) return undefined;
  const callee = calleeOf(host, namespace);
  return callee === undefined ? undefined : { caller: { namespace, pod }, callee };
}

const IN_CLUSTER =
  /^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)\.([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)\.svc(\.[-.a-z0-9]{1,253})?$/;
const BARE = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
const ADDRESS = /^[0-9.]+$|:/;

/** `payments`, `payments.shop.svc...` or a host outside; an address says nothing about who answers. */
function calleeOf(host: string, from: string): CallEdge['callee'] | undefined {
  const inside = IN_CLUSTER.exec(host);
  if (inside !== null) return { service: inside[1] ?? '', namespace: inside[3] ?? '' };
  if (BARE.test(host)) return host === 'localhost' ? undefined : { service: host, namespace: from };
  return ADDRESS.test(host) || host.length > 253 ? undefined : { host };
}
