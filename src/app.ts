import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createOperator, type RunningOperator } from './app-operator.ts';
import type { Config } from './config/config.ts';
import { API_KEY_NAME, parseKeysFile } from './config/keys-file.ts';
import { createDetectionService } from './controller/detection-service.ts';
import { createEffectivenessDesk } from './controller/effectiveness-desk.ts';
import { createModelKeeper, type ModelKeeper } from './controller/model-keeper.ts';
import { EventFeed } from './controller/event-feed.ts';
import { NO_APPROVALS } from './controller/approvals.ts';
import { EMPTY_VIEW } from './controller/operator-view.ts';
import type { LogSource } from './controller/ports.ts';
import { createEngine } from './detection/engine.ts';
import { apiKey } from './http/access/api-key.ts';
import { createHttpServer, type HttpServer, type ServerKeys } from './http/server.ts';
import type { Clock } from './lib/clock.ts';
import type { Log } from './lib/log.ts';
import { ok, type Result } from './lib/result.ts';
import { createLokiLogs } from './logs/loki.ts';
import { createTransport } from './prometheus/transport.ts';
import {
  createPostgresStore,
  createSqliteStore,
  DATABASE_FILE,
  type ManagedStore,
  type StoreDependencies,
} from './store/store.ts';
import { systemClock } from './system-clock.ts';
import { createMetrics } from './telemetry/metrics.ts';
import type { Tracing } from './telemetry/tracing.ts';

/** Fixes the engine's random choices: a restart on the same data gives the same verdicts. */
const SEED = 0x5eed;
/** The operator stores its own under another name: the two learn apart. */
const REST_MODELS = 'engine/rest';
/** Of the models of REST callers, who may send as many series as they like; 10,000 young ones take 28 MB. */
const MOST_REST_BYTES = 64 * 1024 * 1024;

export interface App {
  /** Resolves once the API is served and, where there is one, the operator runs. */
  start(): Promise<Result<{ readonly url: string }, string>>;
  /** Finishes or records what is under way, gives the lease back and closes everything. */
  stop(): Promise<void>;
}

/** Builds the whole program from its configuration. This file and `app-operator.ts` alone construct adapters. */
export function createApp(config: Config, version: string, log: Log): App {
  const clock = systemClock;
  const metrics = createMetrics({ log, version, processMetrics: true });
  metrics.gauge('aegis_build_info', 1, { version });
  // Names this process to readers who come back to its events after a restart.
  const feed = new EventFeed({ clock, process: randomUUID().slice(0, 8) });
  let store: ManagedStore | undefined;
  let operator: RunningOperator | undefined;
  let server: HttpServer | undefined;
  let tracing: Tracing | undefined;
  let models: ModelKeeper | undefined;

  return {
    async start() {
      store = await openStore(config.store, { clock, log, metrics, retention: config.retention });
      if (config.cluster !== undefined) {
        const created = await createOperator(config, config.cluster, { store, metrics, feed, clock, log, seed: SEED });
        if (created.ok) operator = created.value;
        else if (config.cluster.required) return created;
        else log.warn('the API is served alone: the cluster cannot be used', { why: created.error });
      }
      const { anomalyThreshold, minSamples, failureWindowMs } = config.detection;
      const engine = createEngine({ seed: SEED });
      const service = createDetectionService({
        ...{ anomalyThreshold, minSamples, failureWindowMs, engine },
        scratch: createEngine({ seed: SEED }),
      });
      models = createModelKeeper({
        ...{ engine: service.memory, store, clock, log, key: REST_MODELS, mostBytes: MOST_REST_BYTES },
        learnt: () => service.facts().samples,
      });
      await models.start();
      const logs = failureLogs(config, operator, { clock, log });
      if (config.tracing !== undefined) tracing = await openTracing(config.tracing, version, log);
      server = createHttpServer(
        {
          ...{ service, store, metrics, metricsPage: metrics, feed, failureWindowMs, clock, log },
          ...(logs !== undefined && { logs }),
          ...(tracing !== undefined && { tracer: tracing }),
          view: operator?.view ?? EMPTY_VIEW,
          approvals: operator?.approvals ?? NO_APPROVALS,
          effectiveness: operator?.effectiveness ?? createEffectivenessDesk({ store, clock, log }),
          problems: () => operator?.problems() ?? [],
        },
        {
          ...{ host: config.http.host, port: config.http.port, keys: serverKeys(config) },
          ...{ rate: config.http.rate, trustedProxies: config.http.trustedProxies },
          ...(config.http.tls !== undefined && { tls: config.http.tls }),
        },
      );
      const listening = await server.listen();
      if (!listening.ok) return listening;
      await operator?.start();
      return ok({ url: listening.value.url });
    },
    async stop() {
      await operator?.stop();
      await server?.close();
      await tracing?.stop();
      await models?.stop();
      await store?.close();
    },
  };
}

function openStore(where: Config['store'], dependencies: StoreDependencies): Promise<ManagedStore> {
  if (where.kind === 'postgres') return createPostgresStore({ url: where.url.reveal(), ...dependencies });
  mkdirSync(where.dataDir, { recursive: true, mode: 0o700 });
  return createSqliteStore({ file: join(where.dataDir, DATABASE_FILE), ...dependencies });
}

/** Loaded only where an endpoint is set. */
async function openTracing(
  { endpoint, headers, ratio }: NonNullable<Config['tracing']>,
  version: string,
  log: Log,
): Promise<Tracing> {
  const { createTracing } = await import('./telemetry/tracing.ts');
  const decoded = JSON.parse(headers.reveal()) as Readonly<Record<string, string>>;
  return createTracing({ endpoint, headers: decoded, ratio, version, log });
}

/** Where detect-failure finds lines for requests that bring none; only in namespaces that Aegis watches. */
function failureLogs(
  { detection, loki, cluster }: Config,
  operator: RunningOperator | undefined,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): LogSource | undefined {
  const from = detection.logs;
  if (from === 'none') return undefined;
  const source =
    from === 'Kubernetes' || loki === undefined
      ? operator?.logs
      : createLokiLogs({ client: createTransport({ ...loki, log }), nowMs: () => clock.nowMs() });
  if (source === undefined) {
    log.warn('detect-failure finds no log lines: there is no cluster to read them from');
    return undefined;
  }
  const watched = cluster?.watchNamespaces ?? [];
  return {
    read: (namespace, pods, sinceMs, maxLinesPerPod) =>
      watched.length > 0 && !watched.includes(namespace)
        ? Promise.resolve(ok([]))
        : source.read(namespace, pods, sinceMs, maxLinesPerPod, from),
  };
}

function serverKeys({ http }: Config): ServerKeys {
  const { keys } = http;
  if (keys.kind === 'development') return keys;
  const single = keys.apiKey === undefined ? [] : [apiKey(API_KEY_NAME, keys.apiKey.reveal())];
  return {
    kind: 'configured',
    keys: single,
    ...(keys.keysFile !== undefined && { file: { path: keys.keysFile, parse: parseKeysFile } }),
  };
}
