import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { z } from 'zod';
import { describedRoutes, openApiDocument } from '../../../src/http/openapi.ts';
import { anApi, aLine, aMetric, type Api } from '../../support/builders/http.ts';

let api: Api;
beforeAll(async () => {
  api = await anApi({
    deps: {
      view: {
        incidents: () =>
          Promise.resolve({
            isComplete: true,
            incidents: [
              {
                id: 'incident-1',
                namespace: 'shop',
                workload: 'Deployment shop/checkout',
                policy: 'shop/checkout',
                failureType: 'memory_leak',
                severity: 'high',
                score: 0.9,
                metrics: ['memory_usage'],
                pods: ['checkout-1'],
                openedAtMs: 0,
                updatedAtMs: 1,
                decision: 'hold',
                reason: 'Cooldown',
                decisionId: 'decision-1',
              },
            ],
          }),
        decision: () => Promise.resolve(undefined),
        actions: () =>
          Promise.resolve([
            {
              name: 'heal-1',
              namespace: 'shop',
              workload: 'Deployment shop/checkout',
              policy: 'shop/checkout',
              action: 'restart_pod',
              failureType: 'memory_leak',
              state: 'Healed',
              reason: '',
              message: 'back in its band',
              decidedAtMs: 0,
              expiresAtMs: 300_000,
              policyHash: 'abc',
              executedAtMs: 1,
              dryRun: false,
            },
          ]),
        policies: () =>
          Promise.resolve([
            {
              name: 'checkout',
              namespace: 'shop',
              mode: 'Auto',
              conditions: [{ type: 'Ready', status: 'True', reason: 'Ready', message: '' }],
              targets: { matched: 1, anomalous: 0, unknown: 0 },
            },
          ]),
        evaluate: () =>
          Promise.resolve({
            ...{ allowed: false, reason: 'Denied by policy: checkout', appliedPolicies: ['checkout'] },
            because: 'Suspended: the kill switch is on',
          }),
      },
    },
  });
});
afterAll(() => api.stop());

describe('the OpenAPI document', () => {
  test('is the same with and without a server', async () => {
    expect((await api.call('/openapi.json')).json).toEqual(JSON.parse(JSON.stringify(openApiDocument())));
  });

  test('describes every route of the contract, with its key and its refusals', () => {
    const { paths } = openApiDocument();
    expect(Object.keys(paths ?? {})).toEqual(
      expect.arrayContaining([
        '/api/v1/detect-anomaly',
        '/api/v1/detect-failure',
        '/health',
        '/ping',
        '/docs',
        '/redoc',
        '/openapi.json',
        '/metrics',
        '/api/v1/metrics/stats',
        '/api/v1/metrics/predictions',
        '/api/v1/metrics/model-performance',
        '/api/v1/policy/evaluate',
      ]),
    );
    const detect = paths?.['/api/v1/detect-anomaly']?.post;
    expect(Object.keys(detect?.responses ?? {})).toEqual([
      '200',
      '400',
      '401',
      '403',
      '408',
      '413',
      '414',
      '415',
      '417',
      '422',
      '429',
      '431',
      '500',
    ]);
    expect(detect?.security).toEqual([{ ApiKey: [] }]);
    expect(paths?.['/health']?.get?.security).toBeUndefined();
  });

  test('every reference in it leads somewhere', () => {
    const document = openApiDocument();
    const names = [...JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g)].map((match) => match[1]);
    for (const name of new Set(names)) expect(Object.keys(document.components?.schemas ?? {})).toContain(name);
  });
});

describe('real answers are those of the document', () => {
  const calls: readonly (readonly [path: string, body: unknown])[] = [
    [
      '/api/v1/detect-anomaly',
      { metrics: [aMetric({ value: 97 }), aMetric({ metric_type: 'error_rate', value: 45 })] },
    ],
    ['/api/v1/detect-anomaly', { metrics: [aMetric()] }],
    ['/api/v1/detect-failure', { metrics: [aMetric({ metric_type: 'error_rate', value: 0.9 })], logs: [aLine()] }],
    ['/api/v1/detect-failure', { metrics: [aMetric()], logs: [] }],
    ['/api/v1/policy/evaluate', { action: 'restart_pod', resource: 'deployment:shop/checkout' }],
    ['/api/v1/metrics/stats', undefined],
    ['/api/v1/metrics/predictions', undefined],
    ['/api/v1/metrics/model-performance', undefined],
    ['/api/v1/incidents', undefined],
    ['/api/v1/actions', undefined],
    ['/api/v1/policies', undefined],
    ['/health', undefined],
    ['/ping', undefined],
  ];
  test.each(calls)('%s', async (path, body) => {
    const route = describedRoutes().find((one) => one.path === path);
    const answer = body === undefined ? await api.call(path) : await api.post(path, body);
    const { schema } = route?.answer as unknown as { schema: z.ZodObject };
    // Strict: an answer with a field that the document lacks is as wrong as one that lacks a field.
    expect(schema.strict().safeParse(answer.json).error?.issues ?? []).toEqual([]);
    expect([answer.status, Object.keys(answer.json).length > 0]).toEqual([200, true]);
  });
});

describe('the pages', () => {
  const pages = ['/docs', '/docs/init.js', '/docs/swagger-ui.css', '/redoc'];
  test.each(pages)('%s loads nothing from another host', async (path) => {
    const { text } = await api.call(path);
    expect(text.length).toBeGreaterThan(100);
    expect(text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect(text).not.toMatch(/@import|url\(\s*["']?https?:/);
  });

  test('Swagger UI is served from here, with the types that a strict browser needs', async () => {
    const bundle = await api.call('/docs/swagger-ui-bundle.js');
    expect(bundle.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(bundle.text).toContain('SwaggerUIBundle');
    expect((await api.call('/docs/swagger-ui.css')).headers.get('content-type')).toBe('text/css; charset=utf-8');
  });

  test('neither page has a script in it', async () => {
    for (const path of ['/docs', '/redoc']) {
      expect((await api.call(path)).text).not.toMatch(/<script(?![^>]*src=)|\son\w+=/);
    }
  });

  test('the reference shows every route and schema', async () => {
    const { text } = await api.call('/redoc');
    const document = openApiDocument();
    for (const path of Object.keys(document.paths ?? {})) expect(text).toContain(path);
    for (const name of Object.keys(document.components?.schemas ?? {})) expect(text).toContain(`id="schema-${name}"`);
  });
});

test('hostile text from the cluster stays data', async () => {
  const answer = await api.post('/api/v1/policy/evaluate', {
    action: '<script>',
    resource: 'x:<img src=x onerror=alert(1)>',
  });
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
});
