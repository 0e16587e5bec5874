import { createServer } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { CallEdge, ClaimRoom, MetricEvidenceSource } from '../../../src/controller/evidence-ports.ts';
import { callEdges, callsQuery } from '../../../src/prometheus/call-edges.ts';
import { claimQuery, claimRooms } from '../../../src/prometheus/claim-room.ts';
import { createMetricEvidence } from '../../../src/prometheus/evidence-source.ts';
import type { Row } from '../../../src/prometheus/instant-vector.ts';
import { createMetricSource } from '../../../src/prometheus/metric-source.ts';
import { nodesNamed, parseQuery } from '../../../src/prometheus/promql/syntax.ts';
import { createTransport, type Transport } from '../../../src/prometheus/transport.ts';
import { aQuery, aWish, vector } from '../../support/builders/prometheus.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { recordedLog } from '../../support/recorders.ts';
import { json, scriptedServer, type ScriptedServer } from '../../support/scripted-server.ts';

const row = (labels: Readonly<Record<string, string>>, value = 1): Row => ({ labels, atMs: 0, value });
const part = (claim: string, aegis_part: string, value: number): Row =>
  row({ persistentvolumeclaim: claim, aegis_part }, value);

/** Every selector of a query, as text. */
function selectorsOf(promql: string): readonly string[] {
  const parsed = parseQuery(promql, Number.POSITIVE_INFINITY);
  if (!parsed.ok) throw new Error(parsed.error);
  const { text, tree } = parsed.value;
  return nodesNamed(tree, 'VectorSelector').map((node) => text.slice(node.from, node.to));
}

describe('[S7] every selector names the namespaces that were asked for', () => {
  test('of claims', () => {
    const found = selectorsOf(claimQuery('shop', ['data-0', 'da"ta'], 60_000));
    expect(found.length).toBeGreaterThan(4);
    for (const selector of found)
      expect(selector).toContain('namespace="shop",persistentvolumeclaim=~"data-0|da\\"ta"');
  });

  test('of calls', () => {
    const found = selectorsOf(callsQuery(['bank', 'shop']));
    expect(found).toHaveLength(5);
    for (const selector of found)
      expect(selector).toMatch(/[{](source_workload_|k8s_)?namespace(_name)?=~"bank[|]shop"/);
  });
});

describe('room on a claim', () => {
  test.each<[string, readonly Row[], readonly ClaimRoom[]]>([
    [
      'all three',
      [part('d', 'bytes', 10), part('d', 'ratio', 0.1), part('d', 'slope', -2)],
      [{ claim: 'd', freeBytes: 10, freeRatio: 0.1, slopeBytesPerSecond: -2 }],
    ],
    [
      'too young for a slope',
      [part('d', 'bytes', 10), part('d', 'ratio', 0.1)],
      [{ claim: 'd', freeBytes: 10, freeRatio: 0.1 }],
    ],
    ['no capacity: not measured', [part('d', 'bytes', 10)], []],
    ['no number', [part('d', 'bytes', NaN), part('d', 'ratio', 0.1)], []],
    ['a share that is none', [part('d', 'bytes', 10), part('d', 'ratio', 1.5)], []],
    ['nothing', [], []],
  ])('%s', (_, rows, expected) => {
    expect(claimRooms(rows)).toEqual(expected);
  });
});

const istio = (over: Readonly<Record<string, string>>): Row =>
  row({ source_workload: 'cart', source_workload_namespace: 'shop', ...over });
const envoy = (cluster: string): Row => row({ namespace: 'shop', pod: 'cart-1', envoy_cluster_name: cluster });
const dialled = (host: string): Row => row({ namespace: 'shop', pod: 'cart-1', server_address: host });
const pod = { namespace: 'shop', pod: 'cart-1' };

describe('who calls whom', () => {
  test.each<[string, Row, CallEdge | undefined]>([
    [
      'a mesh that knows both ends',
      istio({
        destination_workload: 'db',
        destination_workload_namespace: 'data',
        destination_service_name: 'db',
        destination_service_namespace: 'data',
      }),
      { caller: { namespace: 'shop', workload: 'cart' }, callee: { namespace: 'data', workload: 'db', service: 'db' } },
    ],
    [
      'a callee that never answered is known by its Service',
      istio({ destination_workload: 'unknown', destination_service_name: 'db', destination_service_namespace: 'data' }),
      { caller: { namespace: 'shop', workload: 'cart' }, callee: { namespace: 'data', service: 'db' } },
    ],
    [
      'what has no route',
      istio({ destination_workload: 'unknown', destination_service_name: 'PassthroughCluster' }),
      undefined,
    ],
    ['an unknown caller', istio({ source_workload: 'unknown', destination_workload: 'db' }), undefined],
    [
      'a caller of a namespace that was not asked for',
      istio({ source_workload_namespace: 'bank', destination_workload: 'db' }),
      undefined,
    ],
    [
      'a sidecar',
      envoy('outbound|80||db.data.svc.cluster.local'),
      { caller: pod, callee: { service: 'db', namespace: 'data' } },
    ],
    ['a sidecar without a host', envoy('outbound|80'), undefined],
    [
      'an application, by the full name',
      dialled('db.data.svc'),
      { caller: pod, callee: { service: 'db', namespace: 'data' } },
    ],
    [
      'by the short name: in its own namespace',
      dialled('db'),
      { caller: pod, callee: { service: 'db', namespace: 'shop' } },
    ],
    ['a host outside', dialled('api.example.com'), { caller: pod, callee: { host: 'api.example.com' } }],
    ['an address says nothing', dialled('10.0.0.7'), undefined],
    ['itself', dialled('localhost'), undefined],
    [
      'pushed',
      row({ k8s_namespace_name: 'shop', k8s_pod_name: 'cart-1', server_address: 'db' }),
      { caller: pod, callee: { service: 'db', namespace: 'shop' } },
    ],
    ['labels of nothing known', row({ job: 'x' }), undefined],
  ])('%s', (_, given, expected) => {
    expect(callEdges([given], ['shop'])).toEqual(expected === undefined ? [] : [expected]);
  });

  test('the same edge from two families is one', () => {
    expect(callEdges([dialled('db'), dialled('db')], ['shop'])).toHaveLength(1);
  });
});

describe('over http', () => {
  const connections = { opened: 0 };
  let server: ScriptedServer;
  let transport: Transport;
  let evidence: MetricEvidenceSource;
  const optionsOf = () => ({ url: server.url, log: recordedLog(), retry: { attempts: 0 } });

  beforeAll(async () => {
    const listening = createServer().on('connection', () => (connections.opened += 1));
    server = await scriptedServer(json(vector([])), listening);
  });
  beforeEach(() => {
    transport = createTransport(optionsOf());
    evidence = createMetricEvidence(transport, optionsOf());
  });
  afterEach(() => transport.close());
  afterAll(() => server.close());

  test('nothing counts calls: no graph is known, which is not an empty one', async () => {
    server.script(json(vector([])));
    expect(await evidence.calls(['shop'])).toEqual({ ok: true, value: undefined });
  });

  test('a partial reply is not trusted', async () => {
    server.script(json(vector([], undefined, { warnings: ['a store is away'] })));
    expect(await evidence.claims('shop', ['data'])).toMatchObject({ ok: false, error: { kind: 'Partial' } });
  });

  test('nothing wanted: nothing asked', async () => {
    const before = server.requests.length;
    expect([await evidence.claims('shop', []), await evidence.calls([])]).toMatchObject([{ value: [] }, { ok: true }]);
    expect(server.requests).toHaveLength(before);
  });

  test('a poll and what is asked besides go over one connection, one after the other', async () => {
    server.script(json(vector([])));
    const source = createMetricSource(optionsOf(), fakeClock(Date.now()), transport);
    const before = connections.opened;
    await source.poll([aWish({ metrics: [aQuery('sum(x)')] })], Date.now());
    await evidence.calls(['shop']);
    await evidence.claims('shop', ['data']);
    expect(connections.opened - before).toBe(1);
  });
});
