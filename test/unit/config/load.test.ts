import { describe, expect, test } from '@jest/globals';
import type { Config } from '../../../src/config/config.ts';
import { helpText } from '../../../src/config/help.ts';
import { API_KEY_NAME } from '../../../src/config/keys-file.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { EFFECT_NAMES } from '../../../src/config/schema.ts';
import { EFFECTS } from '../../../src/policy/action.ts';

type Env = Record<string, string>;

const load = (env: Env = {}, argv: string[] = [], files: Env = {}) =>
  loadConfig({ env, argv, readFile: (path) => files[path] });

function config(env: Env = {}, argv: string[] = [], files: Env = {}): Config {
  const loaded = load(env, argv, files);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  return loaded.value;
}

function problems(env: Env = {}, argv: string[] = [], files: Env = {}): string[] {
  const loaded = load(env, argv, files);
  return loaded.ok ? [] : loaded.error.map(({ path }) => path);
}

describe('nothing set', () => {
  test('the API alone on loopback, port 8000, SQLite in ./data, and it says so loudly', () => {
    expect(config()).toEqual({
      http: {
        ...{ host: '127.0.0.1', port: 8000, keys: { kind: 'development' } },
        ...{ rate: { perKey: 1_000, perAddress: 5_000 }, trustedProxies: 0 },
      },
      detection: { anomalyThreshold: 0.85, failureWindowMs: 300_000, minSamples: 100, logs: 'none' },
      store: { kind: 'sqlite', dataDir: './data' },
      retention: { predictionAgeMs: 30 * 86_400_000, predictionBytes: 512 << 20, historyAgeMs: 400 * 86_400_000 },
      sinks: [],
      outboundAllow: [],
      enabledActions: ['restart_pod', 'scale_up', 'scale_down', 'throttle_api', 'clear_cache'],
      throttleProviders: ['EnvoyGateway', 'Istio', 'IngressNginx'],
      dryRun: false,
      logLevel: 'info',
      warnings: ['No API key is set: listening on 127.0.0.1 only and accepting the published key dev_api_key.'],
    });
  });

  test('the result is frozen to its leaves', () => {
    const loaded = config();
    expect(Object.isFrozen(loaded) && Object.isFrozen(loaded.http) && Object.isFrozen(loaded.enabledActions)).toBe(
      true,
    );
  });

  test('the names of the effects are those of the policy room', () => {
    expect(EFFECT_NAMES).toEqual(EFFECTS);
  });
});

describe('precedence', () => {
  test.each<[string, Env, string[], Env, number]>([
    ['.env', {}, [], { '.env': 'PORT=8001' }, 8001],
    ['environment before .env', { PORT: '8002' }, [], { '.env': 'PORT=8001' }, 8002],
    ['flag before environment', { PORT: '8002' }, ['--port', '8003'], { '.env': 'PORT=8001' }, 8003],
    ['flag with an equals sign', {}, ['--port=8004'], {}, 8004],
    ['an empty value is none', { PORT: '' }, [], { '.env': 'PORT=8001' }, 8001],
  ])('%s', (_, env, argv, files, port) => {
    expect(config(env, argv, files).http.port).toBe(port);
  });

  test("the old guide's .env, remarks included, works as it stands", () => {
    const dotenv = [
      '# Model Tuning',
      'ANOMALY_THRESHOLD=0.9  # Higher = fewer false positives',
      'FAILURE_DETECTION_WINDOW=600  # Time window in seconds',
      'MIN_SAMPLES_FOR_TRAINING=50  # Minimum training samples',
      '',
      '# API Security',
      'API_KEY=your_secure_api_key_here',
    ].join('\n');
    const loaded = config({}, [], { '.env': dotenv });
    expect(loaded.detection).toMatchObject({ anomalyThreshold: 0.9, failureWindowMs: 600_000, minSamples: 50 });
    const { keys } = loaded.http;
    expect(keys.kind === 'configured' && keys.apiKey?.reveal()).toBe('your_secure_api_key_here');
    expect(loaded.warnings).toEqual([]);
    const open = config({}, ['--host', '0.0.0.0'], { '.env': dotenv });
    expect(open.warnings).toEqual([expect.stringContaining('everybody who reaches 0.0.0.0') as unknown]);
  });

  test('a key may hold blanks inside', () => {
    const { keys } = config({ API_KEY: 'a key, two words' }).http;
    expect(keys.kind === 'configured' && keys.apiKey?.reveal()).toBe('a key, two words');
  });
});

describe('a wrong value stops the start and is named', () => {
  test.each<[string, Env, string]>([
    ['a threshold of 0', { ANOMALY_THRESHOLD: '0' }, 'ANOMALY_THRESHOLD'],
    ['a threshold of 1.1', { ANOMALY_THRESHOLD: '1.1' }, 'ANOMALY_THRESHOLD'],
    ['a threshold in words', { ANOMALY_THRESHOLD: 'high' }, 'ANOMALY_THRESHOLD'],
    ['a threshold of 1e-1', { ANOMALY_THRESHOLD: '1e-1' }, 'ANOMALY_THRESHOLD'],
    ['a window of 0', { FAILURE_DETECTION_WINDOW: '0' }, 'FAILURE_DETECTION_WINDOW'],
    ['a port of 70000', { PORT: '70000' }, 'PORT'],
    ['a port of 80.5', { PORT: '80.5' }, 'PORT'],
    ['a file as Prometheus', { PROMETHEUS_URL: 'file:///etc/passwd' }, 'PROMETHEUS_URL'],
    ['a password in the address', { PROMETHEUS_URL: 'http://u:p@prometheus' }, 'PROMETHEUS_URL'],
    ['an open address without a key', { HOST: '0.0.0.0' }, 'HOST'],
    ['an open address with the published key', { HOST: '0.0.0.0', API_KEY: 'dev_api_key' }, 'API_KEY'],
    ['a key of blanks', { API_KEY: '  ' }, 'API_KEY'],
    ['a key with a blank behind it', { API_KEY: 'a-key ' }, 'API_KEY'],
    ['a key that no header bears alike', { API_KEY: 'schlüssel' }, 'API_KEY'],
    ['a MySQL address', { DATABASE_URL: 'mysql://db' }, 'DATABASE_URL'],
    ['a password that is not percent-encoded', { DATABASE_URL: 'postgres://a:50%off@db/a' }, 'DATABASE_URL'],
    ['two databases', { DATABASE_URL: 'postgres://db', DATABASE_URL_FILE: 'db' }, 'DATABASE_URL_FILE'],
    ['a file that cannot be read', { API_KEYS_FILE: 'gone.json' }, 'API_KEYS_FILE'],
    [
      'half of basic auth',
      { PROMETHEUS_URL: 'http://p', PROMETHEUS_BASIC_AUTH_USER: 'u' },
      'PROMETHEUS_BASIC_AUTH_PASSWORD_FILE',
    ],
    ['a token without a server', { PROMETHEUS_BEARER_TOKEN_FILE: 'token' }, 'PROMETHEUS_URL'],
    ['a certificate without its key', { TLS_CERT_FILE: 'cert' }, 'TLS_KEY_FILE'],
    ['an unknown action', { ENABLED_ACTIONS: 'restart_pod,reboot_node' }, 'ENABLED_ACTIONS'],
    ['a namespace in capitals', { WATCH_NAMESPACES: 'shop,Bank' }, 'WATCH_NAMESPACES'],
    ['an unknown mode of the cluster', { AEGIS_CLUSTER: 'maybe' }, 'AEGIS_CLUSTER'],
    ['a cluster that is required but not there', { AEGIS_CLUSTER: 'required' }, 'AEGIS_CLUSTER'],
    ['an operator without metrics', { AEGIS_CLUSTER: 'required', KUBECONFIG: '/k' }, 'PROMETHEUS_URL'],
    ['two kubeconfigs', { KUBECONFIG: '/a:/b' }, 'KUBECONFIG'],
    ['a host with a path', { OUTBOUND_ALLOW: 'example.com/x' }, 'OUTBOUND_ALLOW'],
    ['a level that does not exist', { LOG_LEVEL: 'loud' }, 'LOG_LEVEL'],
  ])('%s', (_, env, name) => {
    expect(problems(env, [], { cert: 'x', token: 'x', db: 'postgres://db' })).toContain(name);
  });

  test('all at once, each with what would follow from it', () => {
    const loaded = load({ ANOMALY_THRESHOLD: 'high', PROMETHEUS_URL: 'file:', PORT: '70000', HOST: '0.0.0.0' });
    expect(loaded.ok ? [] : loaded.error.map(({ path, message }) => `${path} ${message}`)).toEqual([
      'ANOMALY_THRESHOLD must be a number above 0 and at most 1; with it no score could be judged',
      'PORT must be a whole number from 0 to 65535; with it the API could not listen',
      'PROMETHEUS_URL must be an http or https address without user name, password and fragment; with it no metric could be read, so nothing would ever be healed',
      'HOST is not loopback and no key is set: anybody could call the API; set API_KEY or API_KEYS_FILE',
    ]);
  });

  test.each([
    ['an unknown flag', ['--prot', '1'], ['--prot', 'argument 2']],
    ['a flag without a value', ['--port'], ['--port']],
  ])('%s', (_, argv, expected) => {
    expect(problems({}, argv)).toEqual(expected);
  });
});

describe('secrets', () => {
  const CANARY = 'canary-4711';

  test('no problem shows a value, whatever setting it landed in', () => {
    const names = [
      'PORT',
      'HOST',
      'API_KEYS_FILE',
      'SINKS_FILE',
      'PROMETHEUS_URL',
      'DATABASE_URL',
      'LOG_LEVEL',
      'AEGIS_CLUSTER',
    ];
    const env = Object.fromEntries(names.map((name) => [name, `\u0000${CANARY}`]));
    const loaded = load(env, [CANARY, `--api-key=${CANARY}`], { [`\u0000${CANARY}`]: `{"${CANARY}":` });
    expect(loaded.ok).toBe(false);
    expect(JSON.stringify(loaded)).not.toContain(CANARY);
  });

  test('a configuration that is printed shows neither key nor database', () => {
    const loaded = config({ API_KEY: CANARY, DATABASE_URL: `postgres://aegis:${CANARY}@db/aegis` });
    expect(`${JSON.stringify(loaded)} ${String(loaded.store.kind === 'postgres' && loaded.store.url)}`).not.toContain(
      CANARY,
    );
    expect(loaded.store.kind === 'postgres' && loaded.store.url.reveal()).toContain(CANARY);
  });

  test('a file of keys is read, and its hashes are not shown when it is wrong', () => {
    const key = { name: 'ops', sha256: 'a'.repeat(64), scopes: ['detect', 'approve'], expires: '2030-01-01T00:00:00Z' };
    const { keys } = config({ HOST: '0.0.0.0', API_KEYS_FILE: 'k' }, [], { k: JSON.stringify({ keys: [key] }) }).http;
    expect(keys).toEqual({
      kind: 'configured',
      keysFile: 'k',
      keys: [{ name: 'ops', sha256: 'a'.repeat(64), scopes: ['detect', 'approve'], expiresAtMs: 1_893_456_000_000 }],
    });
    const wrong = load({ API_KEYS_FILE: 'k' }, [], { k: JSON.stringify({ keys: [{ ...key, sha256: CANARY }] }) });
    expect(JSON.stringify(wrong)).not.toContain(CANARY);
    expect(wrong.ok ? [] : wrong.error.map(({ path }) => path)).toEqual(['API_KEYS_FILE: keys.0.sha256']);
  });

  test.each([
    ['no JSON', 'nope', 'API_KEYS_FILE'],
    [
      'the name of the key in API_KEY',
      JSON.stringify({ keys: [{ name: API_KEY_NAME, sha256: 'a'.repeat(64), scopes: ['read'] }] }),
      'API_KEYS_FILE: keys.0.name',
    ],
    [
      'a name twice',
      JSON.stringify({ keys: [1, 2].map(() => ({ name: 'a', sha256: 'b'.repeat(64), scopes: ['read'] })) }),
      'API_KEYS_FILE',
    ],
    [
      'a scope that does not exist',
      JSON.stringify({ keys: [{ name: 'a', sha256: 'b'.repeat(64), scopes: ['root'] }] }),
      'API_KEYS_FILE: keys.0.scopes.0',
    ],
  ])('a file of keys with %s', (_, text, path) => {
    expect(problems({ API_KEYS_FILE: 'k' }, [], { k: text })).toEqual([path]);
  });
});

describe('sinks and hosts that may be called', () => {
  const sinks = {
    sinks: [
      { name: 'am', type: 'Alertmanager', url: 'http://alertmanager.monitoring:9093' },
      { name: 'chat', type: 'Slack', urlFile: '/secrets/slack' },
      { name: 'duty', type: 'PagerDuty', routingKeyFile: '/secrets/pd' },
      { name: 'hook', type: 'Webhook', url: 'https://hooks.example/aegis', secretFile: '/secrets/hook' },
    ],
  };

  test('hosts of sinks, engine and hook are on the list already', () => {
    const loaded = config(
      { SINKS_FILE: 's', POLICY_ENGINE_URL: 'https://engine:8443/x', OUTBOUND_ALLOW: 'opa.example, http://[::1]:81' },
      [],
      { s: JSON.stringify(sinks) },
    );
    expect(loaded.sinks).toHaveLength(4);
    expect(loaded.outboundAllow).toEqual([
      { scheme: 'https', host: 'opa.example' },
      { scheme: 'http', host: '::1', port: 81 },
      { scheme: 'https', host: 'engine', port: 8443 },
      { scheme: 'http', host: 'alertmanager.monitoring', port: 9093 },
      { scheme: 'https', host: 'hooks.slack.com' },
      { scheme: 'https', host: 'events.pagerduty.com' },
      { scheme: 'https', host: 'hooks.example' },
    ]);
  });

  test.each<[string, object, string]>([
    ['an unknown type', { name: 'a', type: 'Fax' }, 'SINKS_FILE: sinks.0.type'],
    ['a credential in the file', { name: 'a', type: 'Slack', urlFile: '/s', url: 'https://x' }, 'SINKS_FILE: sinks.0'],
    ['a password in the address', { name: 'a', type: 'Alertmanager', url: 'http://u:p@am' }, 'SINKS_FILE: sinks.0.url'],
  ])('a sink with %s', (_, sink, path) => {
    expect(problems({ SINKS_FILE: 's' }, [], { s: JSON.stringify({ sinks: [sink] }) })).toEqual([path]);
  });
});

describe('which cluster', () => {
  const access = (env: Env, argv: string[] = []) => config(env, argv).cluster?.access;

  test.each<[string, Env, string[], unknown]>([
    ['none: the API alone', { HOME: '/home/ann' }, [], undefined],
    [
      'the own pod',
      { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '6443' },
      [],
      { kind: 'in-cluster', host: '10.0.0.1', port: '6443' },
    ],
    ['KUBECONFIG', { KUBECONFIG: '/k' }, [], { kind: 'kubeconfig', path: '/k' }],
    [
      'KUBECONFIG before the own pod',
      { KUBECONFIG: '/k', KUBERNETES_SERVICE_HOST: 'x' },
      [],
      { kind: 'kubeconfig', path: '/k' },
    ],
    [
      'the default file only with a context',
      { HOME: '/home/ann' },
      ['--context', 'kind'],
      { kind: 'kubeconfig', path: '/home/ann/.kube/config', context: 'kind' },
    ],
    [
      'the default file when a cluster is required',
      { HOME: '/home/ann', AEGIS_CLUSTER: 'required', PROMETHEUS_URL: 'http://p' },
      [],
      { kind: 'kubeconfig', path: '/home/ann/.kube/config' },
    ],
    ['off, whatever is there', { KUBECONFIG: '/k', AEGIS_CLUSTER: 'off' }, [], undefined],
  ])('%s', (_, env, argv, expected) => {
    expect(access(env, argv)).toEqual(expected);
  });

  test('the lease lies in the own namespace', () => {
    const { cluster } = config({ KUBECONFIG: '/k', POD_NAMESPACE: 'aegis', WATCH_NAMESPACES: 'shop, bank' });
    expect(cluster).toMatchObject({ lease: { name: 'aegis', namespace: 'aegis' }, watchNamespaces: ['shop', 'bank'] });
  });

  test('no action enabled is a choice', () => {
    expect(config({ ENABLED_ACTIONS: 'none' }).enabledActions).toEqual([]);
    expect(config({}, ['--dry-run']).dryRun).toBe(true);
  });
});

test('the help names every setting with its flag and default', () => {
  expect(helpText()).toContain('--anomaly-threshold');
  expect(helpText()).toContain('(default 0.85)');
  expect(helpText()).toContain('--context');
});
