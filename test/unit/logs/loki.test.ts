import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { QueryClient } from '../../../src/controller/ports.ts';
import { createLokiLogs } from '../../../src/logs/loki.ts';
import { createTransport } from '../../../src/prometheus/transport.ts';
import { recordedLog } from '../../support/recorders.ts';
import { hang, json, scriptedServer, type Script, type ScriptedServer } from '../../support/scripted-server.ts';

const NOW = 1_700_000_300_000;
const SINCE = 1_700_000_000_000;
const ns = (ms: number): string => `${ms}000000`;

let server: ScriptedServer;
let client: QueryClient & { close(): Promise<void> };

const streams = (...result: unknown[]): unknown => ({ status: 'success', data: { resultType: 'streams', result } });
const stream = (labels: Readonly<Record<string, string>>, ...values: [string, string][]): unknown => ({
  stream: { namespace: 'shop', pod: 'db-0', ...labels },
  values,
});
const read = (pods: readonly string[] = ['db-0'], maxLines = 100) =>
  createLokiLogs({ client, nowMs: () => NOW }).read('shop', pods, SINCE, maxLines);

beforeEach(async () => {
  server = await scriptedServer(json(streams()));
  client = createTransport({
    url: server.url,
    log: recordedLog(),
    tenant: 'shop',
    timeoutMs: 300,
    retry: { attempts: 0 },
  });
});
afterEach(async () => {
  await client.close();
  await server.close();
});

test('asks for the window with escaped labels, newest first, and sends the tenant', async () => {
  await createLokiLogs({ client, nowMs: () => NOW }).read('sh"op', ['a.b', 'c|d'], SINCE, 10);
  const [request] = server.requests;
  const query = new URL(request?.url ?? '', server.url).searchParams;
  expect(Object.fromEntries(query)).toEqual({
    query: '{namespace="sh\\"op",pod=~"a\\\\.b|c\\\\|d"}',
    start: ns(SINCE),
    end: ns(NOW),
    limit: '20',
    direction: 'backward',
  });
  expect(request?.headers['x-scope-orgid']).toBe('shop');
});

test('lines come back oldest first, with the level of the label or of the text', async () => {
  server.script(
    json(
      streams(
        stream(
          { detected_level: 'critical', app: 'database' },
          [ns(SINCE + 2000), 'second'],
          [ns(SINCE + 1000), 'first'],
        ),
        stream({ pod: 'db-0' }, [ns(SINCE + 3000), 'WARN third']),
      ),
    ),
  );
  expect(await read()).toEqual({
    ok: true,
    value: [
      { atMs: SINCE + 1000, level: 'error', message: 'first', service: 'database', pod: 'db-0' },
      { atMs: SINCE + 2000, level: 'error', message: 'second', service: 'database', pod: 'db-0' },
      { atMs: SINCE + 3000, level: 'warn', message: 'WARN third', service: 'db', pod: 'db-0' },
    ],
  });
});

test('streams of other namespaces and pods, and entries that are none, are dropped', async () => {
  server.script(
    json(
      streams(
        stream({ namespace: 'bank' }, [ns(SINCE + 1), 'foreign']),
        stream({ pod: 'other' }, [ns(SINCE + 1), 'foreign']),
        {
          stream: { namespace: 'shop', pod: 'db-0' },
          values: [null, [1, 'x'], ['soon', 'x'], [ns(SINCE - 1), 'old'], [ns(SINCE + 1), 'own']],
        },
        null,
      ),
    ),
  );
  const reply = await read();
  expect(reply.ok && reply.value.map(({ message }) => message)).toEqual(['own']);
});

test('each pod keeps its newest lines', async () => {
  const values = Array.from({ length: 30 }, (_, i): [string, string] => [ns(SINCE + i), `line ${i}`]);
  server.script(json(streams(stream({}, ...values))));
  const reply = await read(['db-0'], 2);
  expect(reply.ok && reply.value.map(({ message }) => message)).toEqual(['line 28', 'line 29']);
});

test('many pods are asked for in parts', async () => {
  await read(Array.from({ length: 120 }, (_, i) => `p-${i}`));
  expect(server.requests).toHaveLength(3);
});

describe('a server that misbehaves', () => {
  test.each<[string, Script, string]>([
    ['refuses the key', json({}, 401), 'Unauthorized'],
    ['finds the query wrong', json({}, 400), 'QueryInvalid'],
    ['is overloaded', json({}, 503), 'Unreachable'],
    ['says error under 200', json({ status: 'error', data: { resultType: 'streams', result: [] } }), 'BadReply'],
    ['sends a matrix', json({ status: 'success', data: { resultType: 'matrix', result: [] } }), 'BadReply'],
    ['sends no JSON', (_, response) => void response.end('<html>'), 'BadReply'],
    ['redirects', json({}, 302, { location: 'http://127.0.0.1:1' }), 'BadReply'],
    ['hangs', hang, 'Timeout'],
  ])('%s', async (_, script, kind) => {
    server.script(script);
    expect(await read()).toMatchObject({ ok: false, error: { kind } });
    expect(server.requests).toHaveLength(1);
  });
});
