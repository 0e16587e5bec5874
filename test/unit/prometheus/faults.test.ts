import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { PolledPolicy, SourceError } from '../../../src/controller/ports.ts';
import { createMetricSource, type PrometheusSource } from '../../../src/prometheus/metric-source.ts';
import type { MetricSourceOptions } from '../../../src/prometheus/options.ts';
import {
  aPreset,
  aQuery,
  aWish,
  exceptDiscovery,
  healthyRows,
  isDiscovery,
  NOW,
  prometheus,
  queryOf,
  timeRow,
  vector,
} from '../../support/builders/prometheus.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { recordedLog } from '../../support/recorders.ts';
import { hang, json, reset, scriptedServer, type Script, type ScriptedServer } from '../../support/scripted-server.ts';

const CPU = 'container_cpu_usage_seconds_total';
const healthy = prometheus({ probes: [CPU], rows: (namespace) => healthyRows(namespace) });

let server: ScriptedServer;
let source: PrometheusSource;

const open = (options: Partial<MetricSourceOptions> = {}): void => {
  source = createMetricSource(
    {
      url: server.url,
      log: recordedLog(),
      timeoutMs: 10_000,
      retry: { attempts: 1, initialDelayMs: 1 },
      ...options,
    },
    fakeClock(NOW),
  );
};
const poll = async (wish = aWish(), nowMs = NOW): Promise<PolledPolicy> => {
  const { policies } = await source.poll([wish], nowMs);
  if (policies[0] === undefined) throw new Error('no policy');
  return policies[0];
};
/** `unknown Stale`, or the value. */
const told = ({ readings }: PolledPolicy): string[] =>
  readings.map(({ pod, reading }) =>
    [pod ?? 'workload', reading.kind === 'value' ? reading.value : `unknown ${reading.reason}`].join(' '),
  );
const problemOf = ({ problems }: PolledPolicy): SourceError['kind'] | undefined => problems[0]?.error.kind;

beforeEach(async () => {
  server = await scriptedServer(healthy);
  open();
});
afterEach(async () => {
  await source.close();
  await server.close();
});

test('a good reply: a value for each pod, with the time of its sample', async () => {
  const polled = await poll();
  expect(polled.problems).toEqual([]);
  expect(polled.readings).toEqual([
    { metric: 'cpu_usage', unit: 'cores', pod: 'checkout-1', reading: { kind: 'value', value: 0.5, atMs: NOW - 5000 } },
    { metric: 'cpu_usage', unit: 'cores', pod: 'checkout-2', reading: { kind: 'value', value: 0.5, atMs: NOW - 5000 } },
  ]);
});

describe('P1: refused, reset', () => {
  test('refused: unknown, and back as soon as the server is', async () => {
    await poll();
    const { port } = server;
    await server.close();
    const down = await poll();
    expect(told(down)).toEqual(['workload unknown SourceError']);
    expect(problemOf(down)).toBe('Unreachable');
    server = await scriptedServer(healthy, undefined, port);
    expect(told(await poll())).toEqual(['checkout-1 0.5', 'checkout-2 0.5']);
  });

  test('never reached: every preset is unknown, with the reason', async () => {
    server.script(reset);
    const polled = await poll();
    expect(new Set(polled.problems.map(({ error }) => error.kind))).toEqual(new Set(['Unreachable']));
    expect(polled.readings.every(({ reading }) => reading.kind === 'unknown')).toBe(true);
  });

  test('one reset is cured by a second try', async () => {
    let cut = 0;
    server.script(exceptDiscovery((...args) => (cut++ === 0 ? reset : healthy)(...args)));
    expect(told(await poll())).toEqual(['checkout-1 0.5', 'checkout-2 0.5']);
  });
});

describe('P2: an empty vector is unknown, never zero', () => {
  test('what was there before is Absent', async () => {
    await poll();
    server.script(exceptDiscovery(json(vector([]))));
    expect(told(await poll())).toEqual(['workload unknown Absent']);
  });

  test('also when discovery finds nothing any more', async () => {
    await poll();
    server.script(json(vector([])));
    expect(told(await poll(aWish(), NOW + 600_000))).toEqual(['workload unknown Absent']);
  });

  test('for a metric that the policy names', async () => {
    server.script(json(vector([])));
    const polled = await poll(aWish({ metrics: [aPreset('cpu_usage'), aPreset('error_rate'), aQuery('sum(x)')] }));
    expect(told(polled)).toEqual(Array(3).fill('workload unknown Absent'));
  });
});

describe('P3: partial replies are not trusted', () => {
  const partial = (extra: Readonly<Record<string, unknown>>): Script =>
    exceptDiscovery(json(vector(healthyRows('shop'), NOW, extra)));
  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['a warning', { warnings: ['store x is down'] }],
    ['a warning that is no list', { warnings: 'store x is down' }],
    ['a warning that is no text', { warnings: [{}] }],
    ['a note that something was left out', { infos: ['PromQL info: ignored histogram in: sum aggregation'] }],
  ])('%s', async (_, extra) => {
    server.script(partial(extra));
    const polled = await poll();
    expect(told(polled)).toEqual(['checkout-1 unknown Partial', 'checkout-2 unknown Partial']);
    expect(problemOf(polled)).toBe('Partial');
  });

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['no warnings', { warnings: [] }],
    ['null', { warnings: null }],
    [
      'a note on a counter’s name',
      { infos: ['PromQL info: metric might not be a counter, name does not end in _total'] },
    ],
  ])('trusted: %s', async (_, extra) => {
    server.script(partial(extra));
    expect(told(await poll())).toEqual(['checkout-1 0.5', 'checkout-2 0.5']);
  });
});

describe('P4: errors', () => {
  const data = (vector(healthyRows('shop')) as { data: unknown }).data;
  test.each<[string, Script, SourceError['kind']]>([
    ['an error with data', json({ status: 'error', errorType: 'execution', error: 'x', data }), 'QueryInvalid'],
    ['an unknown status with data', json({ status: 'maybe', data }), 'BadReply'],
    ['400', json({ status: 'error', errorType: 'bad_data', error: 'parse error' }, 400), 'QueryInvalid'],
    ['422', json({ status: 'error', errorType: 'execution', error: 'x' }, 422), 'QueryInvalid'],
    ['422 for a query that costs too much', json({ status: 'error', error: 'too many samples' }, 422), 'QueryTooLarge'],
    ['503 with text', (_, response) => void response.writeHead(503).end('shutting down'), 'Unreachable'],
    ['503 for a time-out', json({ status: 'error', errorType: 'timeout', error: 'x' }, 503), 'Timeout'],
    ['500 with data', json({ status: 'success', data }, 500), 'Unreachable'],
    ['401', json({}, 401), 'Unauthorized'],
    ['403', json({}, 403), 'Unauthorized'],
    ['404', json({}, 404), 'BadReply'],
    ['no JSON', (_, response) => void response.end('<html>login</html>'), 'BadReply'],
    ['truncated JSON', (_, response) => void response.end('{"status":"success","data":{"resultType":"vec'), 'BadReply'],
    ['nothing', (_, response) => void response.end(), 'BadReply'],
    ['null', json(null), 'BadReply'],
    ['no data', json({ status: 'success' }), 'BadReply'],
    ['a matrix', json({ status: 'success', data: { resultType: 'matrix', result: [] } }), 'QueryInvalid'],
    ['a scalar', json({ status: 'success', data: { resultType: 'scalar', result: [0, '1'] } }), 'QueryInvalid'],
    ['a result that is no list', json({ status: 'success', data: { resultType: 'vector', result: {} } }), 'BadReply'],
    ['brotli that nobody asked for', json(vector([]), 200, { 'content-encoding': 'br' }), 'BadReply'],
    ['text that claims to be gzip', json(vector([]), 200, { 'content-encoding': 'gzip' }), 'BadReply'],
  ])('%s', async (_, script, kind) => {
    server.script(exceptDiscovery(script));
    const polled = await poll();
    expect(told(polled)).toEqual(['workload unknown SourceError']);
    expect(problemOf(polled)).toBe(kind);
  });

  test('the message is one bounded line', async () => {
    server.script(
      exceptDiscovery(
        json({ status: 'error', errorType: 'bad_data', error: `a\r\n\u001b[31m${'x'.repeat(9999)}` }, 400),
      ),
    );
    const message = (await poll()).problems[0]?.error.message ?? '';
    expect(message.length).toBeLessThan(320);
    expect(message).not.toMatch(/[\x00-\x1f]/);
  });

  test('one policy’s wrong query leaves the others alone', async () => {
    server.script((request, response, socket) =>
      (queryOf(request).includes('custom_total')
        ? json({ status: 'error', errorType: 'bad_data', error: 'x' }, 400)
        : healthy)(request, response, socket),
    );
    const bad = aWish({ policyUid: 'bad', metrics: [aQuery('sum(custom_total)')] });
    const { policies } = await source.poll([bad, aWish()], NOW);
    expect(policies.map(problemOf)).toEqual(['QueryInvalid', undefined]);
    expect(told(policies[1] ?? (bad as never))).toEqual(['checkout-1 0.5', 'checkout-2 0.5']);
  });
});

test('I30: a thousand policies beside a hundred with wrong queries cost as many exchanges as one in each namespace', async () => {
  const namespaces = Array.from({ length: 20 }, (_, i) => `team-${i}`);
  const good = (perNamespace: number) =>
    namespaces.flatMap((namespace) =>
      Array.from({ length: perNamespace }, (_, i) => aWish({ namespace, policyUid: `${namespace}/${i}` })),
    );
  const bad = Array.from({ length: 100 }, (_, i) =>
    aWish({ namespace: `team-${i % 20}`, policyUid: `bad/${i}`, metrics: [aQuery(`sum(x${i}{{`)] }),
  );
  await source.poll(good(1), NOW); // finds out what there is
  const few = await source.poll(good(1), NOW + 5000);
  const many = await source.poll([...good(50), ...bad], NOW + 10_000);
  expect(many.queries).toBe(few.queries);
  expect(many.policies.map(problemOf)).toEqual([...good(50).map(() => undefined), ...bad.map(() => 'QueryInvalid')]);
  expect(many.policies.slice(0, 1_000).every(({ readings }) => readings.length === 2)).toBe(true);
});

describe('P5: values that are none', () => {
  test.each<[unknown]>([
    ['NaN'],
    ['+Inf'],
    ['-Inf'],
    ['Inf'],
    ['1e999'],
    ['-1e999'],
    [''],
    [' '],
    ['0x10'],
    ['1_000'],
    ['ten'],
    ['1,5'],
    [null],
    [7],
    [true],
    [[]],
    [{}],
    [['1']],
  ])('%p', async (value) => {
    server.script(exceptDiscovery(json(vector(healthyRows('shop', value)))));
    expect(told(await poll())).toEqual(['checkout-1 unknown NotFinite', 'checkout-2 unknown NotFinite']);
  });

  test.each<[string, unknown]>([
    ['elements that are none', [null, 7, 'x', [], {}]],
    ['no metric', [{ value: [NOW / 1000, '1'] }]],
    ['labels that are no text', [{ metric: { namespace: 'shop', pod: 7 }, value: [NOW / 1000, '1'] }]],
    [
      'a histogram',
      [
        { metric: { namespace: 'shop', pod: 'p' }, histogram: [NOW / 1000, {}] },
        { metric: { namespace: 'shop', pod: 'p', aegis_time: '0' }, value: [NOW / 1000, String(NOW / 1000)] },
      ],
    ],
    [
      'labels named like Object’s own',
      [
        {
          metric: JSON.parse('{"__proto__":{"namespace":"shop","pod":"p"},"constructor":"x"}') as unknown,
          value: [NOW / 1000, '1'],
        },
      ],
    ],
  ])('%s: no value, no crash', async (_, result) => {
    server.script(exceptDiscovery(json({ status: 'success', data: { resultType: 'vector', result } })));
    expect((await poll()).readings.every(({ reading }) => reading.kind === 'unknown')).toBe(true);
  });
});

describe('P7: sample times', () => {
  const at = (sampleMs: number, replyMs = NOW): Script =>
    exceptDiscovery(json(vector(healthyRows('shop', '0.5', sampleMs), replyMs)));
  test.each([
    ['as old as two scrape intervals', at(NOW - 60_000), '0.5'],
    ['older than that', at(NOW - 60_001), 'unknown Stale'],
    ['10 min old', at(NOW - 600_000), 'unknown Stale'],
    ['60 s ahead', at(NOW + 60_000), '0.5'],
    ['an hour ahead', at(NOW + 3_600_000), 'unknown InFuture'],
    ['of an hour ahead by the reply’s own time', at(NOW, NOW + 3_600_000), 'unknown InFuture'],
    ['10 min old by the reply’s own time', at(NOW, NOW - 600_000), 'unknown Stale'],
    ['not a number', at(Number.NaN), 'unknown NotFinite'],
  ])('%s', async (_, script, expected) => {
    server.script(script);
    expect(told(await poll())).toEqual([`checkout-1 ${expected}`, `checkout-2 ${expected}`]);
  });

  test('a value without a sample beside it is stale', async () => {
    const rows = healthyRows('shop').filter(
      ({ labels }) => !(labels['pod'] === 'checkout-2' && 'aegis_time' in labels),
    );
    server.script(exceptDiscovery(json(vector(rows))));
    expect(told(await poll())).toEqual(['checkout-1 0.5', 'checkout-2 unknown Stale']);
  });

  test('a server that never shows sample times is taken by the times of its replies', async () => {
    const rows = healthyRows('shop').filter(({ labels }) => !('aegis_time' in labels));
    server.script(exceptDiscovery(json(vector(rows))));
    expect(told(await poll())).toEqual(['checkout-1 0.5', 'checkout-2 0.5']);
    server.script(exceptDiscovery(json(vector(rows, NOW - 600_000))));
    expect(told(await poll())).toEqual(['checkout-1 unknown Stale', 'checkout-2 unknown Stale']);
  });

  test('one that showed them once must go on to', async () => {
    await poll();
    const rows = healthyRows('shop').filter(({ labels }) => !('aegis_time' in labels));
    server.script(exceptDiscovery(json(vector(rows))));
    expect(told(await poll())).toEqual(['checkout-1 unknown Stale', 'checkout-2 unknown Stale']);
  });

  test('the interval is the installation’s', async () => {
    await source.close();
    open({ scrapeIntervalMs: 5000 });
    server.script(at(NOW - 10_001));
    expect(told(await poll())).toEqual(['checkout-1 unknown Stale', 'checkout-2 unknown Stale']);
  });
});

describe('author’s queries', () => {
  const wish = (query: string) => aWish({ metrics: [aQuery(query)] });
  const answer = (...rows: Parameters<typeof vector>[0]): void => server.script(exceptDiscovery(json(vector(rows))));

  test('a value is as old as its stalest input', async () => {
    const own = { pod: 'p' };
    answer({ labels: own, value: '2' }, timeRow(own, NOW - 1000, 0), timeRow({}, NOW - 9000, 1));
    const polled = await poll(wish('a / on () group_left b'));
    expect(polled.readings[0]?.reading).toEqual({ kind: 'value', value: 2, atMs: NOW - 9000 });
    answer({ labels: own, value: '2' }, timeRow(own, NOW - 1000, 0), timeRow({}, NOW - 90_000, 1));
    expect(told(await poll(wish('a / on () group_left b')))).toEqual(['p unknown Stale']);
  });

  test('a pod’s own sample counts, not that of its peers', async () => {
    answer(
      { labels: { pod: 'p' }, value: '1' },
      { labels: { pod: 'q' }, value: '1' },
      timeRow({ pod: 'p' }, NOW - 90_000),
      timeRow({ pod: 'q' }, NOW - 1000),
    );
    expect(told(await poll(wish('a')))).toEqual(['p unknown Stale', 'q 1']);
  });

  test('a value made out of nothing is Absent', async () => {
    answer({ labels: {}, value: '0' });
    expect(told(await poll(wish('sum(x) or vector(0)')))).toEqual(['workload unknown Absent']);
    expect(told(await poll(wish('absent(x)')))).toEqual(['workload unknown Absent']);
  });

  test('series of other namespaces are dropped', async () => {
    const foreign = { namespace: 'bank', pod: 'x' };
    const own = { namespace: 'shop', pod: 'p' };
    answer(
      { labels: foreign, value: '1' },
      timeRow({ pod: 'x' }, NOW),
      { labels: own, value: '2' },
      timeRow({ pod: 'p' }, NOW),
    );
    expect(told(await poll(wish('a')))).toEqual(['p 2']);
  });

  test('two series for one pod are a mistake of the query', async () => {
    const labels = (route: string) => ({ pod: 'p', route });
    answer({ labels: labels('a'), value: '1' }, { labels: labels('b'), value: '2' }, timeRow({ pod: 'p' }, NOW));
    const polled = await poll(wish('a'));
    expect(told(polled)).toEqual(['workload unknown SourceError']);
    expect(polled.problems).toEqual([
      {
        metric: 'custom',
        error: { kind: 'QueryInvalid', message: 'more than one series for pod p: aggregate by (pod)' },
      },
    ]);
  });

  test('a refused query is never sent', async () => {
    const polled = await poll(wish('sum('));
    expect(problemOf(polled)).toBe('QueryInvalid');
    expect(server.requests.filter((request) => !isDiscovery(queryOf(request)))).toEqual([]);
  });
});

describe('P9: too much', () => {
  const rows = (count: number) =>
    Array.from({ length: count / 2 }, (_, i) => ({ namespace: 'shop', pod: `p-${i}` })).flatMap((labels) => [
      { labels, value: '1' },
      timeRow(labels, NOW),
    ]);
  test('20,000 series pass, 20,002 do not', async () => {
    server.script(exceptDiscovery(json(vector(rows(20_000)))));
    expect((await poll()).readings).toHaveLength(10_000);
    server.script(exceptDiscovery(json(vector(rows(20_002)))));
    expect(problemOf(await poll())).toBe('QueryTooLarge');
  });

  test('200 MB are cut off at 16 MiB', async () => {
    let sent = 0;
    const block = Buffer.alloc(1 << 20, ' ');
    server.script(
      exceptDiscovery((_, response) => {
        response.writeHead(200);
        const more = (): void => {
          while (sent < 200 && !response.destroyed) {
            sent++;
            if (!response.write(block)) return void response.once('drain', more);
          }
          response.end();
        };
        more();
      }),
    );
    expect(problemOf(await poll())).toBe('QueryTooLarge');
    expect(sent).toBeLessThan(60);
  });

  test('a gzip bomb is cut off at 16 MiB decoded', async () => {
    const bomb = Buffer.concat(Array<Buffer>(256).fill(gzipSync(Buffer.alloc(1 << 20, ' '))));
    expect(bomb.length).toBeLessThan(1 << 20);
    server.script(
      exceptDiscovery((_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)),
    );
    const before = process.memoryUsage.rss();
    expect(problemOf(await poll())).toBe('QueryTooLarge');
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 << 20);
  });

  test('a small reply that would become a huge heap is not parsed', async () => {
    const body = `{"status":"success","data":{"resultType":"vector","result":[${'[],'.repeat(1_000_000)}[]]}}`;
    server.script(exceptDiscovery((_, response) => void response.end(body)));
    expect(problemOf(await poll())).toBe('QueryTooLarge');
  });

  test('a huge namespace is asked for by itself from then on, and the others keep their readings', async () => {
    open({ limits: { maxSeries: 50 } });
    server.script(
      prometheus({
        probes: [CPU],
        rows: (namespace) =>
          namespace === 'huge'
            ? rows(60).map(({ labels, value }) => ({ labels: { ...labels, namespace }, value }))
            : healthyRows(namespace),
      }),
    );
    const names = ['a', 'b', 'c', 'huge', 'd', 'e'];
    const wishes = names.map((namespace) => aWish({ policyUid: namespace, namespace }));
    const first = await source.poll(wishes, NOW);
    expect(
      first.policies.filter((policy) => problemOf(policy) === 'QueryTooLarge').map(({ policyUid }) => policyUid),
    ).toEqual(['huge']);
    expect(first.policies.filter((policy) => policy.problems.length === 0)).toHaveLength(5);
    expect((await source.poll(wishes, NOW + 1)).queries).toBe(2);
  });
});

describe('P10: slow, hanging, redirecting', () => {
  beforeEach(() => open({ timeoutMs: 400 }));

  test('hangs: unknown at the deadline', async () => {
    server.script(exceptDiscovery(hang));
    const started = performance.now();
    expect(problemOf(await poll())).toBe('Timeout');
    expect(performance.now() - started).toBeLessThan(3000);
  });

  test('a byte at a time: the deadline is for the whole reply', async () => {
    server.script(
      exceptDiscovery((_, response) => {
        response.writeHead(200);
        const timer = setInterval(() => response.write(' '), 20);
        response.on('close', () => clearInterval(timer));
      }),
    );
    expect(problemOf(await poll())).toBe('Timeout');
  });

  test('hundreds of queries to a server that hangs do not take hundreds of deadlines', async () => {
    await poll();
    server.script(hang);
    const metrics = ['cpu_usage', 'memory_usage', 'disk_io', 'cpu_throttling'].map(aPreset);
    const wishes = Array.from({ length: 400 }, (_, i) =>
      aWish({ namespace: 'shop', policyUid: `${i}`, metrics: [...metrics, aQuery(`sum(x${i})`)] }),
    );
    const started = performance.now();
    const { policies, queries } = await source.poll(wishes, NOW);
    expect(performance.now() - started).toBeLessThan(5000);
    expect(queries).toBeLessThan(20);
    expect(policies.every(({ problems }) => problems.length === 5)).toBe(true);
  });

  test.each([301, 302, 303, 307, 308])('%i is not followed', async (status) => {
    const elsewhere = await scriptedServer(healthy);
    server.script(exceptDiscovery(json({}, status, { location: `${elsewhere.url}/api/v1/query` })));
    expect(problemOf(await poll())).toBe('BadReply');
    expect(elsewhere.requests).toEqual([]);
    await elsewhere.close();
  });
});
