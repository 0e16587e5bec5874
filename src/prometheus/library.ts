import { PrometheusDriver, type Alert, type PrometheusConnectionOptions, type RuleGroup } from 'prometheus-query';
import type { SourceError } from '../controller/ports.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { sampleValue } from './instant-vector.ts';
import type { ReplyLimits } from './options.ts';
import { isRecord, openReply } from './reply.ts';
import { describe, sourceError } from './source-error.ts';
import type { Transport } from './transport.ts';

/** A past series as the library gives it, without its `Date` per sample. */
export interface PastSeries {
  readonly labels: Readonly<Record<string, unknown>>;
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
}

/** Calls that are made rarely and go through the prometheus-query package. */
export interface Library {
  range(
    promql: string,
    fromMs: number,
    toMs: number,
    stepMs: number,
  ): Promise<Result<readonly PastSeries[], SourceError>>;
  firingAlerts(): Promise<Result<readonly string[], SourceError>>;
  rules(): Promise<Result<readonly RuleGroup[], SourceError>>;
  /** Metric name -> type, help and unit, as the targets declare them. */
  metadata(metric?: string): Promise<Result<Readonly<Record<string, unknown>>, SourceError>>;
}

/** A fault on its way through the library, which rethrows everything as plain objects. */
class LibraryFault extends Error {
  readonly source: SourceError;
  constructor(source: SourceError) {
    super(source.message);
    this.source = source;
  }
}

type Interceptor = NonNullable<PrometheusConnectionOptions['requestInterceptor']>;
type RequestConfig = Parameters<Interceptor['onFulfilled']>[0];

/**
 * The library with its connections taken away: requests go through our transport (deadline, size, TLS, retry, no
 * redirects), and replies are opened before it sees them. So warnings are errors, a native histogram costs only its own
 * series, and no reply reaches the code that makes a `Date` per sample before its points are counted.
 */
export function createLibrary(transport: Transport, limits: ReplyLimits): Library {
  const driver = new PrometheusDriver({
    endpoint: 'http://metrics',
    baseURL: '/api/v1',
    preferPost: true,
    requestInterceptor: { onFulfilled: (config) => ({ ...config, adapter: adapterOf(transport, limits) }) },
  });
  return {
    range: (promql, fromMs, toMs, stepMs) =>
      wrapped(async () => {
        const { result } = await driver.rangeQuery(promql, fromMs, toMs, stepMs / 1000);
        return result.map(toPastSeries);
      }),
    firingAlerts: () =>
      wrapped(async () => [...new Set((await driver.alerts()).filter((a) => a.state === 'firing').map(nameOf))]),
    rules: () => wrapped(() => driver.rules()),
    metadata: (metric) => wrapped(async () => (await driver.metadata(metric)) as Record<string, unknown>),
  };
}

function nameOf(alert: Alert): string {
  const name = (alert.labels as Readonly<Record<string, unknown>>)['alertname'];
  return typeof name === 'string' ? name : '';
}

async function wrapped<T>(call: () => Promise<T>): Promise<Result<T, SourceError>> {
  try {
    return ok(await call());
  } catch (thrown) {
    return err(toSourceError(thrown));
  }
}

/** The library throws plain objects without a stack; what it hides under `original` is ours. */
function toSourceError(thrown: unknown): SourceError {
  const original = isRecord(thrown) ? thrown['original'] : thrown;
  if (original instanceof LibraryFault) return original.source;
  if (isRecord(thrown) && typeof thrown['error'] === 'string') return sourceError('BadReply', thrown['error']);
  return sourceError('BadReply', describe(original));
}

type Adapter = Extract<NonNullable<RequestConfig['adapter']>, (...args: never[]) => unknown>;

function adapterOf(transport: Transport, limits: ReplyLimits): Adapter {
  return async (config) => {
    const { pathname } = new URL(`${config.baseURL ?? ''}/${config.url ?? ''}`);
    const method = config.method?.toUpperCase() === 'POST' ? 'POST' : 'GET';
    const parameters = (method === 'POST' ? bodyOf(config.data) : queryOf(config.params)).toString();
    const reply = await transport.send({ method, path: pathname, parameters });
    if (!reply.ok) throw new LibraryFault(reply.error);
    const opened = openReply(reply.value, limits);
    if (!opened.ok) throw new LibraryFault(opened.error);
    const { data: content, partial } = opened.value;
    if (partial !== undefined) throw new LibraryFault(sourceError('Partial', partial));
    const data = {
      status: 'success',
      data: pathname.endsWith('/alerts') ? checkedAlerts(content) : checkedMatrix(content, limits),
    };
    return { data, status: 200, statusText: 'OK', headers: {}, config };
  };
}

/** The library has made a form (object or text) of the parameters by the time that the adapter runs. */
function bodyOf(data: unknown): URLSearchParams {
  if (typeof data === 'string' || data instanceof URLSearchParams) return new URLSearchParams(data);
  return queryOf(data);
}

function queryOf(parameters: unknown): URLSearchParams {
  if (parameters instanceof URLSearchParams) return parameters;
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(isRecord(parameters) ? parameters : {})) {
    if (typeof value === 'string' || typeof value === 'number') query.append(name, String(value));
  }
  return query;
}

/** The library takes anything, and what holds no alerts for "none fires". */
function checkedAlerts(data: unknown): unknown {
  const alerts = isRecord(data) ? data['alerts'] : undefined;
  const isPlain = (alert: unknown): boolean =>
    isRecord(alert) && isRecord(alert['labels']) && typeof alert['state'] === 'string';
  if (!Array.isArray(alerts) || !alerts.every(isPlain)) {
    throw new LibraryFault(sourceError('BadReply', 'the reply holds no list of alerts'));
  }
  return data;
}

/** Leaves series of plain samples in increasing time; anything else about a matrix is cut or refused here. */
function checkedMatrix(data: unknown, limits: ReplyLimits): unknown {
  if (!isRecord(data) || data['resultType'] !== 'matrix') return data;
  const result: readonly unknown[] = Array.isArray(data['result']) ? data['result'] : [];
  const plain = result.filter(isPlainSeries);
  const points = plain.reduce((sum, series) => sum + series.values.length, 0);
  if (result.length > limits.maxSeries || points > limits.maxPoints) {
    throw new LibraryFault(sourceError('QueryTooLarge', `${result.length} series, ${points} points`));
  }
  return { resultType: 'matrix', result: plain };
}

interface PlainSeries {
  readonly metric: Readonly<Record<string, unknown>>;
  readonly values: readonly unknown[];
}

function isPlainSeries(element: unknown): element is PlainSeries {
  if (!isRecord(element) || !isRecord(element['metric']) || !Array.isArray(element['values'])) return false;
  let last = Number.NEGATIVE_INFINITY;
  return element['values'].every((point: unknown) => {
    if (!Array.isArray(point) || typeof point[0] !== 'number' || !(point[0] > last)) return false;
    last = point[0];
    return Number.isFinite(sampleValue(point[1])) || typeof point[1] === 'string';
  });
}

/** Points that are no finite number are gaps. */
function toPastSeries(series: unknown): PastSeries {
  const { metric, values } = series as {
    metric: { labels: Readonly<Record<string, unknown>> };
    values: readonly { time: Date; value: number }[];
  };
  const finite = values.filter((point) => Number.isFinite(point.value));
  return {
    labels: metric.labels,
    timesMs: Float64Array.from(finite, (point) => point.time.getTime()),
    values: Float64Array.from(finite, (point) => point.value),
  };
}
