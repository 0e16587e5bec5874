import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createMetricSource, type PrometheusSource } from '../../../src/prometheus/metric-source.ts';
import {
  aPreset,
  aQuery,
  aWish,
  isDiscovery,
  NOW,
  prometheus,
  queryOf,
  vector,
} from '../../support/builders/prometheus.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { recordedLog } from '../../support/recorders.ts';
import { json, scriptedServer, type Script, type ScriptedServer } from '../../support/scripted-server.ts';

let server: ScriptedServer;
let source: PrometheusSource;

const matrix = (...result: unknown[]): unknown => ({ status: 'success', data: { resultType: 'matrix', result } });
const series = (labels: Readonly<Record<string, string>>, ...values: [number, unknown][]): unknown => ({
  metric: { namespace: 'shop', ...labels },
  values,
});
const probing = prometheus({ probes: ['container_cpu_usage_seconds_total'], rows: () => [] });
const ranges =
  (script: Script): Script =>
  (request, ...rest) =>
    (isDiscovery(queryOf(request)) ? probing : script)(request, ...rest);

beforeEach(async () => {
  server = await scriptedServer(ranges(json(matrix())));
  source = createMetricSource(
    { url: server.url, log: recordedLog(), timeoutMs: 2000, retry: { attempts: 0 } },
    fakeClock(NOW),
  );
});
afterEach(async () => {
  await source.close();
  await server.close();
});

const past = (wish = aWish(), hours = 1, stepMs = 15_000) =>
  source.backfill(wish, NOW - hours * 3_600_000, NOW, stepMs);
const asked = () =>
  server.requests
    .filter(({ url }) => url.includes('query_range'))
    .map((request) => Object.fromEntries(new URLSearchParams(request.body)));

describe('back-fill', () => {
  test('asks for the values alone, over the period at the step', async () => {
    await past();
    expect(asked()).toMatchObject([{ start: String(NOW / 1000 - 3600), end: String(NOW / 1000), step: '15' }]);
    expect(asked()[0]?.['query']).toContain('container_cpu_usage_seconds_total');
    expect(asked()[0]?.['query']).not.toContain('aegis_time');
  });

  test('points become numbers, and what is no number a gap', async () => {
    server.script(ranges(json(matrix(series({ pod: 'p' }, [100, '1'], [115, 'NaN'], [130, '+Inf'], [145, '2.5'])))));
    expect(await past()).toEqual({
      ok: true,
      value: [
        { metric: 'cpu_usage', pod: 'p', timesMs: Float64Array.of(100_000, 145_000), values: Float64Array.of(1, 2.5) },
      ],
    });
  });

  test.each([
    ['unordered points', series({ pod: 'bad' }, [130, '1'], [115, '2'])],
    ['a repeated time', series({ pod: 'bad' }, [130, '1'], [130, '2'])],
    ['a native histogram', { metric: { namespace: 'shop', pod: 'bad' }, histograms: [[100, {}]] }],
    ['points that are none', { metric: { namespace: 'shop', pod: 'bad' }, values: [[100, 5]] }],
    ['another namespace', { metric: { namespace: 'bank', pod: 'bad' }, values: [[100, '1']] }],
    ['nothing at all', null],
  ])('%s cost their own series only', async (_, bad) => {
    server.script(ranges(json(matrix(bad, series({ pod: 'good' }, [100, '1'])))));
    const reply = await past();
    expect(reply.ok && reply.value.map(({ pod }) => pod)).toEqual(['good']);
  });

  test('series without a pod keep the workload that they name; of those that name it twice none is kept', async () => {
    const lag = aQuery('sum by (deployment, queue) (lag)', 'lag');
    server.script(
      ranges(
        json(
          matrix(
            series({ deployment: 'cart' }, [100, '1']),
            series({ statefulset: 'cart' }, [100, '2']),
            series({ workload: 'mail' }, [100, '3']),
            series({ deployment: 'web', queue: 'a' }, [100, '4']),
            series({ deployment: 'web', queue: 'b' }, [100, '5']),
            series({}, [100, '6']),
          ),
        ),
      ),
    );
    const reply = await past(aWish({ metrics: [lag] }));
    expect(reply.ok && reply.value.map(({ workload, values }) => [workload, values[0]])).toEqual([
      [{ name: 'cart', kind: 'Deployment' }, 1],
      [{ name: 'cart', kind: 'StatefulSet' }, 2],
      [{ name: 'mail' }, 3],
      [undefined, 6],
    ]);
  });

  test('too long a period loses its oldest part', async () => {
    await past(aWish(), 24 * 30, 15_000);
    expect(Number(asked()[0]?.['end']) - Number(asked()[0]?.['start'])).toBe(9999 * 15);
  });

  test('an empty period asks nothing', async () => {
    expect(await source.backfill(aWish(), NOW, NOW, 15_000)).toEqual({ ok: true, value: [] });
    expect(asked()).toEqual([]);
  });

  test('more points than allowed are refused before they are taken apart', async () => {
    const values = Array.from({ length: 10_000 }, (_, i): [number, string] => [i, '1']);
    const many = Array.from({ length: 26 }, (_, i) => series({ pod: `p-${i}` }, ...values));
    server.script(ranges(json(matrix(...many))));
    expect(await past()).toMatchObject({ ok: false, error: { kind: 'QueryTooLarge' } });
  });

  test('values made out of nothing are not taught, and a wrong query stops nobody', async () => {
    server.script(
      ranges((request, ...rest) =>
        (queryOf(request).includes('wrong')
          ? json({ status: 'error', errorType: 'bad_data', error: 'x' }, 400)
          : json(matrix(series({ pod: 'p' }, [100, '1']))))(request, ...rest),
      ),
    );
    const metrics = [
      aQuery('sum(x) or vector(0)', 'zero'),
      aQuery('sum(wrong)', 'wrong'),
      aQuery('a', 'fine'),
      aPreset('cpu_usage'),
    ];
    const reply = await past(aWish({ metrics }));
    expect(reply.ok && reply.value.map(({ metric }) => metric)).toEqual(['cpu_usage', 'fine']);
  });

  test.each<[string, Script, string]>([
    ['a warning', json({ ...(matrix() as object), warnings: ['x'] }), 'Partial'],
    ['503 with text', (_, response) => void response.writeHead(503).end('no'), 'Unreachable'],
    ['no JSON', (_, response) => void response.end('<html>'), 'BadReply'],
    ['401', json({}, 401), 'Unauthorized'],
    ['a vector', json(vector([])), 'BadReply'],
  ])('%s is an error with its kind', async (_, script, kind) => {
    server.script(ranges(script));
    const reply = await past();
    if (kind === 'BadReply' && reply.ok) expect(reply.value).toEqual([]);
    else expect(reply).toMatchObject({ ok: false, error: { kind } });
  });
});

describe('alerts that fire', () => {
  const alert = (name: string, state: string): unknown => ({
    labels: { alertname: name },
    annotations: {},
    state,
    activeAt: '2026-01-05T12:00:00Z',
    value: '1',
  });
  const answer = (api: Script, rows: readonly string[], extra: Readonly<Record<string, unknown>> = {}): void =>
    server.script((request, ...rest) =>
      (request.url.includes('/alerts')
        ? api
        : json(
            vector(
              rows.map((alertname) => ({ labels: { alertname }, value: '1' })),
              NOW,
              extra,
            ),
          ))(request, ...rest),
    );
  const listed = (...alerts: unknown[]): Script => json({ status: 'success', data: { alerts } });

  test('are those of the API and of the series together', async () => {
    answer(listed(alert('A', 'firing'), alert('P', 'pending'), alert('A', 'firing')), ['B']);
    expect(await source.firingAlerts()).toEqual({ ok: true, value: ['A', 'B'] });
  });

  test('none', async () => {
    answer(listed(), []);
    expect(await source.firingAlerts()).toEqual({ ok: true, value: [] });
  });

  test('a server without the API is taken by its series', async () => {
    answer(json({}, 404), ['B']);
    expect(await source.firingAlerts()).toEqual({ ok: true, value: ['B'] });
  });

  test.each<[string, () => void]>([
    ['the API fails', () => answer(json({}, 500), ['B'])],
    ['the API answers nonsense', () => answer(json({ status: 'success', data: { alerts: [7] } }), ['B'])],
    [
      'the series fail',
      () =>
        server.script((request, ...rest) =>
          (request.url.includes('/alerts') ? listed() : json({}, 500))(request, ...rest),
        ),
    ],
    ['the series are partial', () => answer(listed(), [], { warnings: ['x'] })],
  ])('cannot be told when %s', async (_, script) => {
    script();
    expect((await source.firingAlerts()).ok).toBe(false);
  });
});

describe('what is known without asking', () => {
  test.each([
    ['presets look back over their rate window', aWish(), 120_000],
    ['restarts do not look back', aWish({ metrics: [aPreset('restarts')] }), 0],
    [
      'an author’s query as far as it says',
      aWish({ metrics: [aQuery('rate(a[1h])'), aPreset('cpu_usage')] }),
      3_600_000,
    ],
    ['a refused query does not count', aWish({ metrics: [aQuery('rate(a[1h]')] }), 0],
  ])('%s', (_, wish, expected) => {
    expect(source.lookBackMs(wish)).toBe(expected);
  });

  test('what is wrong with a policy’s metrics', () => {
    const metrics = [aPreset('cpu_usage'), aPreset('cpu'), aQuery('up[5m]', 'range'), aQuery('sum(a)', 'fine')];
    expect(source.checkQueries(aWish({ metrics }))).toEqual([
      { metric: 'cpu', message: 'no preset cpu' },
      { metric: 'range', message: 'the query gives a matrix, not an instant vector' },
    ]);
    expect(server.requests).toEqual([]);
  });
});
