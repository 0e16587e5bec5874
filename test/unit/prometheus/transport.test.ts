import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { MetricSourceOptions } from '../../../src/prometheus/options.ts';
import { createTransport, type Transport } from '../../../src/prometheus/transport.ts';
import { recordedLog } from '../../support/recorders.ts';
import { json, scriptedServer, type ScriptedServer } from '../../support/scripted-server.ts';

let dir: string;
let server: ScriptedServer;
let transport: Transport | undefined;

const open = (options: Partial<MetricSourceOptions> = {}): Transport =>
  (transport = createTransport({
    url: server.url,
    log: recordedLog(),
    timeoutMs: 2000,
    retry: { attempts: 0 },
    ...options,
  }));
const call = { method: 'POST', path: '/api/v1/query', parameters: 'query=up' } as const;
const file = (name: string, text: string): string => {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
};

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'metrics-'));
  server = await scriptedServer(json({ fine: true }));
});
afterEach(async () => {
  await transport?.close();
  transport = undefined;
  await server.close();
  rmSync(dir, { recursive: true });
});

describe('addresses of other servers', () => {
  test.each([
    ['Prometheus', '', '/api/v1/query'],
    ['a trailing slash', '/', '/api/v1/query'],
    ['Mimir', '/prometheus', '/prometheus/api/v1/query'],
    ['VictoriaMetrics', '/select/0/prometheus/', '/select/0/prometheus/api/v1/query'],
    ['Thanos with a parameter', '/?dedup=true', '/api/v1/query?dedup=true'],
  ])('%s', async (_, suffix, expected) => {
    await open({ url: `${server.url}${suffix}` }).send(call);
    expect(server.requests).toMatchObject([{ method: 'POST', url: expected, body: 'query=up' }]);
  });

  test('parameters of a GET join those of the address', async () => {
    await open({ url: `${server.url}/?dedup=true` }).send({ ...call, method: 'GET' });
    expect(server.requests).toMatchObject([{ method: 'GET', url: '/api/v1/query?dedup=true&query=up', body: '' }]);
  });
});

describe('who we say we are', () => {
  test('nobody, unless configured', async () => {
    await open().send(call);
    expect(server.requests[0]?.headers.authorization).toBeUndefined();
  });

  test('a tenant and headers', async () => {
    await open({ tenant: 'shop', headers: { 'x-extra': '1' } }).send(call);
    expect(server.requests[0]?.headers).toMatchObject({ 'x-scope-orgid': 'shop', 'x-extra': '1' });
  });

  test('basic authentication', async () => {
    await open({ basicAuth: { username: 'aegis', passwordFile: file('password', 'pässword\n') } }).send(call);
    const expected = `Basic ${Buffer.from('aegis:pässword').toString('base64')}`;
    expect(server.requests[0]?.headers.authorization).toBe(expected);
  });

  test('a bearer token, read again once the server refuses it', async () => {
    const path = file('token', 'first');
    const opened = open({ bearerTokenFile: path });
    await opened.send(call);
    writeFileSync(path, 'second');
    server.script(json({}, 401));
    await opened.send(call);
    await opened.send(call);
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer first',
      'Bearer first',
      'Bearer second',
    ]);
  });

  test('a token that cannot be read: nothing is sent', async () => {
    const reply = await open({ bearerTokenFile: join(dir, 'missing') }).send(call);
    expect(reply).toMatchObject({ ok: false, error: { kind: 'Unreachable' } });
    expect(server.requests).toEqual([]);
  });

  test.each<[string, Partial<MetricSourceOptions>]>([
    ['two kinds of credentials', { bearerTokenFile: '/t', basicAuth: { username: 'a', passwordFile: '/p' } }],
    ['credentials in the address', { url: 'http://user:pass@prometheus:9090' }],
    ['another scheme', { url: 'file:///etc/passwd' }],
    ['no address', { url: 'prometheus' }],
  ])('%s stop the start', (_, options) => {
    expect(() => open(options)).toThrow();
  });
});

describe('replies', () => {
  test('gzip is decoded', async () => {
    server.script(
      (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"a":1}')),
    );
    expect(await open().send(call)).toEqual({ ok: true, value: { status: 200, text: '{"a":1}' } });
    expect(server.requests[0]?.headers['accept-encoding']).toBe('gzip');
  });

  test.each([502, 503, 504, 429])('%i is tried again, within the deadline', async (status) => {
    let tries = 0;
    server.script((...args) => (++tries < 3 ? json({}, status) : json({ fine: true }))(...args));
    const reply = await open({ retry: { attempts: 2, initialDelayMs: 1 } }).send(call);
    expect(reply).toMatchObject({ ok: true, value: { status: 200 } });
    expect(tries).toBe(3);
  });

  test.each([400, 401, 404, 422, 500])('%i is not', async (status) => {
    server.script(json({}, status));
    await open({ retry: { attempts: 2, initialDelayMs: 1 } }).send(call);
    expect(server.requests).toHaveLength(1);
  });

  test('connections are used again', async () => {
    const ports = new Set<number | undefined>();
    server.script((request, response, socket) => {
      ports.add(socket.remotePort);
      json({})(request, response, socket);
    });
    const opened = open();
    for (let i = 0; i < 10; i++) await opened.send(call);
    expect(ports.size).toBeLessThanOrEqual(2);
  });
});

describe('TLS', () => {
  const authority = (name: string): { ca: string; key: string; cert: string } => {
    const path = (suffix: string): string => join(dir, `${name}.${suffix}`);
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
        ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'],
        ...['-keyout', path('key'), '-out', path('crt')],
      ],
      { stdio: 'ignore' },
    );
    return { ca: path('crt'), key: readFileSync(path('key'), 'utf8'), cert: readFileSync(path('crt'), 'utf8') };
  };
  let secured: ScriptedServer;
  let own: ReturnType<typeof authority>;
  const url = (): string => secured.url.replace('http:', 'https:');

  beforeEach(async () => {
    own = authority('own');
    secured = await scriptedServer(json({ fine: true }), createTlsServer({ key: own.key, cert: own.cert }));
  });
  afterEach(() => secured.close());

  test('a server is trusted by the configured CA', async () => {
    expect((await open({ url: url(), caFile: own.ca }).send(call)).ok).toBe(true);
  });

  test('not without it, and not by another: no request goes over an unverified connection', async () => {
    expect(await open({ url: url() }).send(call)).toMatchObject({ ok: false, error: { kind: 'Unreachable' } });
    await transport?.close();
    const other = authority('other');
    expect(await open({ url: url(), caFile: other.ca }).send(call)).toMatchObject({
      ok: false,
      error: { kind: 'Unreachable' },
    });
    expect(secured.requests).toEqual([]);
  });

  test('nor under another name', async () => {
    const opened = open({ url: url().replace('127.0.0.1', 'localhost'), caFile: own.ca });
    expect((await opened.send(call)).ok).toBe(false);
    expect(secured.requests).toEqual([]);
  });
});
