import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { PolledPolicy } from '../../../src/controller/ports.ts';
import { createMetricSource, type PrometheusSource } from '../../../src/prometheus/metric-source.ts';
import type { MetricSourceOptions } from '../../../src/prometheus/options.ts';
import { aWish, healthyRows, isDiscovery, NOW, queryOf, vector } from '../../support/builders/prometheus.ts';
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { recordedLog } from '../../support/recorders.ts';
import { json, reset, scriptedServer, type Script, type ScriptedServer } from '../../support/scripted-server.ts';

const CPU = 'container_cpu_usage_seconds_total';

let server: ScriptedServer;
let source: PrometheusSource | undefined;

const open = (clock: FakeClock, options: Partial<MetricSourceOptions> = {}): PrometheusSource =>
  (source = createMetricSource({ url: server.url, log: recordedLog(), retry: { attempts: 0 }, ...options }, clock));

async function poll(): Promise<PolledPolicy> {
  const { policies } = (await source?.poll([aWish()], NOW)) ?? { policies: [] };
  if (policies[0] === undefined) throw new Error('no policy');
  return policies[0];
}

/** `unknown Stale`, or the value. */
const told = ({ readings }: PolledPolicy): string[] =>
  readings.map(({ pod, reading }) =>
    [pod ?? 'workload', reading.kind === 'value' ? reading.value : `unknown ${reading.reason}`].join(' '),
  );

beforeEach(async () => {
  server = await scriptedServer(reset);
});
afterEach(async () => {
  await source?.close();
  await server.close();
});

describe('the clock of the server', () => {
  /** It answers now by its own clock, which is so far ahead of ours; samples are so old by it. */
  const answering =
    (clock: FakeClock, aheadMs: number, ageMs: number, headers: Readonly<Record<string, string>> = {}): Script =>
    (...exchange) => {
      const nowMs = clock.nowMs() + aheadMs;
      const rows = vector(healthyRows('shop', '0.5', nowMs - ageMs), nowMs);
      const found = vector([{ labels: { namespace: 'shop', __name__: CPU }, value: '1' }], nowMs);
      json(isDiscovery(queryOf(exchange[0])) ? found : rows, 200, headers)(...exchange);
    };

  test.each([
    ['three minutes ahead of ours', 180_000, 'InFuture'],
    ['three minutes behind ours', -180_000, 'Stale'],
  ])('%s: unknown until it was seen to move on, then its samples are as old as it says', async (_, ahead, reason) => {
    const clock = fakeClock(NOW);
    open(clock);
    server.script(answering(clock, ahead, 5_000));
    const first = await poll();
    expect(told(first)).toEqual([`checkout-1 unknown ${reason}`, `checkout-2 unknown ${reason}`]);
    expect(first.problems[0]?.error.message).toContain('clock of the server is 3 min');
    clock.advance(15_000);
    expect(told(await poll())).toEqual(['checkout-1 0.5', 'checkout-2 0.5']);
    // By a clock of ours that is behind, samples of three minutes ago would be of now.
    server.script(answering(clock, ahead, 180_000));
    clock.advance(15_000);
    expect(told(await poll())).toEqual(['checkout-1 unknown Stale', 'checkout-2 unknown Stale']);
  });

  test('is not asked about a time of ours, and its time comes with the poll', async () => {
    const clock = fakeClock(NOW);
    const source = open(clock);
    server.script(answering(clock, 2_000, 5_000));
    const { atMs } = await source.poll([aWish()], NOW);
    expect(Math.abs(atMs - NOW - 2_000)).toBeLessThan(5);
    expect(server.requests.filter(({ body }) => new URLSearchParams(body).has('time'))).toEqual([]);
  });

  test('one that was set back by an hour shows what was an hour ago: unknown', async () => {
    const clock = fakeClock(NOW);
    open(clock);
    server.script(answering(clock, 0, 5_000));
    expect(told(await poll())).toEqual(['checkout-1 0.5', 'checkout-2 0.5']);
    server.script(answering(clock, -3_600_000, 5_000));
    for (let i = 0; i < 10; i++) {
      clock.advance(15_000);
      expect(told(await poll())).toEqual(['checkout-1 unknown Stale', 'checkout-2 unknown Stale']);
    }
  });

  test('what it evaluates a little before now is as old as its Date says', async () => {
    const clock = fakeClock(NOW);
    open(clock, { scrapeIntervalMs: 15_000 });
    const date = { date: new Date(NOW).toUTCString() };
    server.script(answering(clock, -28_000, 5_000, date));
    expect(told(await poll())).toEqual(['checkout-1 unknown Stale', 'checkout-2 unknown Stale']);
    server.script(answering(clock, -20_000, 5_000, date));
    expect(told(await poll())).toEqual(['checkout-1 0.5', 'checkout-2 0.5']);
  });
});
