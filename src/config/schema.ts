import { z } from 'zod';
import {
  decimal,
  dnsName,
  flag,
  headerText,
  hosts,
  httpUrl,
  line,
  namespaces,
  otlpHeaders,
  postgresUrl,
  setting,
  whole,
  word,
  wordsOf,
} from './setting.ts';

/** Actions that change the cluster. A test holds it equal to the list of the policy room, which this room may not see. */
export const EFFECT_NAMES = ['restart_pod', 'scale_up', 'scale_down', 'throttle_api', 'clear_cache'] as const;

/** What limits traffic by an object in the cluster; a test holds it equal to the list of the policy room. */
export const THROTTLE_PROVIDER_NAMES = ['EnvoyGateway', 'Istio', 'IngressNginx'] as const;

const NO_START = 'Aegis does not start';
const DAY = 86_400;

const file = (description: string, consequence: string, extra: { flag?: string; isSecret?: boolean } = {}) =>
  setting(line(4096).optional(), { description, consequence, isFile: true, ...extra });

/**
 * Every setting, by its name in the environment and in `.env`. Its flag is the name in kebab case. Values are text,
 * as the environment holds them; what comes out is typed.
 */
export const SETTINGS = {
  ANOMALY_THRESHOLD: setting(decimal(0, 1).prefault('0.85'), {
    description: 'Score from which detect-anomaly says that it is one: above 0, at most 1. Higher: fewer false alarms.',
    consequence: 'no score could be judged',
  }),
  FAILURE_DETECTION_WINDOW: setting(whole(1, DAY).prefault('300'), {
    description: 'Seconds of evidence, back from the newest sample of a request.',
    consequence: 'no failure could be named',
  }),
  MIN_SAMPLES_FOR_TRAINING: setting(whole(1, 1_000_000).prefault('100'), {
    description: 'Below so many samples only limits, status and peers judge.',
    consequence: 'nobody could tell when a model is learnt',
  }),
  HOST: setting(line(255).prefault('127.0.0.1'), {
    description: 'Address to listen on. Any other than loopback needs a key.',
    consequence: NO_START,
  }),
  PORT: setting(whole(0, 65_535).prefault('8000'), {
    description: 'Port to listen on; 0 takes a free one.',
    consequence: 'the API could not listen',
  }),
  API_KEY: setting(headerText(4096).optional(), {
    description: 'One key with all scopes. Better: API_KEYS_FILE.',
    consequence: 'no client could present it',
    isSecret: true,
  }),
  API_KEYS_FILE: file(
    'JSON file of hashed keys with names, scopes and expiry; read again when it changes.',
    'no key in it would be accepted',
  ),
  ALLOW_DEVELOPMENT_KEY: setting(flag().prefault('false'), {
    description: 'Accept the published key dev_api_key as API_KEY on an address that is not loopback.',
    consequence: NO_START,
    isSwitch: true,
  }),
  RATE_LIMIT_PER_KEY: setting(whole(1, 10_000_000).prefault('1000'), {
    description: 'Requests a second that one key may make.',
    consequence: 'one caller could take the time of all others',
  }),
  RATE_LIMIT_PER_ADDRESS: setting(whole(1, 10_000_000).prefault('5000'), {
    description: 'Requests a second from one address (of IPv6, from one /56 network), whatever their keys.',
    consequence: 'one caller could take the time of all others',
  }),
  TRUSTED_PROXIES: setting(whole(0, 10).prefault('0'), {
    description:
      'Proxies in front of the API, each of which adds the address it was called from to X-Forwarded-For. 0: the header is ignored.',
    consequence: 'all callers would count as one address, or a caller could choose its own',
  }),
  TLS_CERT_FILE: file('PEM certificate chain; with TLS_KEY_FILE the API speaks https.', 'https could not be served'),
  TLS_KEY_FILE: file('PEM private key of TLS_CERT_FILE.', 'https could not be served'),
  DATA_DIR: setting(line(4096).prefault('./data'), {
    description: 'Folder of the SQLite file.',
    consequence: 'nothing could be remembered',
  }),
  DATABASE_URL: setting(postgresUrl().optional(), {
    description:
      'PostgreSQL (12 or newer) instead of SQLite: postgres://USER:PASSWORD@HOST:PORT/DATABASE, with ?sslmode=verify-full and, for a CA of your own, &sslrootcert=FILE.',
    consequence: 'nothing could be remembered',
    isSecret: true,
  }),
  DATABASE_URL_FILE: file('File that holds DATABASE_URL.', 'nothing could be remembered'),
  PREDICTIONS_KEPT_DAYS: setting(whole(1, 3650).prefault('30'), {
    description: 'Days after which stored answers of the detection API are removed; the counters stay.',
    consequence: 'the database would grow without end',
  }),
  PREDICTIONS_MAX_MIB: setting(whole(1, 1_048_576).prefault('512'), {
    description: 'Size that stored answers may take, about; the oldest go first. Never more than a million of them.',
    consequence: 'the database would grow without end',
  }),
  HISTORY_KEPT_DAYS: setting(whole(7, 3650).prefault('400'), {
    description: 'Days after which rows of the history, ended actions and resolved incidents are removed.',
    consequence: 'the record of what was healed would go early, or the database grow without end',
  }),
  PROMETHEUS_URL: setting(httpUrl().optional(), {
    description: 'Server that speaks the Prometheus API. Left out: no metrics are polled.',
    consequence: 'no metric could be read, so nothing would ever be healed',
  }),
  PROMETHEUS_BEARER_TOKEN_FILE: file('Bearer token for Prometheus.', 'Prometheus would refuse every query'),
  PROMETHEUS_CA_FILE: file('PEM bundle to trust for Prometheus.', 'Prometheus could not be trusted'),
  PROMETHEUS_BASIC_AUTH_USER: setting(line(256).optional(), {
    description: 'User name for Prometheus; goes with PROMETHEUS_BASIC_AUTH_PASSWORD_FILE.',
    consequence: 'Prometheus would refuse every query',
  }),
  PROMETHEUS_BASIC_AUTH_PASSWORD_FILE: file('Password for Prometheus.', 'Prometheus would refuse every query'),
  PROMETHEUS_TENANT: setting(line(256).optional(), {
    description: 'Sent as X-Scope-OrgID (Mimir, Cortex).',
    consequence: 'Prometheus would show another tenant’s series or none',
  }),
  PROMETHEUS_SCRAPE_INTERVAL_SECONDS: setting(whole(1, 3600).prefault('30'), {
    description: 'Scrape interval of the watched targets: samples older than two of them are stale.',
    consequence: 'nobody could tell fresh samples from stale ones',
  }),
  PROMETHEUS_TIMEOUT_SECONDS: setting(whole(1, 120).prefault('10'), {
    description: 'Deadline of one query with its retries.',
    consequence: 'a hanging Prometheus would hold every poll',
  }),
  FAILURE_LOGS: setting(word(['auto', 'none', 'loki', 'kubernetes']).prefault('auto'), {
    description:
      'Where detect-failure looks for log lines of the pods in a request that brings none. `auto`: Loki where LOKI_URL is set. Answers quote lines: whoever may call detect-failure sees them.',
    consequence: 'nobody could tell whose log lines callers may see',
  }),
  LOKI_URL: setting(httpUrl().optional(), {
    description: 'Loki, for policies with diagnosis.logs.source Loki and for detect-failure (FAILURE_LOGS).',
    consequence: 'no log line of Loki could be read',
  }),
  LOKI_BEARER_TOKEN_FILE: file('Bearer token for Loki.', 'Loki would refuse every query'),
  LOKI_CA_FILE: file('PEM bundle to trust for Loki.', 'Loki could not be trusted'),
  LOKI_TENANT: setting(line(256).optional(), {
    description: 'Sent to Loki as X-Scope-OrgID.',
    consequence: 'Loki would show another tenant’s lines or none',
  }),
  POLICY_ENGINE_URL: setting(httpUrl().optional(), {
    description: 'External policy engine that is asked before every action, for the whole cluster. No answer denies.',
    consequence: 'no action could be allowed',
  }),
  POLICY_ENGINE_TOKEN_FILE: file(
    'Bearer token for POLICY_ENGINE_URL; never sent to the engines of guardrails.',
    'the policy engine would refuse every question',
  ),
  THROTTLE_HOOK_URL: setting(httpUrl().optional(), {
    description: 'The one address that throttle_api with provider Hook calls.',
    consequence: 'throttle_api could not reach its hook',
  }),
  THROTTLE_HOOK_SECRET_FILE: file('Secret that signs calls of the hook.', 'the hook could not tell Aegis from others'),
  THROTTLE_PROVIDERS: setting(wordsOf(THROTTLE_PROVIDER_NAMES).prefault(THROTTLE_PROVIDER_NAMES.join(',')), {
    description:
      'Providers that throttle_api may use and for which this installation has the rights, separated by commas, or none. The hook needs no entry: it is there where THROTTLE_HOOK_URL is.',
    consequence: 'traffic might be limited where that was not meant',
  }),
  SINKS_FILE: file('JSON file of the named sinks that alerts go to.', 'no alert could be sent'),
  OUTBOUND_ALLOW: setting(hosts().prefault(''), {
    description:
      'Further hosts that policy engines of guardrails may be on: HOST, HOST:PORT, or http://HOST:PORT for plain http. Sinks, POLICY_ENGINE_URL and THROTTLE_HOOK_URL are on the list already.',
    consequence: 'nobody could tell which hosts may be called',
    defaultText: 'none',
  }),
  AEGIS_CLUSTER: setting(word(['auto', 'off', 'required']).prefault('auto'), {
    description:
      '`auto`: heal where a cluster is named (inside a pod, KUBECONFIG or --context), else serve the API alone. `off`: the API alone. `required`: stop without a cluster.',
    consequence: NO_START,
  }),
  KUBECONFIG: setting(line(4096).optional(), {
    description: 'Kubeconfig file. ~/.kube/config is used only with --context or AEGIS_CLUSTER=required.',
    consequence: 'no cluster could be reached',
  }),
  KUBE_CONTEXT: setting(line(256).optional(), {
    description: 'Context of the kubeconfig.',
    consequence: 'another cluster might be healed',
    flag: 'context',
  }),
  WATCH_NAMESPACES: setting(namespaces().prefault(''), {
    description:
      'Namespaces to watch, separated by commas: no request leaves them, the guardrails of the cluster are not read; see GUARDRAIL_CONFIG_MAP.',
    consequence: 'namespaces might be watched that were not meant',
    defaultText: 'all',
  }),
  ENABLED_ACTIONS: setting(wordsOf(EFFECT_NAMES).prefault(EFFECT_NAMES.join(',')), {
    description: 'Actions for which this installation has the rights, separated by commas, or none.',
    consequence: 'actions might be enabled that were not meant',
  }),
  DRY_RUN: setting(flag().prefault('false'), {
    description:
      'No action that changes the cluster is enabled, whatever policies say: their rungs are skipped as ActionNotAllowed. People are still told.',
    consequence: 'nobody could tell whether actions are real',
    isSwitch: true,
  }),
  LEASE_NAME: setting(dnsName().prefault('aegis'), {
    description: 'Lease that elects the one replica that acts.',
    consequence: 'two replicas might act',
  }),
  LEASE_NAMESPACE: setting(dnsName().optional(), {
    description: 'Namespace of the lease.',
    consequence: 'two replicas might act',
    defaultText: 'POD_NAMESPACE, else that of the kubeconfig',
  }),
  GUARDRAIL_CONFIG_MAP: setting(dnsName().prefault('aegis-guardrail'), {
    description:
      'With WATCH_NAMESPACES: the ConfigMap, in the namespace of the lease, that holds the kill switch and the other fields of a guardrail.',
    consequence: 'the kill switch might not be seen',
  }),
  POD_NAME: setting(dnsName().optional(), {
    description: 'Own pod: the holder of the lease, and never a target.',
    consequence: 'Aegis might act on itself',
  }),
  POD_NAMESPACE: setting(dnsName().optional(), {
    description: 'Own namespace.',
    consequence: 'Aegis might act on itself',
  }),
  OWN_RELIST_SECONDS: setting(whole(1, 3600).prefault('60'), {
    description: 'Seconds between two full lists of Aegis’s own kinds.',
    consequence: 'a lost event would never be noticed',
  }),
  RELIST_SECONDS: setting(whole(1, DAY).prefault('300'), {
    description: 'Seconds between two full lists of everything else.',
    consequence: 'a lost event would never be noticed',
  }),
  ACTION_TTL_SECONDS: setting(whole(60, 365 * DAY).prefault(String(7 * DAY)), {
    description: 'Seconds after which finished action objects are removed, once the store holds them.',
    consequence: 'action objects would pile up',
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: setting(httpUrl().optional(), {
    description:
      'OpenTelemetry collector that traces of requests go to (OTLP over HTTP, JSON; /v1/traces is added). Left out: nothing is traced, and neither SDK nor exporter is loaded.',
    consequence: 'no trace could be sent',
  }),
  OTEL_EXPORTER_OTLP_HEADERS: setting(otlpHeaders().prefault(''), {
    description: 'Headers for the collector, NAME=VALUE separated by commas, values percent-encoded.',
    consequence: 'the collector would refuse every trace',
    isSecret: true,
    defaultText: 'none',
  }),
  OTEL_TRACES_SAMPLER_ARG: setting(decimal(0, 1).prefault('1'), {
    description:
      'Share of the traces that begin here and are recorded, above 0; a caller’s own trace follows its caller.',
    consequence: 'nobody could tell which requests are traced',
  }),
  LOG_LEVEL: setting(word(['debug', 'info', 'warn', 'error', 'silent']).prefault('info'), {
    description: 'Least level that is logged.',
    consequence: 'nobody could tell what is logged',
  }),
} as const satisfies Record<string, z.ZodType>;

export type SettingName = keyof typeof SETTINGS;
export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

/** The one schema over environment, `.env` and flags. */
export const Settings = z.object(SETTINGS);
/** Typed values of all settings. */
export type Settings = z.output<typeof Settings>;
