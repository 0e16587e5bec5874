import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { apiKey } from '../../../src/http/access/api-key.ts';
import { anApi, aLine, aMetric, KEY, without, type Api } from '../../support/builders/http.ts';
import { rawExchange } from '../../support/raw-http.ts';
import { eventually } from '../../support/scripted-api.ts';

/**
 * The rows of the specification's table of bad inputs that concern the API, by their numbers: one table, so that none
 * is missed. Finer cases of the same kinds are in the tests beside this one; row 95 is in the test of the bundle.
 */
const ROWS = [
  ...[51, 52, 53, 54, 56, 57, 58, 59, 61, 62, 64, 65, 66, 68, 69, 70, 71, 72, 73, 74, 75, 76, 78, 79, 80, 82, 83, 85],
  ...[86, 87, 88, 90, 91, 92, 94],
];

let api: Api;
beforeAll(async () => {
  const keys = [
    apiKey('tests', KEY),
    apiKey('reader', 'reader-key', ['read']),
    { ...apiKey('old', 'expired-key'), expiresAtMs: Date.now() - 1 },
  ];
  api = await anApi({
    options: {
      keys: { kind: 'configured', keys },
      limits: { requestMs: 1_500, headersMs: 1_000, keepAliveMs: 200 },
      rate: { perKey: 100_000, perAddress: 100_000 },
    },
  });
});
afterAll(() => api.stop());

const ANOMALY = '/api/v1/detect-anomaly';
const FAILURE = '/api/v1/detect-failure';
const WELL = JSON.stringify({ metrics: [aMetric()] });
const metric = (over: Record<string, unknown>): string => JSON.stringify({ metrics: [aMetric(over)] });
const line = (over: Record<string, unknown>): string => JSON.stringify({ metrics: [], logs: [aLine(over)] });
const value = (text: string): string =>
  `{"metrics":[{"metric_type":"a","value":${text},"timestamp":"2024-01-25T10:00:00Z"}]}`;
const ahead = (ms: number): string => metric({ timestamp: new Date(Date.now() + ms).toISOString() });
const head = (lines: readonly string[], first = `POST ${ANOMALY} HTTP/1.1`): string =>
  [first, 'host: x', `x-api-key: ${KEY}`, 'content-type: application/json', ...lines, '', ''].join('\r\n');

/** The answer as `STATUS`, or `422 LOC TYPE` of the first problem. */
async function said(path: string, body: string | Buffer | undefined, headers = {}): Promise<string> {
  const before = (await api.store.predictionStats(Date.now())).total;
  const method = body === undefined ? 'GET' : 'POST';
  const answer = await api.call(path, { method, headers, ...(body !== undefined && { body }) });
  const after = (await api.store.predictionStats(Date.now())).total;
  // Nothing of a refused request is stored.
  if (answer.status !== 200) expect(after).toBe(before);
  const first =
    answer.status === 422 ? (answer.json['detail']?.['0'] as unknown as { loc: unknown[]; type: string }) : undefined;
  return first === undefined ? String(answer.status) : `422 ${first.loc.join('.')} ${first.type}`;
}
const raw = async (bytes: string, more = {}): Promise<string> => {
  const { status, closed } = await rawExchange(api.port, bytes, more);
  return `${status}${closed ? ' closed' : ''}`;
};
const anomaly =
  (body: string | Buffer, headers = {}) =>
  () =>
    said(ANOMALY, body, headers);
const failure = (body: string) => () => said(FAILURE, body);
const withKey = (key: string | null) => () => said(ANOMALY, WELL, { 'x-api-key': key });
const judged = async (body: string): Promise<unknown> => {
  const { json } = await api.post(ANOMALY, body);
  return [json['is_anomaly'], json['recommended_action'], Number.isFinite(json['anomaly_score'])];
};

type Case = readonly [row: number, input: string, ask: () => Promise<unknown>, expected: unknown];

const protocol: readonly Case[] = [
  [51, 'no key', withKey(null), '401'],
  [51, 'an empty key', withKey(''), '401'],
  [51, 'an expired key', withKey('expired-key'), '401'],
  [51, 'a valid key without the scope', withKey('reader-key'), '403'],
  [52, 'the key in the query alone', () => said(`${ANOMALY}?x-api-key=${KEY}`, WELL, { 'x-api-key': null }), '401'],
  [
    52,
    'the header twice',
    () => raw(head([`x-api-key: ${KEY}`, 'content-length: 0', 'connection: close'])),
    '401 closed',
  ],
  [52, 'a key that is not ASCII', withKey('sch\u00f6n'), '401'],
  [53, 'blanks around the key', withKey(`  ${KEY}  `), '200'],
  [54, 'the wrong method', () => said(ANOMALY, undefined), '405'],
  [54, 'TRACE', () => raw(head(['connection: close'], `TRACE ${ANOMALY} HTTP/1.1`)), '405 closed'],
  [54, 'a method override', anomaly(WELL, { 'x-http-method-override': 'DELETE' }), '200'],
  [56, 'no content type', anomaly(Buffer.from(WELL), { 'content-type': null }), '415'],
  [56, 'text/plain', anomaly(WELL, { 'content-type': 'text/plain' }), '415'],
  [56, 'another charset', anomaly(WELL, { 'content-type': 'application/json; charset=latin1' }), '415'],
  [57, 'gzip, a bomb', anomaly(gzipSync(Buffer.alloc(30_000_000)), { 'content-encoding': 'gzip' }), '415'],
  [57, 'br', anomaly(WELL, { 'content-encoding': 'br' }), '415'],
  [58, '2 MiB and a byte, declared', () => raw(head([`content-length: ${2 * 1024 ** 2 + 1}`])), '413 closed'],
  [
    ...([58, '2 MiB and a byte, chunked'] as const),
    () => raw(`${head(['transfer-encoding: chunked'])}200001\r\n${' '.repeat(0x200001)}\r\n0\r\n\r\n`),
    '413 closed',
  ],
  [59, 'a negative length', () => raw(head(['content-length: -1'])), '400 closed'],
  [
    59,
    'a length beside chunks',
    () => raw(`${head(['content-length: 1', 'transfer-encoding: chunked'])}0\r\n\r\n`),
    '400 closed',
  ],
  [59, 'a bare CR in a header', () => raw(head(['x-a: b\rc', 'content-length: 0'])), '400 closed'],
  [59, 'two hosts', () => raw(head(['host: y', 'content-length: 0'])), '400 closed'],
  [
    61,
    'chunks without end',
    () => raw(head(['transfer-encoding: chunked']), { later: Array(60).fill('1\r\n \r\n'), patienceMs: 8_000 }),
    '408 closed',
  ],
  [
    61,
    'a byte now and then',
    () => raw(head(['content-length: 900']), { later: Array(60).fill(' '), patienceMs: 8_000 }),
    '408 closed',
  ],
];

const bodies: readonly Case[] = [
  [64, 'empty', anomaly(''), '422 body missing'],
  [64, 'null', anomaly('null'), '422 body dict_type'],
  [64, 'a list', anomaly('[]'), '422 body dict_type'],
  [64, 'a text', anomaly('"x"'), '422 body dict_type'],
  [64, 'an empty object', anomaly('{}'), '422 body.metrics missing'],
  [65, 'truncated', anomaly('{"metrics":['), '422 body json_invalid'],
  [65, 'a trailing comma', anomaly('{"metrics":[],}'), '422 body.14 json_invalid'],
  [65, 'invalid UTF-8', anomaly(Buffer.from([0x22, 0xff, 0x22])), '422 body json_invalid'],
  [65, 'UTF-16', anomaly(Buffer.from('\ufeff{}', 'utf16le')), '422 body json_invalid'],
  [65, 'a literal NaN', anomaly(value('NaN')), '422 body json_invalid'],
  [65, 'a byte order mark', anomaly(`\ufeff${WELL}`), '200'],
  [66, '[ half a million times', anomaly('['.repeat(500_000)), '422 body.16 nesting_too_deep'],
  [68, '__proto__ as a key', anomaly('{"metrics":[],"__proto__":{}}'), '422 body.__proto__ forbidden_key'],
  [68, 'constructor as a label', anomaly(metric({ labels: { constructor: 'x' } })), '200'],
  [69, 'duplicate keys', anomaly(value('"x","value":1')), '200'],
  ...(['"1"', 'true', 'null', '[]', '{}'].map((text) => [
    70,
    `value ${text}`,
    anomaly(value(text)),
    '422 body.metrics.0.value number_type',
  ]) as Case[]),
  ...(['1e999', '-1e999'].map((text) => [
    71,
    `value ${text}`,
    anomaly(value(text)),
    '422 body.metrics.0.value finite_number',
  ]) as Case[]),
  ...(['-0', '5e-324', '1.7e308', '9007199254740993'].map((text) => [
    72,
    `value ${text}`,
    () => judged(value(text)),
    [false, 'no_action', true],
  ]) as Case[]),
  [
    73,
    'cpu 250',
    async () => (await api.post(ANOMALY, metric({ value: 250 }))).json['details']?.['warnings']?.['0']?.['type'],
    'out_of_range',
  ],
  [74, 'no metrics', anomaly('{"metrics":[]}'), '422 body.metrics too_short'],
  [74, 'neither metrics nor logs', failure('{"metrics":[],"logs":[]}'), '422 body.metrics too_short'],
  [75, 'cpu 95 without history', () => judged(metric({ value: 95, labels: { pod: '75a' } })), [true, 'scale_up', true]],
  [
    75,
    'cpu 35 without history',
    () => judged(metric({ value: 35, labels: { pod: '75b' } })),
    [false, 'no_action', true],
  ],
  [
    76,
    '50 equal values',
    () => judged(JSON.stringify({ metrics: Array(50).fill(aMetric({ labels: { pod: '76' } })) })),
    [false, 'no_action', true],
  ],
  [
    76,
    'all zero',
    () => judged(JSON.stringify({ metrics: Array(50).fill(aMetric({ value: 0, labels: { pod: '76z' } })) })),
    [false, 'no_action', true],
  ],
  [
    78,
    'no timestamp',
    anomaly(JSON.stringify({ metrics: [without(aMetric(), 'timestamp')] })),
    '422 body.metrics.0.timestamp missing',
  ],
  ...(['', 'yesterday', '2025-02-30T00:00:00Z'].map((timestamp) => [
    78,
    `timestamp "${timestamp}"`,
    anomaly(metric({ timestamp })),
    '422 body.metrics.0.timestamp datetime_parsing',
  ]) as Case[]),
  [79, 'no zone', anomaly(metric({ timestamp: '2024-01-25T10:00:00' })), '200'],
  [79, '299 s ahead', () => anomaly(ahead(290_000))(), '200'],
  [79, '10 min ahead', () => anomaly(ahead(600_000))(), '422 body.metrics.0.timestamp in_future'],
  [
    ...([80, 'out of order'] as const),
    async () => {
      const at = (pod: string, order: readonly number[]) =>
        order.map((i) => aMetric({ value: 40 + i, timestamp: `2024-01-25T10:0${i}:00Z`, labels: { pod } }));
      const [sorted, mixed] = await Promise.all(
        [at('80a', [1, 2, 3, 4]), at('80b', [3, 1, 4, 2])].map((metrics) => api.post(ANOMALY, { metrics })),
      );
      return sorted?.json['anomaly_score'] === mixed?.json['anomaly_score'];
    },
    true,
  ],
  [
    82,
    '10 000 samples',
    anomaly(
      `{"metrics":[${Array(10_000).fill('{"metric_type":"a","value":1,"timestamp":"2024-01-25T10:00:00Z"}').join(',')}]}`,
    ),
    '200',
  ],
  [82, '10 001 samples', anomaly(`{"metrics":[${Array(10_001).fill('1').join(',')}]}`), '422 body.metrics too_long'],
  ...([
    ['', 'string_too_short'],
    ['CPU', 'string_pattern_mismatch'],
    ['a'.repeat(65), 'string_too_long'],
    ['a\u0000', 'string_pattern_mismatch'],
    ['a{b="c"}', 'string_pattern_mismatch'],
  ].map(([name = '', type = '']) => [
    83,
    `metric_type ${JSON.stringify(name.slice(0, 9))}`,
    anomaly(metric({ metric_type: name })),
    `422 body.metrics.0.metric_type ${type}`,
  ]) as Case[]),
  [85, 'nested labels', anomaly(metric({ labels: { a: {} } })), '422 body.metrics.0.labels.a string_type'],
  [85, 'a number for a label', anomaly(metric({ labels: { a: 1 } })), '422 body.metrics.0.labels.a string_type'],
  [
    85,
    '65 labels',
    anomaly(metric({ labels: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`l${i}`, ''])) })),
    '422 body.metrics.0.labels too_long',
  ],
  [
    85,
    'a label of 1,025 characters',
    anomaly(metric({ labels: { a: 'x'.repeat(1025) } })),
    '422 body.metrics.0.labels.a string_too_long',
  ],
  ...([`${' '.repeat(50_000)}x`, 'a'.repeat(1e5), '\u0000\u0001\uffff', 'ab '.repeat(350_000)].map((message, i) => [
    86,
    `message ${i + 1}`,
    failure(line({ message })),
    '200',
  ]) as Case[]),
  ...(['WARNING', 'Fatal'].map((level) => [87, `level ${level}`, failure(line({ level })), '200']) as Case[]),
  ...(['trace', ''].map((level) => [
    87,
    `level "${level}"`,
    failure(line({ level })),
    '422 body.logs.0.level enum',
  ]) as Case[]),
  ...(["'; DROP TABLE prediction; --", '$(reboot)', '{{constructor}}'].map((bait) => [
    88,
    bait,
    async () => {
      const { json } = await api.post(ANOMALY, metric({ labels: { pod: bait } }));
      return json['details']?.['features']?.['cpu_usage']?.['labels'];
    },
    { pod: bait },
  ]) as Case[]),
  ...(['0', '-1', '1001', 'abc', '1.5', '1&limit=2'].map((limit) => [
    90,
    `limit=${limit}`,
    async () => (await said(`/api/v1/metrics/predictions?limit=${limit}`, undefined)).slice(0, 15),
    '422 query.limit',
  ]) as Case[]),
  [
    91,
    'evaluate without an action',
    () => said('/api/v1/policy/evaluate', '{"resource":"deployment:a"}'),
    '422 body.action missing',
  ],
  [
    91,
    'a resource without a colon',
    () => said('/api/v1/policy/evaluate', '{"action":"restart_pod","resource":"a"}'),
    '422 body.resource string_pattern_mismatch',
  ],
  [
    91,
    'an unknown action',
    async () =>
      (await api.post('/api/v1/policy/evaluate', { action: 'reboot', resource: 'deployment:a' })).json['allowed'],
    false,
  ],
  [
    ...([92, 'five mistakes in one body'] as const),
    async () => {
      const wrong = { metric_type: 'CPU', value: '1', timestamp: 'never', labels: [], metadata: 5 };
      const { json } = await api.post(ANOMALY, { metrics: [wrong] });
      return Object.keys(json['detail'] ?? {}).length;
    },
    5,
  ],
];

const name = ([row, input, ask, expected]: Case) => [row, input, ask, expected] as const;

describe('bad inputs: protocol and keys', () => {
  test.each(protocol.map(name))('[%d] %s', async (_row, _input, ask, expected) =>
    expect(await ask()).toEqual(expected),
  );

  test('[61] a thousand idle connections are closed', async () => {
    const idle = await Promise.all(Array.from({ length: 50 }, () => rawExchange(api.port, '', { patienceMs: 10_000 })));
    expect(idle.every(({ closed }) => closed)).toBe(true);
  });

  test('[62] clients that go away in the middle leave nothing behind', async () => {
    const before = (await api.store.predictionStats(Date.now())).total;
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(
        Array.from({ length: 20 }, () =>
          rawExchange(api.port, `${head(['content-length: 500'])}${WELL}`, { patienceMs: 20 }),
        ),
      );
    }
    await eventually(
      () => api.log.lines.filter(({ facts }) => facts['code'] === '499').length >= 200,
      'all to be seen off',
    );
    expect((await api.store.predictionStats(Date.now())).total).toBe(before);
    expect(await said(ANOMALY, WELL)).toBe('200');
  });

  test('[94] one key that floods is refused, another is served', async () => {
    const keys = [apiKey('flood', 'flood-key'), apiKey('calm', 'calm-key')];
    const flooded = await anApi({ options: { keys: { kind: 'configured', keys }, rate: { perKey: 20 } } });
    const call = async (key: string) => (await flooded.post(ANOMALY, WELL, { headers: { 'x-api-key': key } })).status;
    const flood = Promise.all(Array.from({ length: 200 }, () => call('flood-key')));
    const calm: number[] = [];
    for (let i = 0; i < 10; i += 1) calm.push(await call('calm-key'));
    expect(new Set(await flood)).toEqual(new Set([200, 429]));
    expect(new Set(calm)).toEqual(new Set([200]));
    await flooded.stop();
  });
});

describe('bad inputs: bodies', () => {
  test.each(bodies.map(name))('[%d] %s', async (_row, _input, ask, expected) => expect(await ask()).toEqual(expected));
});

test('every row of the table has its test', () => {
  const told = new Set([...protocol, ...bodies].map(([row]) => row).concat(62, 94));
  expect([...told].sort((a, b) => a - b)).toEqual(ROWS);
});
