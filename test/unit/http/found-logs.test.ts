import { describe, expect, test } from '@jest/globals';
import type { LogSource } from '../../../src/controller/ports.ts';
import { createLogFinder } from '../../../src/http/found-logs.ts';
import { err, ok } from '../../../src/lib/result.ts';
import { anApi, aMetric } from '../../support/builders/http.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { recordedLog } from '../../support/recorders.ts';

const FAILURE = '/api/v1/detect-failure';
const AT = '2024-01-25T10:00:00Z';
const pod = { pod: 'checkout-1', namespace: 'shop' };
const line = (over = {}) => ({
  ...{ atMs: Date.parse(AT), level: 'error', message: 'write failed: No space left on device', service: 'checkout' },
  ...over,
});

/** A source with one line for whoever asks, and what it was asked. */
function aSource(answer: Awaited<ReturnType<LogSource['read']>> = ok([line()] as never)) {
  const asked: unknown[][] = [];
  const source: LogSource = { read: (...args) => (asked.push(args), Promise.resolve(answer)) };
  return { source, asked };
}

async function ask(logs: LogSource, body: unknown) {
  const api = await anApi({ deps: { logs } });
  try {
    return await api.post(FAILURE, body);
  } finally {
    await api.stop();
  }
}

describe('a request without log lines', () => {
  test('is answered with those of its pods, from the window before its newest sample', async () => {
    const { source, asked } = aSource();
    const answer = await ask(source, { metrics: [aMetric({ labels: pod, timestamp: AT })], logs: [] });
    expect(answer.json).toMatchObject({ failure_detected: true, failure_type: 'volume_full' });
    expect(asked).toEqual([['shop', ['checkout-1'], Date.parse(AT) - 300_000, 200]]);
  });

  const rows: readonly (readonly [what: string, body: Record<string, unknown>])[] = [
    ['brings its own', { metrics: [aMetric({ labels: pod })], logs: [{ ...line(), timestamp: AT, level: 'info' }] }],
    ['names no namespace', { metrics: [aMetric({ labels: { pod: 'checkout-1' } })], logs: [] }],
    ['names no pod', { metrics: [aMetric({ labels: { namespace: 'shop' } })], logs: [] }],
    [
      'is of two namespaces',
      { metrics: [aMetric({ labels: pod }), aMetric({ labels: { ...pod, namespace: 'bank' } })], logs: [] },
    ],
    ['bears a query for a name', { metrics: [aMetric({ labels: { ...pod, pod: 'x"} or {a="b' } })], logs: [] }],
    ['bears a path for a name', { metrics: [aMetric({ labels: { ...pod, namespace: '../../secrets' } })], logs: [] }],
  ];
  test.each(rows)('asks for none where it %s', async (_what, body) => {
    const { source, asked } = aSource();
    expect((await ask(source, body)).status).toBe(200);
    expect(asked).toEqual([]);
  });

  test('is answered without them, and says so, where the source cannot be read', async () => {
    const { source } = aSource(err({ kind: 'Unreachable', message: 'connect ECONNREFUSED' }));
    const answer = await ask(source, { metrics: [aMetric({ labels: pod })], logs: [] });
    expect([answer.status, answer.json['details']?.['missing_evidence']]).toEqual([
      200,
      expect.arrayContaining(['logs: the source cannot be read (Unreachable)']) as unknown,
    ]);
  });

  const request = { metrics: [{ metricType: 'cpu_usage', value: 1, atMs: 1_000_000, labels: pod }], logs: [] };
  const busy = { request, missing: 'logs: the source did not answer lately, or is busy' };
  const aFinder = (logs: LogSource) => {
    const clock = fakeClock();
    return { clock, find: createLogFinder({ logs, clock, log: recordedLog(), failureWindowMs: 300_000 }) };
  };

  test('waits two seconds and no longer; nobody waits for a silent source again within five', async () => {
    let asked = 0;
    const { clock, find } = aFinder({ read: () => ((asked += 1), new Promise(() => undefined)) });
    const finding = find(request, 0);
    clock.advance(2_000);
    expect(await finding).toEqual({ request, missing: 'logs: the source did not answer in time' });
    expect([await find(request, 0), asked]).toEqual([busy, 1]);
    clock.advance(5_000);
    void find(request, 0);
    expect(asked).toBe(2);
  });

  test.each([
    ['Unreachable', busy, 1],
    ['QueryTooLarge', busy, 1],
    ['Unauthorized', { request, missing: 'logs: the source cannot be read (Unauthorized)' }, 2],
  ] as const)('after %s the next one is answered at once', async (kind, expected, times) => {
    const { source, asked } = aSource(err({ kind, message: '' }));
    const { find } = aFinder(source);
    await find(request, 0);
    expect([await find(request, 0), asked.length]).toEqual([expected, times]);
  });

  test('a source that throws costs its lines and nothing else', async () => {
    const { find } = aFinder({ read: () => Promise.reject(new Error('broken')) });
    expect(await find(request, 0)).toEqual({ request, missing: 'logs: the source cannot be read (BadReply)' });
  });

  test('a crowd of requests asks for so many at once and no more', async () => {
    let asked = 0;
    const { find } = aFinder({ read: () => ((asked += 1), new Promise(() => undefined)) });
    const all = Array.from({ length: 40 }, () => find(request, 0));
    expect([await all.at(-1), asked]).toEqual([busy, 32]);
  });

  test('lines from long after its samples are of something else', async () => {
    const lines = [1_000_000, 1_300_000, 1_300_001, Date.now()].map((atMs) => line({ atMs }));
    const { find } = aFinder(aSource(ok(lines as never)).source);
    expect((await find(request, Date.now())).request.logs.map(({ atMs }) => atMs)).toEqual([1_000_000, 1_300_000]);
  });
});
