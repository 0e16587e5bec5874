import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createMetricSource, type PrometheusSource } from '../../../src/prometheus/metric-source.ts';
import {
  aPreset,
  aQuery,
  aWish,
  exceptDiscovery,
  healthyRows,
  isDiscovery,
  NOW,
  queryOf,
  vector,
} from '../../support/builders/prometheus.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { recordedLog } from '../../support/recorders.ts';
import { hang, json, scriptedServer, type Script, type ScriptedServer } from '../../support/scripted-server.ts';

const PROBES = ['container_cpu_usage_seconds_total', 'container_memory_working_set_bytes'];
const METRICS = ['cpu_usage', 'memory_usage'];
const HOUR = 3_600_000;
const wish = aWish({ metrics: METRICS.map(aPreset) });

let server: ScriptedServer;
let source: PrometheusSource;

beforeEach(async () => {
  server = await scriptedServer(json({}));
  const retry = { attempts: 0, initialDelayMs: 1 };
  source = createMetricSource({ url: server.url, log: recordedLog(), timeoutMs: 400, retry }, fakeClock(NOW));
});
afterEach(async () => {
  await source.close();
  await server.close();
});

const isMerged = (query: string): boolean => query.includes('aegis_query');
const rowsOf = (index: number) =>
  healthyRows('shop', String(index + 1)).map((row) => ({
    ...row,
    labels: { ...row.labels, aegis_query: String(index) },
  }));
const together = json(vector([...rowsOf(0), ...rowsOf(1)]));
const apart = json(vector(healthyRows('shop', '7')));
/** `merged` answers what is asked for together, `single` every query by itself. */
const answer = (merged: Script, single: Script = apart): void =>
  server.script(
    exceptDiscovery((request, ...rest) => (isMerged(queryOf(request)) ? merged : single)(request, ...rest), PROBES),
  );
/** What was asked in a poll at the time: `merged` or `single`. */
async function asked(atMs: number, wished = wish): Promise<readonly string[]> {
  const before = server.requests.length;
  await source.poll([wished], atMs);
  const queries = server.requests.slice(before).map(queryOf);
  return queries.filter((query) => !isDiscovery(query)).map((query) => (isMerged(query) ? 'merged' : 'single'));
}
async function told(atMs = NOW): Promise<readonly string[]> {
  const { policies } = await source.poll([wish], atMs);
  return (policies[0]?.readings ?? []).map(({ metric, pod, reading }) =>
    [metric, pod ?? 'workload', reading.kind === 'value' ? reading.value : reading.reason].join(' '),
  );
}

describe('preset queries go to the server together', () => {
  test('one exchange, and each metric has its own readings', async () => {
    answer(together);
    expect(await asked(NOW)).toEqual(['merged']);
    expect(await told()).toEqual([
      'cpu_usage checkout-1 1',
      'cpu_usage checkout-2 1',
      'memory_usage checkout-1 2',
      'memory_usage checkout-2 2',
    ]);
  });

  test('what an author wrote stays by itself: a wrong one takes no preset with it', async () => {
    answer(together);
    const mixed = aWish({ metrics: [...METRICS.map(aPreset), aQuery('sum(x)')] });
    expect([...(await asked(NOW, mixed))].sort()).toEqual(['merged', 'single']);
  });

  test('a single query is sent as it is', async () => {
    answer(together);
    expect(await asked(NOW, aWish({ metrics: [aPreset('cpu_usage')] }))).toEqual(['single']);
  });
});

describe('one by one, in the same poll and for an hour', () => {
  test.each<[string, Script]>([
    ['the server refuses the expression', json({ status: 'error', errorType: 'bad_data', error: 'x' }, 400)],
    ['it is too much', json({ status: 'error', error: 'too many samples' }, 422)],
    ['the reply is partial', json(vector([...rowsOf(0), ...rowsOf(1)], NOW, { warnings: ['store x is down'] }))],
    ['rows do not say whose they are', json(vector(healthyRows('shop')))],
    ['a row names a query that was not asked', json(vector(rowsOf(9)))],
  ])('%s', async (_, merged) => {
    answer(merged);
    expect(await asked(NOW)).toEqual(['merged', 'single', 'single']);
    expect(await told(NOW + 5_000)).toEqual([
      'cpu_usage checkout-1 7',
      'cpu_usage checkout-2 7',
      'memory_usage checkout-1 7',
      'memory_usage checkout-2 7',
    ]);
    expect(await asked(NOW + 10_000)).toEqual(['single', 'single']);
    answer(together);
    expect(await asked(NOW + HOUR + 10_000)).toEqual(['merged']);
  });

  test('a deadline that passed: unknown now, one by one from the next poll on', async () => {
    answer(hang);
    expect(await told()).toEqual(['cpu_usage workload SourceError', 'memory_usage workload SourceError']);
    expect(await asked(NOW + 5_000)).toEqual(['single', 'single']);
  });

  test('a refused login says nothing about merging', async () => {
    answer(json({}, 401));
    expect(await asked(NOW)).toEqual(['merged']);
    expect(await asked(NOW + 5_000)).toEqual(['merged']);
  });

  test('replies of thousands of rows: what is saved is not worth it', async () => {
    const many = Array.from({ length: 2_001 }, (_, i) => i).flatMap((i) =>
      [0, 1].map((query) => ({
        labels: { namespace: 'shop', pod: `p-${i}`, aegis_query: String(query) },
        value: '1',
      })),
    );
    answer(json(vector(many)));
    expect(await asked(NOW)).toEqual(['merged']);
    expect(await asked(NOW + 5_000)).toEqual(['single', 'single']);
  });
});

describe('what is left over of a merged query', () => {
  const PARTS = ['cpu_usage', 'memory_usage', 'cpu_throttling', 'disk_io'];
  const PRESENT = [
    ...PROBES,
    'container_cpu_cfs_periods_total',
    'container_cpu_cfs_throttled_periods_total',
    'container_fs_writes_bytes_total',
    'container_fs_reads_bytes_total',
  ];
  const refused = json({ status: 'error', error: 'too many samples' }, 422);

  /** The server takes a moment for each part; how many of them it had at once at most. */
  async function pollHolding(concurrency: number): Promise<{ readonly most: number; readonly asked: number }> {
    await source.close();
    source = createMetricSource(
      { url: server.url, log: recordedLog(), retry: { attempts: 0 }, limits: { concurrency } },
      fakeClock(NOW),
    );
    const waiting: (() => void)[] = [];
    let [most, count] = [0, 0];
    const single: Script = (...args) => {
      count += 1;
      waiting.push(() => apart(...args));
      most = Math.max(most, waiting.length);
      setTimeout(() => waiting.shift()?.(), 20);
    };
    server.script(
      exceptDiscovery((request, ...rest) => (isMerged(queryOf(request)) ? refused : single)(request, ...rest), PRESENT),
    );
    await source.poll([aWish({ metrics: PARTS.map(aPreset) })], NOW);
    return { most, asked: count };
  }

  test('is asked at the same time, not one after the other', async () => {
    const { most, asked: count } = await pollHolding(6);
    expect(count).toBeGreaterThan(2);
    expect(most).toBe(count);
  });

  test('and never more at once than are allowed', async () => {
    const { most, asked: count } = await pollHolding(2);
    expect(count).toBeGreaterThan(2);
    expect(most).toBe(2);
  });
});
