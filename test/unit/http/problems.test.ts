import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { REFUSALS } from '../../../src/http/errors.ts';
import { anApi, aMetric, without, type Api } from '../../support/builders/http.ts';

let api: Api;
beforeAll(async () => {
  api = await anApi();
});
afterAll(() => api.stop());

describe('problem details beside what existing clients read', () => {
  test('a refusal', async () => {
    const answer = await api.call('/api/v1/metrics/stats', { headers: { 'x-api-key': null } });
    expect(answer.json).toEqual({
      detail: REFUSALS.unauthorized[1],
      type: 'tag:aegis.dev,2026:unauthorized',
      title: 'Unauthorized',
      status: 401,
    });
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  });

  test('an invalid body: the list stays, and is said again as RFC 9457 would', async () => {
    const labels = { 'a/b~c': 5 };
    const answer = await api.post('/api/v1/detect-anomaly', {
      metrics: [without(aMetric({ labels }), 'value')],
    });
    expect(answer.json['detail']).toEqual([
      { loc: ['body', 'metrics', 0, 'labels', 'a/b~c'], msg: 'Input should be a valid string', type: 'string_type' },
      { loc: ['body', 'metrics', 0, 'value'], msg: 'Field required', type: 'missing' },
    ]);
    expect(answer.json).toMatchObject({
      type: 'tag:aegis.dev,2026:invalid-request',
      status: 422,
      errors: [
        { pointer: '#/metrics/0/labels/a~1b~0c', detail: 'Input should be a valid string' },
        { pointer: '#/metrics/0/value', detail: 'Field required' },
      ],
    });
  });

  test('a name with half a surrogate pair, which no pointer can hold', async () => {
    const answer = await api.post('/api/v1/detect-anomaly', '{"metrics":[{"labels":{"\\ud800":5}}]}');
    const { detail, errors } = answer.json as unknown as Record<'detail' | 'errors', readonly unknown[]>;
    expect([answer.status, detail[0], errors[0]]).toMatchObject([
      422,
      { loc: ['body', 'metrics', 0, 'labels', '\ud800'] },
      { pointer: '#/metrics/0/labels/%EF%BF%BD' },
    ]);
  });

  test('an invalid parameter', async () => {
    const answer = await api.call('/api/v1/incidents?limit=0');
    expect(answer.json['errors']).toEqual([
      { parameter: 'limit', detail: 'Input should be greater than or equal to 1' },
    ]);
  });

  test.each(['application/problem+json, application/json;q=0.9', 'Application/Problem+JSON'])(
    'who asks for %s gets it',
    async (accept) => {
      const headers = { accept };
      const answer = await api.call('/nothing', { headers });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
      const well = await api.call('/health', { headers });
      expect(well.headers.get('content-type')).toBe('application/json; charset=utf-8');
    },
  );
});

describe('the predictions, page by page', () => {
  test('all are met, newest first, and the last page says that it is the last', async () => {
    for (let i = 0; i < 7; i += 1) await api.post('/api/v1/detect-anomaly', { metrics: [aMetric({ value: i })] });
    const seen: string[] = [];
    let cursor: string | null = '';
    for (let pages = 0; cursor !== null && pages < 10; pages += 1) {
      const answer = await api.call(`/api/v1/metrics/predictions?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`);
      const { predictions, next_cursor } = answer.json as unknown as {
        predictions: readonly { id: string }[];
        next_cursor: string | null;
      };
      expect(predictions.length).toBeLessThanOrEqual(3);
      seen.push(...predictions.map(({ id }) => id));
      cursor = next_cursor;
    }
    expect([cursor, seen.length, new Set(seen).size]).toEqual([null, 7, 7]);
  });

  test('an answer that echoes labels by the megabyte is sent whole and stored with its head alone', async () => {
    const labels = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`label-${i}`, 'x'.repeat(1_000)]));
    const answer = await api.post('/api/v1/detect-anomaly', { metrics: [aMetric({ value: 95, labels })] });
    expect(answer.text.length).toBeGreaterThan(64_000);
    const { predictions } = (await api.call('/api/v1/metrics/predictions?limit=1')).json;
    const { features, affected_features, ...rest } = answer.json['details'] as unknown as Record<string, unknown>;
    const { warnings: _, ...flat } = rest;
    expect(features).toBeDefined();
    expect(predictions?.['0']?.['prediction']).toEqual({
      ...(answer.json as object),
      details: { ...flat, affected_features, warnings: [], shortened: true },
    });
  });

  test.each(['x', '1.', '-1', '1 or 1=1', '99999999999999999999'])('cursor=%s -> 422', async (cursor) => {
    const answer = await api.call(`/api/v1/metrics/predictions?cursor=${encodeURIComponent(cursor)}`);
    expect([answer.status, answer.json['detail']?.['0']]).toMatchObject([422, { loc: ['query', 'cursor'] }]);
  });
});

describe('a decision', () => {
  test('that is not known', async () => {
    const answer = await api.call('/api/v1/decisions/no-such');
    expect([answer.status, answer.json['type']]).toEqual([404, 'tag:aegis.dev,2026:decision-not-found']);
  });
  test.each(['/api/v1/decisions/', '/api/v1/decisions/a/b', '/api/v1/decisions/%E0%A4%A'])(
    '%s is no route',
    async (path) => {
      expect((await api.call(path)).status).toBe(404);
    },
  );
});
