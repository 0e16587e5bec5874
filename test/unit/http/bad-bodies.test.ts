import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { anApi, aLine, aMetric, without, type Api } from '../../support/builders/http.ts';

let api: Api;
beforeAll(async () => {
  api = await anApi();
});
afterAll(() => api.stop());

const ANOMALY = '/api/v1/detect-anomaly';
const FAILURE = '/api/v1/detect-failure';

interface Expected {
  readonly status: number;
  /** `loc` joined by dots, and type, of every problem in order. */
  readonly problems?: readonly string[];
}

const ok: Expected = { status: 200 };
const bad = (...problems: readonly string[]): Expected => ({ status: 422, problems });

async function check(path: string, body: string | Buffer, expected: Expected): Promise<void> {
  const before = await api.store.predictionStats(Date.now());
  const answer = await api.call(path, { method: 'POST', body });
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  const detail = (answer.json['detail'] ?? []) as unknown as readonly { loc: unknown[]; type: string; msg: string }[];
  const found = answer.status === 422 ? detail.map(({ loc, type }) => `${loc.join('.')} ${type}`) : [];
  expect({ status: answer.status, problems: found }).toEqual({
    status: expected.status,
    problems: expected.problems ?? [],
  });
  if (answer.status === 422) for (const { msg } of detail) expect(msg).not.toBe('');
  // Nothing of a refused request is stored.
  const after = await api.store.predictionStats(Date.now());
  expect(after.total - before.total).toBe(expected.status === 200 ? 1 : 0);
}

const metric = (over: Record<string, unknown>) => JSON.stringify({ metrics: [aMetric(over)] });
/** A metric whose value is written as given, however little JSON that is. */
const literal = (value: string) =>
  `{"metrics":[{"metric_type":"cpu_usage","value":${value},"timestamp":"2024-01-25T10:00:00Z"}]}`;
const log = (over: Record<string, unknown>) => JSON.stringify({ metrics: [], logs: [aLine(over)] });
const soon = (aheadMs: number) => new Date(Date.now() + aheadMs).toISOString();
const nested = (levels: number) =>
  `{"metrics":[${JSON.stringify(aMetric())}],"context":${'{"a":'.repeat(levels - 1)}1${'}'.repeat(levels - 1)}}`;

type Row = readonly (readonly [what: string, body: string | Buffer, expected: Expected])[];

describe('the body as a whole', () => {
  const rows: Row = [
    ['empty', '', bad('body missing')],
    ['null', 'null', bad('body dict_type')],
    ['a list', '[]', bad('body dict_type')],
    ['a text', '"x"', bad('body dict_type')],
    ['an empty object', '{}', bad('body.metrics missing')],
    ['truncated', '{"metrics":[', bad('body json_invalid')],
    ['a trailing comma', '{"metrics":[],}', bad('body.14 json_invalid')],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), bad('body json_invalid')],
    ['UTF-16 with its mark', Buffer.from('\ufeff{"metrics":[]}', 'utf16le'), bad('body json_invalid')],
    ['UTF-16 without', Buffer.from('{"metrics":[]}', 'utf16le'), bad('body.1 json_invalid')],
    ['the literal NaN', literal('NaN'), bad('body json_invalid')],
    ['a byte order mark', `\ufeff${metric({})}`, ok],
    ['nesting 16', nested(16), ok],
    ['nesting 17', nested(17), bad('body.197 nesting_too_deep')],
    ['[ x 500 000', '['.repeat(500_000), bad('body.16 nesting_too_deep')],
    [
      'brackets inside a text are no nesting',
      metric({ metadata: { a: '['.repeat(100), b: '\\"[[[[[[[[[[[[[[[[[[[' } }),
      ok,
    ],
    ['__proto__ as a key', '{"metrics":[],"__proto__":{}}', bad('body.__proto__ forbidden_key')],
    [
      '__proto__ spelt with escapes, deep down',
      `{"metrics":[{"metric_type":"a","value":1,"timestamp":"2024-01-25T10:00:00Z","metadata":{"\\u005f_proto__":1}}]}`,
      bad('body.metrics.0.metadata.__proto__ forbidden_key'),
    ],
    ['__proto__ as a value', metric({ labels: { pod: '__proto__' } }), ok],
    ['constructor as a label', metric({ labels: { constructor: 'x', toString: 'y' } }), ok],
    ['duplicate keys: the last wins', literal('1,"value":"x","value":2'), ok],
    ['unknown fields are ignored', JSON.stringify({ metrics: [aMetric({ extra: 1 })], also: [] }), ok],
  ];
  test.each(rows)('%s', (_what, body, expected) => check(ANOMALY, body, expected));
});

describe('value', () => {
  const at = 'body.metrics.0.value';
  const rows: Row = [
    ['text', literal('"1"'), bad(`${at} number_type`)],
    ['true', literal('true'), bad(`${at} number_type`)],
    ['null', literal('null'), bad(`${at} number_type`)],
    ['a list', literal('[]'), bad(`${at} number_type`)],
    ['an object', literal('{}'), bad(`${at} number_type`)],
    ['1e999', literal('1e999'), bad(`${at} finite_number`)],
    ['-1e999', literal('-1e999'), bad(`${at} finite_number`)],
    ['missing', JSON.stringify({ metrics: [without(aMetric(), 'value')] }), bad(`${at} missing`)],
    ['-0', literal('-0'), ok],
    ['the least', literal('5e-324'), ok],
    ['nearly the greatest', literal('1.7e308'), ok],
    ['beyond exact integers', literal('9007199254740993'), ok],
  ];
  test.each(rows)('%s', (_what, body, expected) => check(ANOMALY, body, expected));
});

describe('timestamp', () => {
  const at = 'body.metrics.0.timestamp';
  const rows: Row = [
    ['missing', JSON.stringify({ metrics: [without(aMetric(), 'timestamp')] }), bad(`${at} missing`)],
    ['empty', metric({ timestamp: '' }), bad(`${at} datetime_parsing`)],
    ['a number', metric({ timestamp: 1706176800 }), bad(`${at} string_type`)],
    ['yesterday', metric({ timestamp: 'yesterday' }), bad(`${at} datetime_parsing`)],
    ['a day that does not exist', metric({ timestamp: '2025-02-30T10:00:00Z' }), bad(`${at} datetime_parsing`)],
    ['a date alone', metric({ timestamp: '2025-02-03' }), bad(`${at} datetime_parsing`)],
    ['hour 24', metric({ timestamp: '2025-02-03T24:00:00Z' }), bad(`${at} datetime_parsing`)],
    ['without a zone', metric({ timestamp: '2024-01-25T10:00:00' }), ok],
    ['with a zone and a fraction', metric({ timestamp: '2024-01-25T10:00:00.123456+05:30' }), ok],
    ['a leap second', metric({ timestamp: '2016-12-31T23:59:60Z' }), ok],
    ['299 s ahead', metric({ timestamp: soon(299_000) }), ok],
    ['10 min ahead', metric({ timestamp: soon(600_000) }), bad(`${at} in_future`)],
  ];
  test.each(rows)('%s', (_what, body, expected) => check(ANOMALY, body, expected));
});

describe('metric_type and labels', () => {
  const type = 'body.metrics.0.metric_type';
  const labels = 'body.metrics.0.labels';
  const many = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`l${i}`, 'x']));
  const rows: Row = [
    ['empty type', metric({ metric_type: '' }), bad(`${type} string_too_short`)],
    ['upper case', metric({ metric_type: 'CPU' }), bad(`${type} string_pattern_mismatch`)],
    ['65 characters', metric({ metric_type: 'a'.repeat(65) }), bad(`${type} string_too_long`)],
    ['64 characters', metric({ metric_type: 'a'.repeat(64) }), ok],
    ['NUL', metric({ metric_type: 'cpu\u0000' }), bad(`${type} string_pattern_mismatch`)],
    ['a line feed at its end', metric({ metric_type: 'cpu\n' }), bad(`${type} string_pattern_mismatch`)],
    ['a selector', metric({ metric_type: 'a{b="c"}' }), bad(`${type} string_pattern_mismatch`)],
    ['constructor', metric({ metric_type: 'constructor' }), ok],
    ['nested labels', metric({ labels: { a: { b: 'c' } } }), bad(`${labels}.a string_type`)],
    ['a number as a label value', metric({ labels: { a: 1 } }), bad(`${labels}.a string_type`)],
    ['labels null', metric({ labels: null }), bad(`${labels} dict_type`)],
    ['64 labels', metric({ labels: many(64) }), ok],
    ['65 labels', metric({ labels: many(65) }), bad(`${labels} too_long`)],
    ['a value of 1,024 characters', metric({ labels: { a: 'x'.repeat(1024) } }), ok],
    ['a value of 1,025 characters', metric({ labels: { a: 'x'.repeat(1025) } }), bad(`${labels}.a string_too_long`)],
    ['no labels', JSON.stringify({ metrics: [without(aMetric(), 'labels')] }), ok],
    ['metadata a list', metric({ metadata: [] }), bad('body.metrics.0.metadata dict_type')],
    ['context a text', JSON.stringify({ metrics: [aMetric()], context: 'x' }), bad('body.context dict_type')],
    ...['%27; DROP TABLE prediction; --', '$(reboot)', '{{constructor.constructor("return process")()}}'].map(
      (bait) => [`bait is literal data: ${bait}`, metric({ labels: { pod: bait } }), ok] as const,
    ),
  ];
  test.each(rows)('%s', (_what, body, expected) => check(ANOMALY, body, expected));
});

describe('lists', () => {
  const lines = (n: number) => `{"metrics":[${Array.from({ length: n }, () => literalSample).join(',')}]}`;
  const literalSample = '{"metric_type":"a","value":1,"timestamp":"2024-01-25T10:00:00Z"}';
  const rows: Row = [
    ['no metric', '{"metrics":[]}', bad('body.metrics too_short')],
    ['10 000 samples', lines(10_000), ok],
    ['10 001 samples', lines(10_001), bad('body.metrics too_long')],
    ['metrics an object', '{"metrics":{}}', bad('body.metrics list_type')],
    ['a number among the metrics', '{"metrics":[5]}', bad('body.metrics.0 dict_type')],
    [
      'five different mistakes, in the order of the body',
      JSON.stringify({
        context: 5,
        metrics: [
          { value: '1', metric_type: 'CPU', timestamp: '2024-01-25T10:00:00Z' },
          { metric_type: 'a', value: 1, timestamp: 'never' },
          { labels: { a: 1 }, timestamp: '2024-01-25T10:00:00Z', metric_type: 'a', value: 2 },
        ],
      }),
      bad(
        'body.context dict_type',
        'body.metrics.0.value number_type',
        'body.metrics.0.metric_type string_pattern_mismatch',
        'body.metrics.1.timestamp datetime_parsing',
        'body.metrics.2.labels.a string_type',
      ),
    ],
    [
      'what is missing comes after what is there',
      '{"metrics":[{"value":"x"}]}',
      bad('body.metrics.0.value number_type', 'body.metrics.0.metric_type missing', 'body.metrics.0.timestamp missing'),
    ],
  ];
  test.each(rows)('%s', (_what, body, expected) => check(ANOMALY, body, expected));

  test('a million wrong elements cost no million reports, and the server answers others meanwhile', async () => {
    const started = performance.now();
    const flood = api.call(ANOMALY, { method: 'POST', body: `{"metrics":[${'1,'.repeat(1_000_000)}1]}` });
    const answer = await flood;
    expect(answer.status).toBe(422);
    expect((answer.json['detail'] as unknown as unknown[]).length).toBeLessThanOrEqual(100);
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  test('of many mistakes the first hundred are listed', async () => {
    const answer = await api.call(ANOMALY, { method: 'POST', body: `{"metrics":[${'{},'.repeat(9_000)}{}]}` });
    const detail = answer.json['detail'] as unknown as readonly { loc: unknown[] }[];
    expect(detail).toHaveLength(100);
    expect(detail[99]?.loc).toEqual(['body', 'metrics', 33, 'metric_type']);
  });
});

describe('detect-failure', () => {
  const rows: Row = [
    ['both empty', '{"metrics":[],"logs":[]}', bad('body.metrics too_short')],
    ['no logs', JSON.stringify({ metrics: [aMetric()] }), bad('body.logs missing')],
    ['an empty object', '{}', bad('body.metrics missing', 'body.logs missing')],
    ['level WARNING', log({ level: 'WARNING' }), ok],
    ['level Fatal', log({ level: 'Fatal' }), ok],
    ['level critical', log({ level: 'critical' }), ok],
    ['level trace', log({ level: 'trace' }), bad('body.logs.0.level enum')],
    ['level empty', log({ level: '' }), bad('body.logs.0.level enum')],
    ['level constructor', log({ level: 'constructor' }), bad('body.logs.0.level enum')],
    ['message 5', log({ message: 5 }), bad('body.logs.0.message string_type')],
    [
      'service missing',
      JSON.stringify({ metrics: [], logs: [without(aLine(), 'service')] }),
      bad('body.logs.0.service missing'),
    ],
    ['message of 50 000 blanks', log({ message: `${' '.repeat(50_000)}x` }), ok],
    ['message of 100 000 a', log({ message: 'a'.repeat(100_000) }), ok],
    ['message of 1 MiB', log({ message: 'ab '.repeat(350_000) }), ok],
    ['a binary message', log({ message: '\u0000\u0001\ud800\uffff\u001b[31m' }), ok],
    [
      '10 001 lines',
      `{"metrics":[],"logs":[${'5,'.repeat(10_000)}5]}`,
      bad('body.logs too_long', ...Array.from({ length: 99 }, (_, i) => `body.logs.${i} dict_type`)),
    ],
    [
      'kubernetes evidence of the wrong shape',
      JSON.stringify({ metrics: [], logs: [aLine()], context: { kubernetes: [1, { pods: 5 }] } }),
      ok,
    ],
  ];
  test.each(rows)('%s', (_what, body, expected) => check(FAILURE, body, expected));
});

describe('policy/evaluate', () => {
  const question = { action: 'restart_pod', resource: 'deployment:api' };
  const rows: readonly (readonly [what: string, body: unknown, expected: Expected])[] = [
    ['no action', without(question, 'action'), bad('body.action missing')],
    ['resource without a colon', { ...question, resource: 'api' }, bad('body.resource string_pattern_mismatch')],
    ['context a list', { ...question, context: [] }, bad('body.context dict_type')],
  ];
  test.each(rows)('%s', (_what, body, expected) => check('/api/v1/policy/evaluate', JSON.stringify(body), expected));

  test('an unknown action is not allowed', async () => {
    const answer = await api.post('/api/v1/policy/evaluate', { ...question, action: 'format_disk' });
    expect([answer.status, answer.json['allowed']]).toEqual([200, false]);
  });
});

describe('limit', () => {
  const rows: readonly (readonly [query: string, status: number])[] = [
    ['limit=0', 422],
    ['limit=-1', 422],
    ['limit=1001', 422],
    ['limit=abc', 422],
    ['limit=1.5', 422],
    ['limit=', 422],
    ['limit=1&limit=2', 422],
    ['limit=1e3', 422],
    ['limit[]=1', 200],
    ['limit=1', 200],
    ['limit=1000', 200],
    ['', 200],
    ['other=1', 200],
  ];
  test.each(rows)('%s -> %d', async (query, status) => {
    const answer = await api.call(`/api/v1/metrics/predictions?${query}`);
    expect(answer.status).toBe(status);
    if (status === 422) {
      expect(answer.json['detail']?.['0']).toMatchObject({ loc: ['query', 'limit'] });
    }
  });
});
