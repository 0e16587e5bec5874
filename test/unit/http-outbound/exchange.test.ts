import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseAllowedOrigin, type AllowedOrigin } from '../../../src/http/allowed-origin.ts';
import { createOutbound, type Outbound, type OutboundOptions } from '../../../src/http/outbound.ts';
import { hang, json, reset, scriptedServer, type Script, type ScriptedServer } from '../../support/scripted-server.ts';

let server: ScriptedServer;
let outbound: Outbound;

const entry = (text: string): AllowedOrigin => {
  const parsed = parseAllowedOrigin(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
};
const open = (options: Partial<OutboundOptions> = {}): void => {
  outbound = createOutbound({ allowed: [entry(server.url)], apiServer: [], timeoutMs: 400, ...options });
};
const post = (url = `${server.url}/hook`) => outbound.post({ url, headers: { 'x-key': 'k' }, body: '{"a":1}' });

beforeEach(async () => {
  server = await scriptedServer(json({ fine: true }));
  open();
});
afterEach(async () => {
  await outbound.close();
  await server.close();
});

test('posts body and headers, and hands back status and body', async () => {
  const reply = await post();
  expect(reply).toEqual({ ok: true, value: { status: 200, body: '{"fine":true}' } });
  expect(server.requests).toMatchObject([{ method: 'POST', url: '/hook', body: '{"a":1}', headers: { 'x-key': 'k' } }]);
});

test('sends no credential that the caller did not give', async () => {
  await post();
  expect(server.requests[0]?.headers.authorization).toBeUndefined();
});

describe('a receiver that misbehaves', () => {
  const trickle: Script = (_, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write('x'), 50);
    response.on('close', () => clearInterval(timer));
  };
  test.each<[string, Script, string]>([
    ['hangs', hang, 'Timeout'],
    ['sends a byte at a time', trickle, 'Timeout'],
    ['cuts the connection', reset, 'Broken'],
    ['redirects', json({}, 302, { location: 'http://127.0.0.1:1/' }), 'Forbidden'],
    ['redirects permanently', json({}, 308, { location: '/elsewhere' }), 'Forbidden'],
    ['sends 2 MiB', (_, response) => void response.end('x'.repeat(2 << 20)), 'Broken'],
  ])('%s', async (_, script, kind) => {
    server.script(script);
    const reply = await post();
    expect(reply.ok ? 'called' : reply.error.kind).toBe(kind);
    expect(server.requests).toHaveLength(1);
  });

  test('is not there', async () => {
    await server.close();
    const reply = await post();
    expect(reply.ok ? 'called' : reply.error.kind).toBe('Unsent');
    server = await scriptedServer(json({}));
  });

  test('asks to wait', async () => {
    server.script(json({}, 429, { 'retry-after': '7' }));
    expect(await post()).toMatchObject({ ok: true, value: { status: 429, retryAfterMs: 7000 } });
  });
});

describe('names', () => {
  test('the connection goes to the address that was checked, with the name kept in the request', async () => {
    const url = `http://alertmanager:${server.port}`;
    open({
      allowed: [{ ...entry(url), reach: 'loopback' }],
      resolve: () => Promise.resolve(['127.0.0.1']),
    });
    expect((await post(`${url}/hook`)).ok).toBe(true);
    expect(server.requests[0]?.headers.host).toBe(`alertmanager:${server.port}`);
  });

  test('a name that answers differently the second time gains nothing: there is one question per connection', async () => {
    const url = `http://rebind.example:${server.port}`;
    let questions = 0;
    open({
      allowed: [entry(url)],
      resolve: () => Promise.resolve([++questions === 1 ? '127.0.0.1' : '93.184.216.34']),
    });
    const reply = await post(`${url}/hook`);
    expect(reply).toMatchObject({ ok: false, error: { kind: 'Forbidden' } });
    expect(questions).toBe(1);
    expect(server.requests).toHaveLength(0);
  });

  test('one forbidden address among several is enough to refuse', async () => {
    const url = `http://mixed.example:${server.port}`;
    open({ allowed: [entry(url)], resolve: () => Promise.resolve(['93.184.216.34', '127.0.0.1']) });
    expect(await post(`${url}/hook`)).toMatchObject({ ok: false, error: { kind: 'Forbidden' } });
  });

  test('a name without an address is not sent to', async () => {
    const url = `http://gone.example:${server.port}`;
    const notFound = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    open({ allowed: [entry(url)], resolve: () => Promise.reject(notFound) });
    expect(await post(`${url}/hook`)).toMatchObject({ ok: false, error: { kind: 'Unsent' } });
  });
});
