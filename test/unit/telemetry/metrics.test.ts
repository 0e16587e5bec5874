import { describe, expect, test } from '@jest/globals';
import { METRICS } from '../../../src/controller/metrics.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { recordedLog } from '../../support/recorders.ts';

const metrics = () => {
  const log = recordedLog();
  return { log, sink: createMetrics({ log, version: '1.2.3' }) };
};

describe('the declared metrics', () => {
  test.each(METRICS.map((m) => [m.name, m] as const))('%s follows the naming rules', (name, declared) => {
    expect(name).toMatch(/^(aegis|ai_engine)_[a-z0-9_]+$/);
    expect(name.endsWith('_total')).toBe(declared.kind === 'counter');
    expect(declared.help).toMatch(/^[A-Z1].*\.$/);
    expect(declared.buckets !== undefined).toBe(declared.kind === 'histogram');
    for (const label of Object.keys(declared.labels)) expect(label).toMatch(/^[a-z_]+$/);
    for (const forbidden of ['pod', 'id', 'uid', 'key', 'user', 'message']) {
      expect(Object.keys(declared.labels)).not.toContain(forbidden);
    }
  });

  test('have names of their own', () => {
    expect(new Set(METRICS.map((m) => m.name)).size).toBe(METRICS.length);
  });
});

describe('the page', () => {
  test('keeps the names of the engine that is replaced', async () => {
    const { sink } = metrics();
    sink.count('ai_engine_anomaly_predictions_total', { severity: 'critical' });
    sink.count('ai_engine_failure_predictions_total', { failure_type: 'connection_timeout' });
    sink.observe('ai_engine_inference_duration_seconds', 0.0007, { model_type: 'anomaly' });
    const page = await sink.page();
    expect(page).toContain('ai_engine_anomaly_predictions_total{severity="critical"} 1');
    expect(page).toContain('ai_engine_failure_predictions_total{failure_type="connection_timeout"} 1');
    expect(page).toContain('ai_engine_inference_duration_seconds_bucket{le="0.001",model_type="anomaly"} 1');
    expect(page).toContain('aegis_build_info{version="1.2.3"} 1');
  });

  test('does not grow, whatever the labels say', async () => {
    const { sink } = metrics();
    const attack = (from: number): void => {
      for (let i = from; i < from + 5_000; i += 1) {
        sink.count('aegis_http_requests_total', { route: `/x${i}`, code: `${i}` });
        sink.count('ai_engine_failure_predictions_total', { failure_type: `x${i}` });
        sink.gauge('aegis_storm_active', 1, { scope: `n${i}` });
      }
    };
    attack(0);
    const lines = (await sink.page()).split('\n').length;
    attack(5_000);
    expect((await sink.page()).split('\n').length).toBe(lines);
    expect(lines).toBeLessThan(3_000);
    expect(await sink.page()).toContain('ai_engine_failure_predictions_total{failure_type="other"} 10000');
  });

  test('a value cannot forge a line', async () => {
    const { sink } = metrics();
    sink.gauge('aegis_storm_active', 1, { scope: 'a"} 9\naegis_leader 1\n' });
    expect(await sink.page()).not.toMatch(/^aegis_leader 1$/m);
  });
});

describe('the process itself', () => {
  test('is on the page, without what would wake it a hundred times a second', async () => {
    const page = await createMetrics({ log: recordedLog(), version: '1.2.3', processMetrics: true }).page();
    expect(page).toMatch(/^process_resident_memory_bytes \d+$/m);
    expect(page).toMatch(/^nodejs_eventloop_utilization [01](\.\d+)?/m);
    expect(page).not.toMatch(/eventloop_lag_(min|max|mean|stddev|p\d+)/);
  });
});

describe('a wrong use', () => {
  const uses: readonly (readonly [what: string, run: (sink: ReturnType<typeof createMetrics>) => void])[] = [
    ['a name that is not declared', (s) => s.count('aegis_nothing_total')],
    ['a gauge that is counted', (s) => s.count('aegis_leader')],
    ['a number that is none', (s) => s.gauge('aegis_leader', NaN)],
    ['a counter that falls', (s) => s.count('aegis_queries_total', { source: 'prometheus' }, -1)],
  ];
  test.each(uses)('%s is logged once and never throws', (_what, run) => {
    const { sink, log } = metrics();
    run(sink);
    run(sink);
    expect(log.lines).toHaveLength(1);
  });

  test('labels that are not declared are left out, missing ones stay empty', async () => {
    const { sink } = metrics();
    sink.gauge('aegis_storm_active', 1, { pod: 'p-1' });
    expect(await sink.page()).toContain('aegis_storm_active{scope=""} 1');
  });
});
