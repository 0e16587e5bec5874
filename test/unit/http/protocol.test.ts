import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { anApi, aMetric, KEY, type Api } from '../../support/builders/http.ts';
import { rawExchange } from '../../support/raw-http.ts';

let api: Api;
beforeAll(async () => {
  api = await anApi();
});
afterAll(() => api.stop());

const ANOMALY = '/api/v1/detect-anomaly';
const body = JSON.stringify({ metrics: [aMetric()] });
const head = (lines: readonly string[], first = `POST ${ANOMALY} HTTP/1.1`) =>
  [first, 'host: x', `x-api-key: ${KEY}`, 'content-type: application/json', ...lines, '', ''].join('\r\n');

describe('routes and methods', () => {
  const rows: readonly (readonly [method: string, path: string, status: number, allow: string | null])[] = [
    ['GET', '/nothing', 404, null],
    ['GET', `${ANOMALY}/`, 404, null],
    ['GET', '/API/V1/detect-anomaly', 404, null],
    ['POST', '/%E0%A4%A', 404, null],
    ['POST', '/docs/../health', 405, 'GET, HEAD'],
    ['GET', '/docs/%2e%2e/package.json', 404, null],
    ['GET', ANOMALY, 405, 'POST'],
    ['DELETE', ANOMALY, 405, 'POST'],
    ['OPTIONS', ANOMALY, 405, 'POST'],
    ['POST', '/health', 405, 'GET, HEAD'],
    ['HEAD', '/health', 200, null],
  ];
  test.each(rows)('%s %s -> %d', async (method, path, status, allow) => {
    const answer = await api.call(path, { method, headers: { 'x-api-key': null } });
    expect([answer.status, answer.headers.get('allow')]).toEqual([status, allow]);
  });

  test('TRACE -> 405 with Allow', async () => {
    const answer = await rawExchange(api.port, head(['connection: close'], `TRACE ${ANOMALY} HTTP/1.1`));
    expect(answer.status).toBe(405);
    expect(answer.head.toLowerCase()).toContain('allow: post');
  });

  test('a method override is ignored', async () => {
    const headers = { 'x-http-method-override': 'DELETE' };
    expect((await api.post(ANOMALY, body, { headers })).status).toBe(200);
  });

  test('the absolute form of an address names no route', async () => {
    const answer = await rawExchange(api.port, head(['connection: close'], 'GET http://elsewhere/health HTTP/1.1'));
    expect([200, 404]).toContain(answer.status);
  });
});

describe('media types', () => {
  const rows: readonly (readonly [what: string, headers: Record<string, string | null>, status: number])[] = [
    ['no content type', { 'content-type': null }, 415],
    ['text/plain', { 'content-type': 'text/plain' }, 415],
    ['another charset', { 'content-type': 'application/json; charset=iso-8859-1' }, 415],
    ['utf-8', { 'content-type': 'application/json; charset=utf-8' }, 200],
    ['"UTF-8" in quotes and capitals', { 'content-type': 'Application/JSON;charset="UTF-8"' }, 200],
    ['a parameter that says nothing of the encoding', { 'content-type': 'application/json; v=1; a="b;c"' }, 200],
    ['UTF-8 among other parameters', { 'content-type': 'application/json;v=1;charset=utf-8;w=2' }, 200],
    ['two charsets', { 'content-type': 'application/json; charset=utf-8; charset=utf-16' }, 415],
    ['a json suffix', { 'content-type': 'application/vnd.aegis+json' }, 200],
    ['gzip', { 'content-encoding': 'gzip' }, 415],
    ['br', { 'content-encoding': 'br' }, 415],
    ['identity', { 'content-encoding': 'identity' }, 200],
  ];
  test.each(rows)('%s', async (_what, headers, status) => {
    // Bytes, so that the client adds no content type of its own.
    const answer = await api.call(ANOMALY, { method: 'POST', body: Buffer.from(body), headers });
    expect(answer.status).toBe(status);
  });

  // Made before the first call: on a busy machine it takes so long that the server gives up the connection meanwhile.
  const bomb = gzipSync(Buffer.alloc(50_000_000, 0x20));

  test('a gzip bomb is not unpacked', async () => {
    const answer = await api.call(ANOMALY, { method: 'POST', body: bomb, headers: { 'content-encoding': 'gzip' } });
    expect(answer.status).toBe(415);
  });
});

describe('size', () => {
  const LIMIT = 2 * 1024 * 1024;
  const padded = (bytes: number) => body + ' '.repeat(bytes - body.length);

  test('2 MiB is taken', async () => {
    expect((await api.post(ANOMALY, padded(LIMIT))).status).toBe(200);
  });

  test('one byte more is refused, declared', async () => {
    const answer = await rawExchange(api.port, head([`content-length: ${LIMIT + 1}`]));
    expect(answer.status).toBe(413);
    expect(answer.closed).toBe(true);
  });

  test('one byte more is refused, chunked', async () => {
    const chunk = `${(LIMIT + 1).toString(16)}\r\n${padded(LIMIT + 1)}\r\n0\r\n\r\n`;
    const answer = await rawExchange(api.port, head(['transfer-encoding: chunked']) + chunk);
    expect(answer.status).toBe(413);
    expect(answer.closed).toBe(true);
  });

  test('with Expect: 100-continue the refusal comes instead of the go-ahead', async () => {
    const answer = await rawExchange(api.port, head(['expect: 100-continue', `content-length: ${LIMIT + 1}`]));
    expect(answer.status).toBe(413);
  });

  test('with Expect: 100-continue the go-ahead comes after the key', async () => {
    const lines = ['expect: 100-continue', `content-length: ${body.length}`, 'connection: close'];
    const answer = await rawExchange(api.port, head(lines), { later: [body] });
    expect(answer.text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
    const refused = await rawExchange(api.port, head(lines).replace(KEY, 'wrong'));
    expect(refused.status).toBe(401);
  });

  test('an address of more than 8 KiB: 414; headers of more than 16 KiB: 431', async () => {
    expect((await api.call(`/health?${'a'.repeat(8 * 1024)}`)).status).toBe(414);
    const answer = await rawExchange(api.port, head([`x-long: ${'a'.repeat(17 * 1024)}`]));
    expect(answer.status).toBe(431);
    expect(JSON.parse(answer.body)).toMatchObject({ detail: expect.any(String) as unknown, status: answer.status });
  });
});

describe('ambiguous HTTP is refused and the connection closed', () => {
  const rows: readonly (readonly [what: string, bytes: string])[] = [
    ['a negative length', head(['content-length: -1'])],
    ['a length that is none', head(['content-length: 1x'])],
    ['a length beside a chunked body', `${head(['content-length: 5', 'transfer-encoding: chunked'])}0\r\n\r\n`],
    ['two lengths', `${head(['content-length: 2', 'content-length: 3'])}{}`],
    ['a bare CR in a header', head(['x-a: b\rc', `content-length: 2`]) + '{}'],
    ['two hosts', `${head(['host: y', 'content-length: 2'])}{}`],
    ['no host', `GET /health HTTP/1.1\r\n\r\n`],
    ['no HTTP at all', 'hello\r\n\r\n'],
    ['a transfer coding that is not undone', `${head(['transfer-encoding: gzip, chunked'])}0\r\n\r\n`],
    ['chunks in HTTP/1.0', `${head(['transfer-encoding: chunked'], `POST ${ANOMALY} HTTP/1.0`)}0\r\n\r\n`],
    ['a tunnel', 'CONNECT elsewhere:443 HTTP/1.1\r\nhost: elsewhere:443\r\n\r\n'],
    ['a bad chunk', `${head(['transfer-encoding: chunked'])}zz\r\n`],
  ];
  test.each(rows)('%s', async (_what, bytes) => {
    const answer = await rawExchange(api.port, bytes);
    expect([answer.status, answer.closed]).toEqual([400, true]);
    expect(JSON.parse(answer.body)).toMatchObject({ detail: expect.any(String) as unknown, status: answer.status });
  });
});

describe('clients that misbehave', () => {
  test('one that goes away in the middle of its body leaves nothing behind', async () => {
    const before = await api.store.predictionStats(Date.now());
    for (let i = 0; i < 200; i += 1) {
      await new Promise<void>((resolve) => {
        const socket = connect(api.port, '127.0.0.1');
        socket.on('error', () => undefined);
        socket.on('close', () => resolve());
        socket.write(head([`content-length: ${body.length}`]) + body.slice(0, -5), () => socket.destroy());
      });
    }
    const after = await api.store.predictionStats(Date.now());
    expect(after.total).toBe(before.total);
    expect((await api.post(ANOMALY, body)).status).toBe(200);
    expect(api.log.lines.filter((line) => line.level === 'error')).toEqual([]);
  });

  test('no CORS, no cookie, no word about the software; every answer is protected', async () => {
    const answer = await api.post(ANOMALY, body, { headers: { origin: 'https://evil.example' } });
    for (const name of ['access-control-allow-origin', 'set-cookie', 'x-powered-by', 'server', 'etag']) {
      expect(answer.headers.get(name)).toBeNull();
    }
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'");
    const docs = await api.call('/docs');
    expect(docs.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(docs.headers.get('content-security-policy')).not.toContain('upgrade-insecure-requests');
  });
});
