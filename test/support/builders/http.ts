import { EventFeed } from '../../../src/controller/event-feed.ts';
import { NO_APPROVALS } from '../../../src/controller/approvals.ts';
import { createEffectivenessDesk } from '../../../src/controller/effectiveness-desk.ts';
import { EMPTY_VIEW } from '../../../src/controller/operator-view.ts';
import { createDetectionService } from '../../../src/controller/detection-service.ts';
import { createEngine } from '../../../src/detection/engine.ts';
import { apiKey } from '../../../src/http/access/api-key.ts';
import type { HttpDependencies } from '../../../src/http/dependencies.ts';
import { createHttpServer, type HttpOptions } from '../../../src/http/server.ts';
import { createSqliteStore, type ManagedStore } from '../../../src/store/store.ts';
import { createMetrics, type Metrics } from '../../../src/telemetry/metrics.ts';
import { realClock } from '../real-clock.ts';
import { recordedLog, type RecordedLog } from '../recorders.ts';

export const KEY = 'the-key-of-the-tests';

export interface Api {
  readonly url: string;
  readonly port: number;
  readonly store: ManagedStore;
  readonly metrics: Metrics;
  readonly log: RecordedLog;
  readonly deps: HttpDependencies;
  /** A call with the key and JSON, unless told otherwise. */
  call(path: string, init?: CallInit): Promise<Answer>;
  post(path: string, body: unknown, init?: CallInit): Promise<Answer>;
  stop(): Promise<void>;
}

interface CallInit extends Omit<RequestInit, 'headers'> {
  /** `null` leaves a header out. */
  readonly headers?: Readonly<Record<string, string | null>>;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Json;
}

/** Answers are looked into freely; what is not there is undefined. */
interface Json {
  readonly [name: string]: Json;
}

/** A whole API on a free port: real service, store in memory, real metrics. */
export async function anApi(
  over: { deps?: Partial<HttpDependencies>; options?: Partial<HttpOptions> } = {},
): Promise<Api> {
  const log = recordedLog();
  const clock = over.deps?.clock ?? realClock();
  const metrics = createMetrics({ log, version: 'test' });
  const store = await createSqliteStore({ file: ':memory:', clock, log, metrics });
  const service = createDetectionService({
    engine: createEngine({ seed: 1 }),
    scratch: createEngine({ seed: 2 }),
    anomalyThreshold: 0.85,
    minSamples: 100,
    failureWindowMs: 300_000,
  });
  const deps: HttpDependencies = {
    service,
    store,
    view: EMPTY_VIEW,
    approvals: NO_APPROVALS,
    effectiveness: createEffectivenessDesk({ store, clock, log }),
    feed: new EventFeed({ clock, process: 'test' }),
    failureWindowMs: 300_000,
    metrics,
    metricsPage: metrics,
    problems: () => [],
    clock,
    log,
    ...over.deps,
  };
  const server = createHttpServer(deps, {
    host: '127.0.0.1',
    port: 0,
    keys: { kind: 'configured', keys: [apiKey('tests', KEY)] },
    ...over.options,
  });
  const listening = await server.listen();
  if (!listening.ok) throw new Error(listening.error);
  const { url, port } = listening.value;
  const call = (path: string, init: CallInit = {}): Promise<Answer> => request(url + path, init);
  return {
    url,
    port,
    store,
    metrics,
    log,
    deps,
    call,
    post: (path, body, init = {}) =>
      call(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), ...init }),
    stop: async () => {
      await server.close();
      await store.close();
    },
  };
}

async function request(url: string, init: CallInit): Promise<Answer> {
  const headers: Record<string, string> = {};
  const wanted = { 'x-api-key': KEY, 'content-type': 'application/json', ...init.headers };
  for (const [name, value] of Object.entries(wanted)) if (value !== null) headers[name] = value;
  const response = await fetch(url, { ...init, headers });
  const text = await response.text();
  const isJson = text !== '' && response.headers.get('content-type')?.startsWith('application/json') === true;
  return { status: response.status, headers: response.headers, text, json: (isJson ? JSON.parse(text) : {}) as Json };
}

export const aMetric = (over: Record<string, unknown> = {}): Record<string, unknown> => ({
  metric_type: 'cpu_usage',
  value: 35,
  timestamp: '2024-01-25T10:00:00Z',
  labels: { pod: 'api-1' },
  ...over,
});

export const aLine = (over: Record<string, unknown> = {}): Record<string, unknown> => ({
  timestamp: '2024-01-25T10:00:00Z',
  level: 'error',
  message: 'Connection timeout',
  service: 'api-service',
  ...over,
});

/** A body without one of its members. */
export const without = (body: Record<string, unknown>, name: string): Record<string, unknown> => {
  const rest = { ...body };
  delete rest[name];
  return rest;
};
