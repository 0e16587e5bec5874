import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ActionState } from '../../../src/policy/ledger.ts';
import { anApi, aLine, aMetric, type Api } from '../../support/builders/http.ts';
import { anActionRecord } from '../../support/builders/store.ts';

let api: Api;
beforeAll(async () => {
  api = await anApi({ options: { keys: { kind: 'development' } } });
});
afterAll(() => api.stop());

const dev = { headers: { 'x-api-key': 'dev_api_key' } };

describe('the calls of the guide, in their order', () => {
  test('detect-anomaly', async () => {
    const answer = await api.post(
      '/api/v1/detect-anomaly',
      {
        metrics: [
          { metric_type: 'cpu_usage', value: 95.0, timestamp: '2024-01-25T10:00:00Z', labels: { pod: 'api-1' } },
        ],
      },
      dev,
    );
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.json).toMatchObject({
      is_anomaly: true,
      severity: 'high',
      recommended_action: 'scale_up',
      affected_metrics: ['cpu_usage'],
      details: { affected_features: ['cpu_usage_mean'], threshold: 0.85, series: 1, warnings: [] },
    });
    expect(answer.json['anomaly_score']).toBeGreaterThanOrEqual(0.85);
    expect(answer.json['details']?.['features']?.['cpu_usage']).toMatchObject({
      observed: 95,
      samples: 0,
      contribution: 1,
    });
  });

  test('the same call again gets the same answer', async () => {
    const body = { metrics: [aMetric({ value: 95 })] };
    const answer = await api.post('/api/v1/detect-anomaly', body, dev);
    expect(answer.json).toMatchObject({ is_anomaly: true, recommended_action: 'scale_up' });
  });

  test('detect-failure', async () => {
    const answer = await api.post(
      '/api/v1/detect-failure',
      {
        metrics: [
          { metric_type: 'error_rate', value: 0.45, timestamp: '2024-01-25T10:00:00Z', labels: { service: 'api' } },
        ],
        logs: [
          {
            timestamp: '2024-01-25T10:00:00Z',
            level: 'error',
            message: 'Connection timeout',
            service: 'api-service',
          },
        ],
      },
      dev,
    );
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({
      failure_detected: true,
      failure_type: 'connection_timeout',
      affected_services: ['api', 'api-service'],
    });
    expect(answer.json['recommended_actions']).toContain('alert_admin');
    expect(answer.json['root_cause']).toEqual(expect.stringContaining('Connection timeout'));
  });

  test('health', async () => {
    const answer = await api.call('/health', { headers: { 'x-api-key': null } });
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({
      status: 'healthy',
      models_loaded: true,
      database_connected: true,
      problems: [],
    });
    expect(answer.json['uptime']).toBeGreaterThan(0);
  });

  test('stats count the three calls before', async () => {
    const answer = await api.call('/api/v1/metrics/stats', dev);
    expect(answer.json).toEqual({
      total_predictions: 3,
      predictions_last_24h: 3,
      total_anomalies_detected: 2,
      total_failures_detected: 1,
    });
  });

  test('docs and the metrics page need no key', async () => {
    for (const path of ['/docs', '/redoc', '/openapi.json', '/metrics', '/ping']) {
      expect((await api.call(path, { headers: { 'x-api-key': null } })).status).toBe(200);
    }
  });
});

describe('detect-anomaly', () => {
  const judge = (metrics: readonly unknown[]) => api.post('/api/v1/detect-anomaly', { metrics }, dev);

  test('cpu 35 from one pod without history is no anomaly', async () => {
    const answer = await judge([aMetric({ value: 35, labels: { pod: 'quiet' } })]);
    expect(answer.json).toMatchObject({
      is_anomaly: false,
      severity: 'low',
      recommended_action: 'no_action',
      affected_metrics: [],
    });
  });

  test('a lower value at the same instant is judged for itself, not by what was sent before', async () => {
    await judge([aMetric({ value: 95, labels: { pod: 'twice' } })]);
    const answer = await judge([aMetric({ value: 35, labels: { pod: 'twice' } })]);
    expect(answer.json['is_anomaly']).toBe(false);
  });

  test('only the metrics that carry the anomaly are named', async () => {
    const labels = { pod: 'mixed' };
    const answer = await judge([
      aMetric({ labels }),
      aMetric({ metric_type: 'memory_usage', value: 99, labels }),
      aMetric({ metric_type: 'my_queue_depth', value: 7, labels }),
    ]);
    expect(answer.json).toMatchObject({
      is_anomaly: true,
      severity: 'critical',
      recommended_action: 'restart_pod',
      affected_metrics: ['memory_usage'],
    });
  });

  const ordinary: readonly (readonly [what: string, values: readonly number[]])[] = [
    ['50 equal ordinary values', Array.from({ length: 50 }, () => 42)],
    ['50 zeros', Array.from({ length: 50 }, () => 0)],
  ];
  test.each(ordinary)('%s are no anomaly', async (_what, values) => {
    const metrics = values.map((value, i) =>
      aMetric({ value, timestamp: new Date(Date.UTC(2024, 0, 25, 10, 0, i)).toISOString(), labels: { pod: _what } }),
    );
    const answer = await judge(metrics);
    expect(answer.json['is_anomaly']).toBe(false);
    expect(Number.isFinite(answer.json['anomaly_score'])).toBe(true);
  });

  test('the order of the samples does not matter', async () => {
    const samples = Array.from({ length: 30 }, (_, i) => ({
      value: 40 + (i % 5),
      timestamp: new Date(Date.UTC(2024, 0, 25, 10, i)).toISOString(),
    }));
    const sorted = await judge(samples.map((s) => aMetric({ ...s, labels: { pod: 'sorted' } })));
    const shuffled = await judge(samples.toReversed().map((s) => aMetric({ ...s, labels: { pod: 'shuffled' } })));
    expect(shuffled.json['anomaly_score']).toEqual(sorted.json['anomaly_score']);
    expect(shuffled.json['confidence']).toEqual(sorted.json['confidence']);
  });

  test('a series that is sent again and again is learnt: what was ordinary for it makes the jump an anomaly', async () => {
    const labels = { service: 'learnt' };
    for (let batch = 0; batch < 4; batch += 1) {
      await judge(
        Array.from({ length: 60 }, (_, i) =>
          aMetric({
            metric_type: 'checkout_total',
            value: 100 + (i % 7),
            timestamp: new Date(Date.UTC(2024, 0, 25, 10 + batch, i)).toISOString(),
            labels,
          }),
        ),
      );
    }
    const jump = (hour: number, minute: number) =>
      aMetric({
        metric_type: 'checkout_total',
        value: 900,
        timestamp: new Date(Date.UTC(2024, 0, 25, hour, minute)).toISOString(),
        labels,
      });
    const answer = await judge([jump(14, 0), jump(14, 1), jump(14, 2), jump(14, 3)]);
    expect(answer.json).toMatchObject({
      is_anomaly: true,
      affected_metrics: ['checkout_total'],
      recommended_action: 'alert_admin',
    });
    expect(answer.json['details']?.['features']?.['checkout_total']?.['samples']).toBeGreaterThan(200);
    const stranger = await judge([{ ...jump(14, 4), labels: { service: 'never seen' } }]);
    expect(stranger.json['is_anomaly']).toBe(false);
  });

  test('a value outside its unit is judged and warned about', async () => {
    const answer = await judge([
      aMetric({ value: 250, labels: { pod: 'w' } }),
      aMetric({ metric_type: 'error_rate', value: 45, labels: { pod: 'w' } }),
      aMetric({ value: -5, labels: { pod: 'w2' } }),
    ]);
    expect(answer.json['details']?.['warnings']).toEqual([
      { type: 'out_of_range', metric_type: 'cpu_usage', value: 250, message: 'cpu_usage lies between 0 and 100' },
      { type: 'out_of_range', metric_type: 'error_rate', value: 45, message: 'error_rate lies between 0 and 1' },
      { type: 'out_of_range', metric_type: 'cpu_usage', value: -5, message: 'cpu_usage lies between 0 and 100' },
    ]);
  });
});

describe('detect-failure', () => {
  const ask = (body: Record<string, unknown>) => api.post('/api/v1/detect-failure', body, dev);

  const named: readonly (readonly [failure: string, body: Record<string, unknown>])[] = [
    ['service_down', { metrics: [aMetric({ metric_type: 'error_rate', value: 0.5 })], logs: [] }],
    ['high_latency', { metrics: [aMetric({ metric_type: 'response_time', value: 2500 })], logs: [] }],
    ['connection_timeout', { metrics: [], logs: [aLine()] }],
    [
      'memory_leak',
      {
        metrics: [60, 70, 80, 88].map((value, i) =>
          aMetric({ metric_type: 'memory_usage', value, timestamp: `2024-01-25T10:0${i}:00Z` }),
        ),
        logs: [],
      },
    ],
  ];
  test.each(named)('%s', async (failure, body) => {
    const answer = await ask(body);
    expect(answer.json).toMatchObject({ failure_detected: true, failure_type: failure });
    expect(answer.json['details']).toMatchObject({ category: failure });
  });

  test('nothing failed', async () => {
    const answer = await ask({
      metrics: [aMetric({ labels: { pod: 'fine' } })],
      logs: [aLine({ level: 'info', message: 'started' })],
    });
    expect(answer.json).toMatchObject({
      failure_detected: false,
      failure_type: null,
      root_cause: null,
      severity: 'low',
      recommended_actions: ['no_action'],
    });
  });

  test('a finer name where no rule of the four holds', async () => {
    const answer = await ask({ metrics: [], logs: [aLine({ message: 'write failed: No space left on device' })] });
    expect(answer.json).toMatchObject({ failure_detected: true, failure_type: 'volume_full' });
  });

  test('Kubernetes evidence of the request is heard', async () => {
    const answer = await ask({
      metrics: [],
      logs: [aLine({ message: 'panic: boom' })],
      context: {
        kubernetes: {
          workload: { kind: 'Deployment', namespace: 'shop', name: 'checkout', desired: 3, ready: 2 },
          pods: [
            { name: 'checkout-1', ready: false, restarts: 7, waiting_reason: 'CrashLoopBackOff', exit_code: 1 },
            { name: 'checkout-2', ready: true },
            { name: 'checkout-3', ready: true },
          ],
        },
      },
    });
    expect(answer.json).toMatchObject({ failure_type: 'crash_loop', details: { category: 'service_down' } });
  });
});

describe('the other routes', () => {
  test('predictions are listed newest first, as they were answered', async () => {
    const sent = await api.post('/api/v1/detect-anomaly', { metrics: [aMetric({ labels: { pod: 'listed' } })] }, dev);
    const answer = await api.call('/api/v1/metrics/predictions?limit=2', dev);
    const predictions = answer.json['predictions'] as unknown as readonly Record<string, unknown>[];
    expect(predictions).toHaveLength(2);
    expect(predictions[0]).toEqual({
      id: sent.headers.get('x-request-id'),
      timestamp: sent.json['timestamp'],
      model_type: 'anomaly',
      severity_score: sent.json['anomaly_score'],
      recommended_action: 'no_action',
      prediction: sent.json,
    });
    expect(predictions[1]).toMatchObject({ model_type: 'failure' });
  });

  test('model performance tells samples, training time and latency', async () => {
    const answer = await api.call('/api/v1/metrics/model-performance', dev);
    expect(answer.json['models']).toMatchObject({ precision_on_confirmed_incidents: null });
    expect(answer.json['models']?.['samples']).toBeGreaterThan(200);
    expect(answer.json['latency']?.['anomaly']?.['p99_ms']).toBeGreaterThan(0);
  });

  test('precision is the share of verified incidents in which the remedy helped', async () => {
    const decidedAtMs = Date.now();
    const save = (name: string, incidentId: string, state: ActionState, dryRun = false) =>
      api.store.saveAction(anActionRecord({ name, incidentId, state, decidedAtMs, dryRun }));
    await save('a', 'incident-1', 'Ineffective');
    await save('b', 'incident-1', 'Healed');
    await save('c', 'incident-2', 'RolledBack');
    await save('d', 'incident-3', 'Executing');
    await save('e', 'incident-4', 'Healed', true);
    const answer = await api.call('/api/v1/metrics/model-performance', dev);
    expect(answer.json['models']).toMatchObject({ precision_on_confirmed_incidents: 0.5, confirmed_incidents: 1 });
  });

  const questions: readonly (readonly [resource: string, context: unknown, reason: string])[] = [
    ['deployment:api', undefined, 'No policy covers deployment:api'],
    ['deployment:shop/api', undefined, 'No policy covers deployment:shop/api'],
    ['deployment:api', { metadata: { namespace: 'shop' } }, 'No policy covers deployment:shop/api'],
  ];
  test.each(questions)('without a cluster nothing is allowed: %s %j', async (resource, context, reason) => {
    const answer = await api.post(
      '/api/v1/policy/evaluate',
      { action: 'restart_pod', resource, type: 'self_healing', context },
      dev,
    );
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ allowed: false, reason, appliedPolicies: [] });
  });

  test.each(['incidents', 'actions', 'policies'])('%s are empty without a cluster', async (what) => {
    expect((await api.call(`/api/v1/${what}`, dev)).json).toMatchObject({ [what]: [] });
  });

  test('the metrics page counts predictions under the old names and requests by route', async () => {
    const { text, headers } = await api.call('/metrics');
    expect(headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text).toMatch(/^ai_engine_anomaly_predictions_total\{severity="high"\} \d+$/m);
    expect(text).toMatch(/^ai_engine_failure_predictions_total\{failure_type="connection_timeout"\} \d+$/m);
    expect(text).toMatch(/^ai_engine_inference_duration_seconds_count\{model_type="failure"\} \d+$/m);
    expect(text).toMatch(/^aegis_http_requests_total\{route="\/health",code="200"\} 1$/m);
  });
});
