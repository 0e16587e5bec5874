import { describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../../src/config/load.ts';
import { configText, settingsInForce } from '../../../src/config/print.ts';
import { SETTING_NAMES } from '../../../src/config/schema.ts';
import { secretsIn } from '../../../src/config/secrets-in.ts';

const sources = (env: Record<string, string>, argv: readonly string[] = [], dotenv = '') => ({
  env,
  argv,
  readFile: (path: string) => (path === '.env' ? dotenv : undefined),
});

describe('what is in force', () => {
  test('every setting stands there once, with where it came from', () => {
    const dotenv = 'PORT=1\nANOMALY_THRESHOLD=0.5\nLOG_LEVEL=warn\n';
    const shown = settingsInForce(sources({ PORT: '2', LOG_LEVEL: 'error' }, ['--port', '3'], dotenv));
    expect(shown.map(({ name }) => name)).toEqual(SETTING_NAMES);
    const of = (wanted: string) => shown.find(({ name }) => name === wanted);
    expect(of('PORT')).toEqual({ name: 'PORT', value: '3', from: 'flag' });
    expect(of('LOG_LEVEL')).toEqual({ name: 'LOG_LEVEL', value: 'error', from: 'environment' });
    expect(of('ANOMALY_THRESHOLD')).toEqual({ name: 'ANOMALY_THRESHOLD', value: '0.5', from: '.env' });
    expect(of('HOST')).toEqual({ name: 'HOST', value: '127.0.0.1', from: 'default' });
  });

  test('no secret is shown', () => {
    const text = configText(
      settingsInForce(
        sources({
          API_KEY: 'a-secret-key',
          DATABASE_URL: 'postgres://u:a-secret-password@db/x',
          OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20a-secret-token',
        }),
      ),
    );
    expect(text).not.toContain('a-secret');
    expect(text.match(/\[set, not shown\]/g)).toHaveLength(3);
  });
});

describe('the settings of the API', () => {
  const load = (env: Record<string, string>) => loadConfig(sources({ AEGIS_CLUSTER: 'off', ...env }));
  const problems = (env: Record<string, string>): readonly string[] => {
    const loaded = load(env);
    return loaded.ok ? [] : loaded.error.map(({ path }) => path);
  };

  test('limits and proxies have defaults', () => {
    const loaded = load({});
    expect(loaded.ok && loaded.value.http).toMatchObject({
      rate: { perKey: 1000, perAddress: 5000 },
      trustedProxies: 0,
    });
  });

  test.each([
    [{}, 'none'],
    [{ LOKI_URL: 'http://loki:3100' }, 'Loki'],
    [{ LOKI_URL: 'http://loki:3100', FAILURE_LOGS: 'none' }, 'none'],
  ])('%j: log lines from %s', (env, from) => {
    const loaded = load(env);
    expect(loaded.ok && loaded.value.detection.logs).toBe(from);
  });

  test('the headers of the collector are decoded, and blacked out in the log', () => {
    const loaded = load({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20x,x-tenant=shop',
    });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
    expect(JSON.parse(loaded.value.tracing?.headers.reveal() ?? '')).toEqual({
      authorization: 'Bearer x',
      'x-tenant': 'shop',
    });
    expect(secretsIn(loaded.value)).toContain('Bearer x');
  });

  test.each([
    [{ RATE_LIMIT_PER_KEY: '0' }, ['RATE_LIMIT_PER_KEY']],
    [{ TRUSTED_PROXIES: '11' }, ['TRUSTED_PROXIES']],
    [{ FAILURE_LOGS: 'loki' }, ['LOKI_URL']],
    [{ FAILURE_LOGS: 'kubernetes' }, ['FAILURE_LOGS']],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'file:///x' }, ['OTEL_EXPORTER_OTLP_ENDPOINT']],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'no value' }, ['OTEL_EXPORTER_OTLP_HEADERS']],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'a=%0d%0aevil: 1' }, ['OTEL_EXPORTER_OTLP_HEADERS']],
    [{ OTEL_TRACES_SAMPLER_ARG: '0' }, ['OTEL_TRACES_SAMPLER_ARG']],
  ])('%j is refused', (env, paths) => {
    expect(problems(env as Record<string, string>)).toEqual(paths);
  });
});
