import type { TrafficSource } from '../policy/healing-policy.ts';
import { steadyRate, type IdentityLabels, type PresetSource, type Scope } from './preset-source.ts';

/** How one kind of instrumentation counts requests, failures and durations. */
interface Instrumentation {
  readonly id: string;
  readonly source: Exclude<TrafficSource, 'Auto'>;
  readonly labels: IdentityLabels;
  /** Counter of requests. */
  readonly requests: string;
  /** Selectors of the failed ones: matchers on the request counter, or a counter of their own. */
  readonly failures: readonly { readonly metric: string; readonly matcher: string }[];
  /** Histogram or summary, without `_bucket`, `_sum`, `_count`. */
  readonly duration: string;
  /** Factor from its unit to milliseconds. */
  readonly toMs: number;
  /** Matchers that every selector of it needs, each with a trailing comma. */
  readonly matchers: string;
}

const POD: IdentityLabels = { namespace: 'namespace', kind: 'pod', entity: 'pod' };
const POD_PUSHED: IdentityLabels = { namespace: 'k8s_namespace_name', kind: 'pod', entity: 'k8s_pod_name' };

const failuresBy = (metric: string, labels: readonly string[]): Instrumentation['failures'] =>
  labels.map((label) => ({ metric, matcher: `${label}=~"5.."` }));

const OTEL = 'http_server_request_duration_seconds';
const OTEL_OLD = 'http_server_duration_milliseconds';
const HTTP = 'http_request_duration_seconds';
const NGINX = 'nginx_ingress_controller_requests';
/** Clusters of a sidecar that are not the pod's own traffic. */
const ENVOY_OTHERS = 'outbound.*|xds.*|sds.*|prometheus_stats|agent|zipkin|PassthroughCluster|BlackHoleCluster';
const ENVOY_XX = { metric: 'envoy_cluster_upstream_rq_xx', matcher: 'envoy_response_code_class="5"' };

const otel = (id: string, labels: IdentityLabels): Instrumentation => ({
  id,
  source: 'OpenTelemetry',
  labels,
  requests: `${OTEL}_count`,
  failures: failuresBy(`${OTEL}_count`, ['http_response_status_code']),
  duration: OTEL,
  toMs: 1000,
  matchers: '',
});

const http = (id: string, requests: string): Instrumentation => ({
  id,
  source: 'HttpRequestsTotal',
  labels: POD,
  requests,
  failures: failuresBy(requests, ['code', 'status', 'status_code']),
  duration: HTTP,
  toMs: 1000,
  matchers: '',
});

/** The controller's own namespace label wins at the scrape, then the ingress's is kept as `exported_namespace`. */
const nginx = (id: string, prefix: string): Instrumentation => ({
  id,
  source: 'IngressNginx',
  labels: { namespace: `${prefix}namespace`, kind: 'service', entity: `${prefix}service` },
  requests: NGINX,
  failures: failuresBy(NGINX, ['status']),
  duration: 'nginx_ingress_controller_request_duration_seconds',
  toMs: 1000,
  matchers: '',
});

/** In the order in which `Auto` prefers them: what measures inside of the pod before what measures in front of it. */
const INSTRUMENTATIONS: readonly Instrumentation[] = [
  otel('otel', POD),
  otel('otel-pushed', POD_PUSHED),
  {
    id: 'otel-old',
    source: 'OpenTelemetry',
    labels: POD,
    requests: `${OTEL_OLD}_count`,
    failures: failuresBy(`${OTEL_OLD}_count`, ['http_status_code']),
    duration: OTEL_OLD,
    toMs: 1,
    matchers: '',
  },
  {
    id: 'istio',
    source: 'Istio',
    labels: POD,
    requests: 'istio_requests_total',
    failures: failuresBy('istio_requests_total', ['response_code']),
    duration: 'istio_request_duration_milliseconds',
    toMs: 1,
    matchers: 'reporter="destination",',
  },
  {
    id: 'envoy',
    source: 'Envoy',
    labels: POD,
    requests: 'envoy_cluster_upstream_rq_total',
    failures: [ENVOY_XX],
    duration: 'envoy_cluster_upstream_rq_time',
    toMs: 1,
    matchers: `envoy_cluster_name!~"${ENVOY_OTHERS}",`,
  },
  http('http', 'http_requests_total'),
  http('http-duration', `${HTTP}_count`),
  nginx('nginx-exported', 'exported_'),
  nginx('nginx', ''),
];

/** A source of a traffic preset, with the kind of instrumentation that it belongs to. */
export interface TrafficPresetSource extends PresetSource {
  readonly traffic: Exclude<TrafficSource, 'Auto'>;
}

const total = (i: Instrumentation, s: Scope, metric: string): string =>
  `sum by (${s.by}) (rate(${metric}{${i.matchers}${s.matcher}}[${s.rate}]))`;

/** Requests per second. */
export const requestRateSources: readonly TrafficPresetSource[] = INSTRUMENTATIONS.map((i) =>
  toSource(i, i.requests, (s) => `sum by (${s.by}) (${steadyRate(`${i.requests}{${i.matchers}${s.matcher}}`, s)})`),
);

/**
 * Share of failed requests. Where a pod counts requests but has no series of failures there were none. Where it had no
 * requests at all the ratio is 0/0, NaN: unknown, since an idle pod proves nothing about its health.
 */
export const errorRateSources: readonly TrafficPresetSource[] = INSTRUMENTATIONS.map((i) =>
  toSource(i, i.requests, (s) => {
    const rates = i.failures.map((f) => `rate(${f.metric}{${f.matcher},${i.matchers}${s.matcher}}[${s.rate}])`);
    const all = total(i, s, i.requests);
    return `(sum by (${s.by}) (${rates.join(' or ')}) or ${all} * 0) / ${all}`;
  }),
);

/** 95th percentile in milliseconds where there are buckets, else the mean. */
export const responseTimeSources: readonly TrafficPresetSource[] = INSTRUMENTATIONS.filter(
  (i) => i.id !== 'http-duration',
).map((i) =>
  toSource(i, `${i.duration}_count`, (s) => {
    const buckets = `sum by (${s.by}, le) (rate(${i.duration}_bucket{${i.matchers}${s.matcher}}[${s.rate}]))`;
    const mean = `${total(i, s, `${i.duration}_sum`)} / ${total(i, s, `${i.duration}_count`)}`;
    return `${i.toMs} * (histogram_quantile(0.95, ${buckets}) or ${mean})`;
  }),
);

function toSource(i: Instrumentation, probe: string, expression: (scope: Scope) => string): TrafficPresetSource {
  return { id: i.id, traffic: i.source, labels: i.labels, probe, probeMatchers: i.matchers, expression };
}
