import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { METRICS } from '../../../src/controller/metrics.ts';
import { createClient } from '../../../src/kubernetes/client.ts';
import { CachedClusterReader } from '../../../src/kubernetes/cluster-reader.ts';
import { createSqliteStore } from '../../../src/store/store.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { aKubeconfig } from '../../support/builders/kubernetes.ts';
import { aLine, aMetric, anApi, KEY } from '../../support/builders/http.ts';
import { aPrediction, aRow } from '../../support/builders/store.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { crashOne, releaseBadImage } from '../../support/fakes/troubles.ts';
import { aShop } from '../../support/fakes/world.ts';
import { memoryApi } from '../../support/memory-api.ts';
import { realClock } from '../../support/real-clock.ts';
import { deafClient } from '../../support/raw-http.ts';
import { recordedLog, recordedMetrics } from '../../support/recorders.ts';
import { eventually } from '../../support/scripted-api.ts';

jest.setTimeout(120_000);
const MINUTE = 60_000;

/** Numbers are counted by everything that runs: an operator that heals, tells and fails, its adapters, the API. */
const seen = new Set<string>();

async function heal(): Promise<void> {
  const world = await aShop();
  world.engine = { kind: 'allowed', policies: ['all'] };
  await anOperator(world, { logs: { read: () => Promise.resolve({ ok: true, value: [] }) } });
  await world.run(MINUTE);
  crashOne(world);
  await world.until('healed', () => world.ends().includes('restart_pod Healed'), 4 * MINUTE);
  // A poll that throws is a fault, API servers that refuse are failures, sources that are away are neither.
  const poll = world.source.poll.bind(world.source);
  world.source.poll = () => Promise.reject(new Error('nobody expected this'));
  await world.run(MINUTE);
  world.source.poll = poll;
  world.source.manner = 'unreachable';
  world.refusesOwn = () => true;
  await world.run(MINUTE);
  world.source.manner = 'well';
  world.refusesOwn = () => false;
  releaseBadImage(world);
  await world.until('told', () => world.firing().length > 0, 10 * MINUTE);
  for (const name of world.metrics.names()) seen.add(name);
}

async function watch(): Promise<void> {
  const metrics = recordedMetrics();
  const shared = { clock: realClock(), log: recordedLog(), metrics };
  const api = await memoryApi();
  const client = await createClient({
    ...shared,
    access: { kind: 'kubeconfig', path: await aKubeconfig(api.url) },
  });
  if (!client.ok) throw new Error(client.error);
  const reader = new CachedClusterReader({ ...shared, client: client.value, random: () => 0 });
  reader.start();
  await eventually(() => api.watched().length > 10, 'the watches');
  await api.stop();
  await eventually(() => metrics.names().has('aegis_watch_restarts_total'), 'a watch to end');
  await reader.stop();
  client.value.close();
  for (const name of metrics.names()) seen.add(name);
}

async function serve(): Promise<void> {
  const metrics = recordedMetrics();
  const api = await anApi({ deps: { metrics } });
  const body = { metrics: [aMetric({ value: 95 })] };
  await api.post('/api/v1/detect-anomaly', body);
  await api.post('/api/v1/detect-failure', { ...body, logs: [aLine()] });
  const deaf = deafClient(api.port, `GET /api/v1/events HTTP/1.1\r\nhost: x\r\nx-api-key: ${KEY}\r\n\r\n`);
  await eventually(() => metrics.value('aegis_event_streams') === 1, 'a stream of events');
  const far = { note: 'x'.repeat(64 * 1024) };
  await eventually(() => {
    api.deps.feed.publish('Healed', far);
    return metrics.value('aegis_event_streams_dropped_total') === 1;
  }, 'a reader to fall behind');
  deaf.close();
  await api.stop();
  for (const name of metrics.names()) seen.add(name);
}

async function store(): Promise<void> {
  const metrics = recordedMetrics();
  const clock = fakeClock();
  const small = await createSqliteStore({
    ...{ file: ':memory:', clock, log: recordedLog(), metrics, queueCapacity: 1, maxBytes: 400_000 },
  });
  for (let n = 0; n < 3; n++) small.recordPrediction(aPrediction({ id: `p-${n}`, atMs: clock.nowMs() }));
  await small.appendHistory([aRow()]);
  const rows = Array.from({ length: 400 }, (_, n) => aRow({ id: `r-${n}`, message: 'x'.repeat(2_000) }));
  await expect(small.appendHistory(rows)).rejects.toMatchObject({ cause: 'full' });
  await small.close();
  for (const name of metrics.names()) seen.add(name);
}

beforeAll(async () => {
  await heal();
  await watch();
  await serve();
  await store();
}, 120_000);

describe('every metric that is declared', () => {
  test.each(METRICS.map(({ name }) => [name]))('%s is counted by somebody', async (name) => {
    const page = await createMetrics({ log: recordedLog(), version: '1' }).page();
    expect(seen.has(name) || page.includes(`${name}{version="1"} 1`)).toBe(true);
  });

  test('nothing is counted that is not declared', () => {
    const declared = new Set(METRICS.map(({ name }) => name));
    expect([...seen].filter((name) => !declared.has(name))).toEqual([]);
  });
});

afterAll(() => seen.clear());
