import type { MetricWish } from '../../../src/controller/ports.ts';
import type { WatchedMetric } from '../../../src/policy/healing-policy.ts';
import { json, type ReceivedRequest, type Script } from '../scripted-server.ts';

/** A time in whole milliseconds; all test servers answer about it. */
export const NOW = Date.UTC(2026, 0, 5, 12);

/** What a policy of namespace `shop` wants. */
export function aWish(change: Partial<MetricWish> = {}): MetricWish {
  return {
    policyUid: 'policy-1',
    namespace: 'shop',
    metrics: [],
    trafficSource: 'Auto',
    targetName: 'checkout',
    ...change,
  };
}

export const aPreset = (name: string): WatchedMetric => ({ name, unit: 'percent', direction: 'Above' });
export const aQuery = (query: string, name = 'custom'): WatchedMetric => ({
  name,
  unit: 'x',
  direction: 'Above',
  query,
});

export interface SampleRow {
  readonly labels: Readonly<Record<string, string>>;
  /** As it stands in the reply: Prometheus writes text. */
  readonly value: unknown;
  /** Time of the reply's element; default the asked time. */
  readonly atMs?: number;
}

/** A successful instant reply. */
export const vector = (
  rows: readonly SampleRow[],
  atMs = NOW,
  extra: Readonly<Record<string, unknown>> = {},
): unknown => ({
  status: 'success',
  data: {
    resultType: 'vector',
    result: rows.map((row) => ({ metric: row.labels, value: [(row.atMs ?? atMs) / 1000, row.value] })),
  },
  ...extra,
});

/** The time row that stands beside a value. */
export const timeRow = (labels: Readonly<Record<string, string>>, sampleMs: number, index = 0): SampleRow => ({
  labels: { ...labels, aegis_time: String(index) },
  value: String(sampleMs / 1000),
});

export const queryOf = (request: ReceivedRequest): string => new URLSearchParams(request.body).get('query') ?? '';
export const isDiscovery = (query: string): boolean => query.startsWith('count by (namespace, __name__)');

/** Namespaces that a query names. */
export function namespacesOf(query: string): readonly string[] {
  const match = /[{,]namespace=(~?)"([^"]*)"/.exec(query);
  return match?.[1] === '~'
    ? (match[2] ?? '').split('|').map((name) => name.replaceAll('\\\\', ''))
    : [match?.[2] ?? ''];
}

export interface World {
  /** Metric names that exist, in every namespace. */
  readonly probes: readonly string[];
  /** Rows for one namespace. */
  readonly rows: (namespace: string, query: string) => readonly SampleRow[];
}

/** Two pods with a fresh sample each. */
export const healthyRows = (namespace: string, value: unknown = '0.5', sampleMs = NOW - 5000): readonly SampleRow[] =>
  ['checkout-1', 'checkout-2'].flatMap((pod) => {
    const labels = { namespace, pod };
    return [{ labels, value }, timeRow(labels, sampleMs)];
  });

/** A well-behaved server over a made-up world. */
export const prometheus =
  ({ probes, rows }: World): Script =>
  (request, response, socket) => {
    const query = queryOf(request);
    const found = namespacesOf(query).flatMap((namespace) =>
      isDiscovery(query)
        ? probes.map((name) => ({ labels: { namespace, __name__: name }, value: '1' }))
        : rows(namespace, query),
    );
    json(vector(found))(request, response, socket);
  };

/** Answers discovery like `world`, everything else by `script`. */
export const exceptDiscovery =
  (script: Script, probes: readonly string[] = ['container_cpu_usage_seconds_total']): Script =>
  (request, response, socket) => {
    const isProbe = isDiscovery(queryOf(request));
    (isProbe ? prometheus({ probes, rows: () => [] }) : script)(request, response, socket);
  };
