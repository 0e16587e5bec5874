import { clusterAccess } from './cluster-access.ts';
import type { ClusterConfig, Config, KeyPolicy, LokiConfig, PrometheusConfig } from './config.ts';
import { isLoopback } from './cross-checks.ts';
import { DEVELOPMENT_KEY, PLACEHOLDER_KEY, type ApiKey } from './keys-file.ts';
import type { Settings } from './schema.ts';
import { secret } from './secret.ts';
import { allowedHost, type AllowedHost } from './setting.ts';
import type { Sink } from './sinks-file.ts';

const DAY_MS = 86_400_000;
const MIB = 1024 * 1024;

interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly keys: readonly ApiKey[];
  readonly sinks: readonly Sink[];
}

/** The fields that are given, without the others. */
type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };
const given = <T extends object>(fields: T): Given<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>;

/** Typed settings as the rest of Aegis sees them; they were checked before. */
export function assembleConfig(settings: Settings, surroundings: Surroundings): Config {
  const keys = keyPolicy(settings, surroundings.keys);
  const host = settings.HOST;
  const { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile, THROTTLE_HOOK_SECRET_FILE: secretFile } = settings;
  return {
    http: {
      host,
      port: settings.PORT,
      keys,
      ...(certFile !== undefined && keyFile !== undefined && { tls: { certFile, keyFile } }),
      rate: { perKey: settings.RATE_LIMIT_PER_KEY, perAddress: settings.RATE_LIMIT_PER_ADDRESS },
      trustedProxies: settings.TRUSTED_PROXIES,
    },
    detection: {
      anomalyThreshold: settings.ANOMALY_THRESHOLD,
      failureWindowMs: settings.FAILURE_DETECTION_WINDOW * 1000,
      minSamples: settings.MIN_SAMPLES_FOR_TRAINING,
      logs: failureLogs(settings),
    },
    ...(settings.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined && {
      tracing: {
        endpoint: settings.OTEL_EXPORTER_OTLP_ENDPOINT,
        headers: secret(JSON.stringify(settings.OTEL_EXPORTER_OTLP_HEADERS)),
        ratio: settings.OTEL_TRACES_SAMPLER_ARG,
      },
    }),
    store:
      settings.DATABASE_URL === undefined
        ? { kind: 'sqlite', dataDir: settings.DATA_DIR }
        : { kind: 'postgres', url: secret(settings.DATABASE_URL) },
    retention: {
      predictionAgeMs: settings.PREDICTIONS_KEPT_DAYS * DAY_MS,
      predictionBytes: settings.PREDICTIONS_MAX_MIB * MIB,
      historyAgeMs: settings.HISTORY_KEPT_DAYS * DAY_MS,
    },
    ...given({ prometheus: prometheus(settings), loki: loki(settings), cluster: cluster(settings, surroundings) }),
    ...(settings.POLICY_ENGINE_URL !== undefined && {
      policyEngine: { url: settings.POLICY_ENGINE_URL, ...given({ tokenFile: settings.POLICY_ENGINE_TOKEN_FILE }) },
    }),
    ...(settings.THROTTLE_HOOK_URL !== undefined &&
      secretFile !== undefined && { throttleHook: { url: settings.THROTTLE_HOOK_URL, secretFile } }),
    throttleProviders: settings.THROTTLE_PROVIDERS,
    sinks: surroundings.sinks,
    outboundAllow: outboundAllow(settings, surroundings.sinks),
    enabledActions: settings.ENABLED_ACTIONS,
    dryRun: settings.DRY_RUN,
    logLevel: settings.LOG_LEVEL,
    warnings: warnings(settings, keys, host),
  };
}

function failureLogs({ FAILURE_LOGS, LOKI_URL }: Settings): Config['detection']['logs'] {
  const chosen = FAILURE_LOGS === 'auto' && LOKI_URL !== undefined ? 'loki' : FAILURE_LOGS;
  return chosen === 'loki' ? 'Loki' : chosen === 'kubernetes' ? 'Kubernetes' : 'none';
}

function keyPolicy({ API_KEY, API_KEYS_FILE }: Settings, keys: readonly ApiKey[]): KeyPolicy {
  if (API_KEY === undefined && API_KEYS_FILE === undefined) return { kind: 'development' };
  return {
    kind: 'configured',
    ...(API_KEY !== undefined && { apiKey: secret(API_KEY) }),
    keys,
    ...given({ keysFile: API_KEYS_FILE }),
  };
}

function prometheus(settings: Settings): PrometheusConfig | undefined {
  const { PROMETHEUS_URL: url, PROMETHEUS_BASIC_AUTH_USER: username } = settings;
  const passwordFile = settings.PROMETHEUS_BASIC_AUTH_PASSWORD_FILE;
  if (url === undefined) return undefined;
  return {
    url,
    scrapeIntervalMs: settings.PROMETHEUS_SCRAPE_INTERVAL_SECONDS * 1000,
    timeoutMs: settings.PROMETHEUS_TIMEOUT_SECONDS * 1000,
    ...(username !== undefined && passwordFile !== undefined && { basicAuth: { username, passwordFile } }),
    ...given({
      bearerTokenFile: settings.PROMETHEUS_BEARER_TOKEN_FILE,
      caFile: settings.PROMETHEUS_CA_FILE,
      tenant: settings.PROMETHEUS_TENANT,
    }),
  };
}

function loki({ LOKI_URL: url, ...settings }: Settings): LokiConfig | undefined {
  if (url === undefined) return undefined;
  const { LOKI_BEARER_TOKEN_FILE: bearerTokenFile, LOKI_CA_FILE: caFile, LOKI_TENANT: tenant } = settings;
  return { url, ...given({ bearerTokenFile, caFile, tenant }) };
}

function cluster(settings: Settings, { env }: Surroundings): ClusterConfig | undefined {
  const access = clusterAccess(settings, env);
  if (access === undefined) return undefined;
  return {
    access,
    required: settings.AEGIS_CLUSTER === 'required',
    watchNamespaces: settings.WATCH_NAMESPACES,
    lease: { name: settings.LEASE_NAME, ...given({ namespace: settings.LEASE_NAMESPACE ?? settings.POD_NAMESPACE }) },
    guardrailConfigMap: settings.GUARDRAIL_CONFIG_MAP,
    pod: given({ name: settings.POD_NAME, namespace: settings.POD_NAMESPACE }),
    relist: { ownMs: settings.OWN_RELIST_SECONDS * 1000, othersMs: settings.RELIST_SECONDS * 1000 },
    actionTtlMs: settings.ACTION_TTL_SECONDS * 1000,
  };
}

/** What the administrator configured elsewhere is on the list already. Slack's address is a secret: its host is known. */
function outboundAllow(settings: Settings, sinks: readonly Sink[]): readonly AllowedHost[] {
  const addresses = [settings.POLICY_ENGINE_URL, settings.THROTTLE_HOOK_URL, ...sinks.map(addressOf)];
  const implied = addresses.flatMap((address) => {
    const host = address === undefined ? undefined : allowedHost(new URL(address).origin);
    return host === undefined ? [] : [host];
  });
  const all = [...settings.OUTBOUND_ALLOW, ...implied];
  const key = ({ scheme, host, port }: AllowedHost): string => `${scheme}://${host}:${port ?? ''}`;
  return [...new Map(all.map((host) => [key(host), host])).values()];
}

const addressOf = (sink: Sink): string => (sink.type === 'Slack' ? 'https://hooks.slack.com' : sink.url);

function warnings(settings: Settings, keys: KeyPolicy, host: string): readonly string[] {
  const published = [DEVELOPMENT_KEY, PLACEHOLDER_KEY].find((key) => key === settings.API_KEY);
  return [
    ...(keys.kind === 'development'
      ? [`No API key is set: listening on ${host} only and accepting the published key ${DEVELOPMENT_KEY}.`]
      : []),
    ...(published !== undefined && !isLoopback(host)
      ? [`API_KEY is the published key ${published}: everybody who reaches ${host} can call the API.`]
      : []),
  ];
}
