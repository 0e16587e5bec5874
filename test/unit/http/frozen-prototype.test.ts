import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { anApi, aLine, aMetric, type Api } from '../../support/builders/http.ts';

/** Everything is loaded and started; from here on nobody can add to what every object inherits. */
let api: Api;
beforeAll(async () => {
  api = await anApi();
  Object.freeze(Object.prototype);
});
afterAll(() => api.stop());

test.each<[path: string, body: unknown, status: number]>([
  ['/api/v1/detect-anomaly', { metrics: [aMetric({ labels: { constructor: 'x', toString: 'y' } })] }, 200],
  ['/api/v1/detect-failure', { metrics: [aMetric()], logs: [aLine({ service: 'constructor' })] }, 200],
  ['/api/v1/detect-anomaly', { metrics: [aMetric({ metric_type: 'constructor', metadata: { valueOf: 1 } })] }, 200],
  ['/api/v1/detect-anomaly', { metrics: [aMetric({ value: 'x' })] }, 422],
  ['/api/v1/policy/evaluate', { action: 'restart_pod', resource: 'deployment:constructor' }, 200],
])('nothing leans on the shared prototype: %s', async (path, body, status) => {
  expect((await api.post(path, body)).status).toBe(status);
});

test('a polluting body is refused and pollutes nothing', async () => {
  const answer = await api.post('/api/v1/detect-anomaly', '{"metrics":[],"__proto__":{"polluted":true}}');
  expect(answer.status).toBe(422);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

test.each(['/api/v1/metrics/stats', '/api/v1/metrics/predictions', '/openapi.json', '/metrics', '/health'])(
  'reading goes on: %s',
  async (path) => {
    expect((await api.call(path)).status).toBe(200);
  },
);
