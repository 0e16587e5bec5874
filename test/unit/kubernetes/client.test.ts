import { rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type ApiRequest, type KubeClient, createClient } from '../../../src/kubernetes/client.ts';
import type { Json } from '../../../src/kubernetes/json.ts';
import { RESOURCES } from '../../../src/kubernetes/resources.ts';
import { aKubeconfig } from '../../support/builders/kubernetes.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';
import { type RecordedMetrics, recordedLog, recordedMetrics } from '../../support/recorders.ts';
import {
  type ScriptedApi,
  type Script,
  answer,
  beginStream,
  eventually,
  scriptedApi,
} from '../../support/scripted-api.ts';
import { selfSigned } from '../../support/self-signed.ts';

const pod = { resource: RESOURCES.pods, namespace: 'shop', name: 'a' };
const get: ApiRequest = { method: 'GET', target: pod };

let api: ScriptedApi;
let clock: FakeClock;
let client: KubeClient;
let metrics: RecordedMetrics;

async function connect(path: string, scope?: readonly string[]): Promise<KubeClient> {
  const made = await createClient({
    access: { kind: 'kubeconfig', path },
    clock,
    log: recordedLog(),
    metrics,
    ...(scope ? { scope } : {}),
  });
  if (!made.ok) throw new Error(made.error);
  client = made.value;
  return client;
}

const ok: Script = (_request, response) => answer(response, 200, { kind: 'Pod' });

beforeEach(() => {
  clock = fakeClock();
  metrics = recordedMetrics();
});

afterEach(async () => {
  client.close();
  await api.stop();
});

describe('requests', () => {
  beforeEach(async () => {
    api = await scriptedApi(ok);
    await connect(await aKubeconfig(api.url));
  });

  test('share connections: a hundred calls one after the other need one', async () => {
    for (let i = 0; i < 100; i += 1) {
      const call = client.call(get);
      if (i % 40 === 39) clock.advance(1_100);
      expect((await call).ok).toBe(true);
    }
    expect(api.connections()).toBe(1);
  });

  test('carry the token and name Aegis', async () => {
    await client.call(get);
    expect(api.seen[0]?.headers).toMatchObject({ authorization: 'Bearer secret', accept: 'application/json' });
    expect(api.seen[0]?.headers['user-agent']).toMatch(/^aegis\//);
    expect(client.namespace).toBe('shop');
  });

  test.each<[verb: string, request: ApiRequest]>([
    ['get', get],
    ['list', { method: 'GET', target: { resource: RESOURCES.pods } }],
    ['create', { method: 'POST', target: { ...pod, subresource: 'eviction' }, body: {} }],
    ['update', { method: 'PUT', target: pod, body: {} }],
    ['patch', { method: 'PATCH', patch: 'merge', target: pod, body: {} }],
    ['delete', { method: 'DELETE', target: pod }],
  ])('are counted by their verb: %s', async (verb, request) => {
    await client.call(request);
    expect(metrics.value('aegis_kubernetes_requests_total')).toBe(1);
    expect(metrics.value('aegis_kubernetes_requests_total', { verb, code: '200' })).toBe(1);
    expect(metrics.observations('aegis_kubernetes_request_duration_seconds')).toBe(1);
  });

  test('that the fence does not let out are not counted', async () => {
    client.fenceWrites(() => false);
    await client.call({ method: 'DELETE', target: pod });
    expect(metrics.names()).toEqual(new Set());
  });

  const types: [string, ApiRequest, string][] = [
    ['a merge patch', { method: 'PATCH', patch: 'merge', target: pod, body: { a: 1 } }, 'application/merge-patch+json'],
    ['a server-side apply', { method: 'PATCH', patch: 'apply', target: pod, body: {} }, 'application/apply-patch+yaml'],
    ['a creation', { method: 'POST', target: pod, body: {} }, 'application/json'],
  ];
  test.each(types)('%s says what it is', async (_row, request, type) => {
    await client.call(request);
    expect(api.seen[0]?.headers['content-type']).toBe(type);
  });

  test('a name that is no name never leaves', async () => {
    const reply = await client.call({ method: 'GET', target: { ...pod, name: '../x' } });
    expect(reply).toMatchObject({ ok: false, error: { kind: 'Rejected', sent: false } });
    expect(api.seen).toEqual([]);
  });

  test('in single-namespace mode a request elsewhere never leaves', async () => {
    client.close();
    await connect(await aKubeconfig(api.url), ['shop']);
    expect((await client.call({ method: 'GET', target: { resource: RESOURCES.nodes } })).ok).toBe(false);
    expect((await client.call({ ...get, target: { ...pod, namespace: 'other' } })).ok).toBe(false);
    const watched = await client.watch({ resource: RESOURCES.pods }, new AbortController().signal, {
      onOpen: () => undefined,
      onLine: () => undefined,
    });
    expect(watched.kind).toBe('refused');
    expect(api.seen).toEqual([]);
    expect((await client.call(get)).ok).toBe(true);
  });

  test('writes ask the fence in the moment of sending; reads, leases and access reviews do not', async () => {
    client.fenceWrites(() => false);
    const write: ApiRequest = { method: 'PATCH', patch: 'merge', target: pod, body: {} };
    expect(await client.call(write)).toMatchObject({ ok: false, error: { sent: false, causes: ['NotLeader'] } });
    expect(api.seen).toEqual([]);
    const lease = { resource: RESOURCES.leases, namespace: 'a', name: 'b' };
    expect((await client.call({ method: 'PUT', target: lease, body: {} })).ok).toBe(true);
    expect((await client.call({ method: 'POST', target: { resource: RESOURCES.accessReviews }, body: {} })).ok).toBe(
      true,
    );
    expect((await client.call(get)).ok).toBe(true);
    expect((await client.call({ ...write, fence: () => true })).ok).toBe(true);
  });

  test('an answer that is no JSON is a fault', async () => {
    api.script((_request, response) => answer(response, 200, '<html>'));
    expect(await client.call(get)).toMatchObject({ ok: false, error: { kind: 'Unknown' } });
  });
});

describe('a server that fails', () => {
  beforeEach(async () => {
    api = await scriptedApi(ok);
    await connect(await aKubeconfig(api.url));
  });

  /** Waits until the server has the request, then lets its deadline pass. */
  async function afterDeadline<T>(call: Promise<T>, ms = 10_000): Promise<T> {
    await eventually(() => api.seen.length > 0);
    clock.advance(ms - 1);
    let ended = false;
    void call.finally(() => (ended = true));
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toBe(false);
    clock.advance(1);
    return call;
  }

  test('that never answers: 10 s, and it may have been done', async () => {
    api.script(() => undefined);
    const reply = await afterDeadline(client.call({ method: 'POST', target: pod, body: {} }));
    expect(reply).toMatchObject({ ok: false, error: { kind: 'Timeout', sent: true } });
    await eventually(() => api.openStreams() === 0, 'the connection to be closed');
  });

  test('that sends one byte at a time: 10 s in all', async () => {
    api.script((_request, response) => {
      beginStream(response);
      response.write('{');
    });
    expect(await afterDeadline(client.call(get))).toMatchObject({ ok: false, error: { kind: 'Timeout' } });
  });

  test('that resets in the middle of an answer', async () => {
    api.script((_request, response) => {
      beginStream(response);
      response.write('{');
      setImmediate(() => response.destroy());
    });
    expect(await client.call(get)).toMatchObject({ ok: false, error: { kind: 'Unavailable', sent: true } });
  });

  test('that is not there: nothing was sent', async () => {
    client.close();
    await connect(await aKubeconfig('http://127.0.0.1:1'));
    expect(await client.call(get)).toMatchObject({ ok: false, error: { kind: 'Unavailable', sent: false } });
  });

  test('with a Status: kind, causes and wait are told', async () => {
    const status = { kind: 'Status', message: 'no', details: { causes: [{ reason: 'DisruptionBudget' }] } };
    api.script((_request, response) => answer(response, 429, status, { 'Retry-After': '3600' }));
    expect(await client.call({ method: 'POST', target: pod, body: {} })).toMatchObject({
      ok: false,
      error: { kind: 'TooManyRequests', causes: ['DisruptionBudget'], retryAfterMs: 300_000 },
    });
  });

  test('with a redirect: it is not followed', async () => {
    api.script((_request, response) => answer(response, 302, '', { Location: 'http://127.0.0.1:9/' }));
    expect(await client.call(get)).toMatchObject({ ok: false, error: { kind: 'Unknown', status: 302 } });
    expect(api.seen).toHaveLength(1);
  });

  test('a caller who stops is answered, whenever he stops', async () => {
    api.script(() => undefined);
    const stop = new AbortController();
    const call = client.call({ ...get, signal: stop.signal });
    await eventually(() => api.seen.length === 1);
    stop.abort();
    expect(await call).toMatchObject({ ok: false, error: { kind: 'Timeout' } });
    expect(await client.call({ ...get, signal: AbortSignal.abort() })).toMatchObject({ ok: false });
  });

  test('destroying a request in the tick of its last byte raises nothing', async () => {
    api.script((_request, response) => {
      beginStream(response);
      response.end('{"type":"ERROR"}\n');
    });
    for (let i = 0; i < 30; i += 1) {
      const stop = new AbortController();
      const listener = { onOpen: () => undefined, onLine: () => stop.abort() };
      await client.watch({ resource: RESOURCES.pods }, stop.signal, listener);
    }
  });
});

describe('credentials that change', () => {
  const replace = async (path: string, content: string): Promise<void> => {
    await writeFile(`${path}.new`, content);
    await rename(`${path}.new`, path);
  };

  test('a token file is read again after a 401, and the call goes through', async () => {
    let valid = 'one';
    api = await scriptedApi(({ headers }, response) =>
      headers.authorization === `Bearer ${valid}`
        ? answer(response, 200, {})
        : answer(response, 401, { message: 'no' }),
    );
    const config = await aKubeconfig(api.url, { 'token-file': 'token' });
    const token = join(dirname(config), 'token');
    await writeFile(token, 'one');
    await connect(config);
    expect((await client.call(get)).ok).toBe(true);
    valid = 'two';
    await replace(token, 'two');
    expect((await client.call(get)).ok).toBe(true);
    expect(api.seen).toHaveLength(3);
  });

  test('a token that stays wrong is tried twice, not for ever', async () => {
    api = await scriptedApi((_request, response) => answer(response, 401, { message: 'no' }));
    await connect(await aKubeconfig(api.url));
    expect(await client.call(get)).toMatchObject({ ok: false, error: { kind: 'Unauthorized' } });
    expect(api.seen).toHaveLength(2);
  });

  async function secure(certificate = selfSigned('127.0.0.1'), trusted = certificate.certificate): Promise<string> {
    api = await scriptedApi(ok, certificate);
    const config = await aKubeconfig(api.url, { token: 't' }, { 'certificate-authority': 'ca.crt' });
    await writeFile(join(dirname(config), 'ca.crt'), trusted);
    await connect(config);
    return join(dirname(config), 'ca.crt');
  }

  test('one TLS connection serves all calls', async () => {
    await secure();
    for (let i = 0; i < 30; i += 1) expect((await client.call(get)).ok).toBe(true);
    expect(api.connections()).toBe(1);
  });

  test.each([
    [
      'a CA that did not sign it',
      (): Promise<string> => secure(selfSigned('127.0.0.1'), selfSigned('127.0.0.1').certificate),
    ],
    ['a certificate for another host', (): Promise<string> => secure(selfSigned('elsewhere.example'))],
  ])('%s: refused before anything was sent', async (_row, start) => {
    await start();
    expect(await client.call(get)).toMatchObject({ ok: false, error: { kind: 'Unavailable', sent: false } });
    expect(api.seen).toEqual([]);
  });

  test('a CA that is replaced on disk is believed, the old one no longer', async () => {
    const first = selfSigned('127.0.0.1');
    const second = selfSigned('127.0.0.1');
    const ca = await secure(first, second.certificate);
    expect((await client.call(get)).ok).toBe(false);
    await replace(ca, first.certificate);
    expect((await client.call(get)).ok).toBe(true);
    await replace(ca, second.certificate);
    clock.advance(5_001);
    expect((await client.call(get)).ok).toBe(false);
    expect(api.seen).toHaveLength(1);
  });

  test('while the files are being swapped what was read before still holds', async () => {
    const ca = await secure();
    expect((await client.call(get)).ok).toBe(true);
    await rename(ca, `${ca}.away`);
    clock.advance(5_001);
    expect((await client.call(get)).ok).toBe(true);
  });

  test('a login plugin gives the token', async () => {
    api = await scriptedApi(ok);
    const credential = JSON.stringify({ kind: 'ExecCredential', status: { token: 'from-plugin' } });
    const exec: Json = { command: process.execPath, args: ['-e', `console.log(${JSON.stringify(credential)})`] };
    await connect(await aKubeconfig(api.url, { exec }));
    expect((await client.call(get)).ok).toBe(true);
    expect(api.seen[0]?.headers.authorization).toBe('Bearer from-plugin');
  });

  test('a login plugin that fails is a fault, and nothing was sent', async () => {
    api = await scriptedApi(ok);
    const exec: Json = { command: process.execPath, args: ['-e', 'process.exit(3)'] };
    await connect(await aKubeconfig(api.url, { exec }));
    expect(await client.call(get)).toMatchObject({ ok: false, error: { kind: 'Unauthorized', sent: false } });
  });
});
