import { describe, expect, test } from '@jest/globals';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiKey, createKeyRing, type Scope } from '../../../src/http/access/api-key.ts';
import { watchKeyFile } from '../../../src/http/access/key-file.ts';
import { createLockout } from '../../../src/http/access/lockout.ts';
import { openApiDocument } from '../../../src/http/openapi.ts';
import { isLoopback } from '../../../src/http/server.ts';
import { err, ok } from '../../../src/lib/result.ts';
import { anApi, aMetric, KEY, type Api } from '../../support/builders/http.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { rawExchange } from '../../support/raw-http.ts';
import { recordedLog } from '../../support/recorders.ts';

const ANOMALY = '/api/v1/detect-anomaly';
const body = { metrics: [aMetric()] };

async function withApi(options: NonNullable<Parameters<typeof anApi>[0]>['options'], run: (api: Api) => Promise<void>) {
  const api = await anApi({ options: { ...options } });
  try {
    await run(api);
  } finally {
    await api.stop();
  }
}

describe('keys', () => {
  const expired = { ...apiKey('old', 'expired-key'), expiresAtMs: Date.now() - 1 };
  const keys = [apiKey('a', KEY), apiKey('b', 'second-key'), apiKey('reader', 'reader-key', ['read']), expired];
  const options = { keys: { kind: 'configured', keys } } as const;

  test('several are valid at once, blanks around one are no part of it', () =>
    withApi(options, async (api) => {
      for (const key of [KEY, 'second-key', ` ${KEY} `]) {
        expect((await api.post(ANOMALY, body, { headers: { 'x-api-key': key } })).status).toBe(200);
      }
    }));

  test('missing, empty, wrong, expired and non-ASCII keys get the same answer', () =>
    withApi(options, async (api) => {
      const texts = new Set<string>();
      for (const key of [null, '', 'wrong', 'expired-key', 'sch\u00f6n', KEY.toUpperCase(), `${KEY}x`]) {
        const answer = await api.post(ANOMALY, body, { headers: { 'x-api-key': key } });
        expect(answer.status).toBe(401);
        texts.add(answer.text);
      }
      expect(texts.size).toBe(1);
    }));

  test('a key in the address, in another header or sent twice is no key', () =>
    withApi(options, async (api) => {
      const headers = { 'x-api-key': null, authorization: `Bearer ${KEY}` };
      expect((await api.post(`${ANOMALY}?api_key=${KEY}&X-API-Key=${KEY}`, body, { headers })).status).toBe(401);
      const twice = `GET /api/v1/policies HTTP/1.1\r\nhost: x\r\nx-api-key: ${KEY}\r\nx-api-key: ${KEY}\r\nconnection: close\r\n\r\n`;
      expect((await rawExchange(api.port, twice)).status).toBe(401);
    }));

  test('a key without the scope: 403', () =>
    withApi(options, async (api) => {
      const headers = { 'x-api-key': 'reader-key' };
      expect((await api.post(ANOMALY, body, { headers })).status).toBe(403);
      expect((await api.call('/api/v1/metrics/stats', { headers })).status).toBe(200);
    }));

  test('a refused key is refused before anything is said about the body', () =>
    withApi(options, async (api) => {
      const answer = await api.call(ANOMALY, {
        method: 'POST',
        body: 'x'.repeat(3_000_000),
        headers: { 'x-api-key': null, 'content-type': 'text/plain' },
      });
      expect(answer.status).toBe(401);
    }));
});

test('every route but the open ones denies without a key', () =>
  withApi({}, async (api) => {
    const open = ['/health', '/ping', '/docs', '/redoc', '/openapi.json', '/metrics'];
    for (const [path, item] of Object.entries(openApiDocument().paths ?? {})) {
      const method = item.post === undefined ? 'GET' : 'POST';
      const answer = await api.call(path, { method, headers: { 'x-api-key': null } });
      const isOpen = open.includes(path) || path.startsWith('/docs/');
      expect([path, answer.status]).toEqual([path, isOpen ? 200 : 401]);
    }
  }));

describe('the lock-out', () => {
  const wrong = { headers: { 'x-api-key': 'guess' } };

  test('after ten bad keys a minute every key is refused, with the time to wait', () =>
    withApi({}, async (api) => {
      for (let i = 0; i < 10; i += 1) expect((await api.post(ANOMALY, body, wrong)).status).toBe(401);
      const answer = await api.post(ANOMALY, body, wrong);
      expect(answer.status).toBe(429);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(50);
      expect((await api.post(ANOMALY, body)).status).toBe(429);
      expect((await api.call('/health')).status).toBe(200);
    }));

  test('a key that was in use from there before goes on working', () =>
    withApi({}, async (api) => {
      await api.post(ANOMALY, body);
      for (let i = 0; i < 12; i += 1) await api.post(ANOMALY, body, wrong);
      expect((await api.post(ANOMALY, body)).status).toBe(200);
      expect((await api.post(ANOMALY, body, wrong)).status).toBe(429);
    }));

  test('is over after a minute, counts addresses apart, of IPv6 networks, and remembers a bounded number', () => {
    const lockout = createLockout();
    for (let i = 0; i < 10; i += 1) lockout.recordBad('a', i);
    expect(lockout.lockedForMs('a', 10)).toBe(59_990);
    expect(lockout.lockedForMs('b', 10)).toBe(0);
    expect(lockout.lockedForMs('a', 60_000)).toBe(0);
    for (let i = 0; i < 10; i += 1) lockout.recordBad(`2001:db8:0:${i}::${i}`, 10);
    expect([lockout.lockedForMs('2001:db8:0:ff::1', 10), lockout.lockedForMs('2001:db8:1::1', 10)]).toEqual([
      60_000, 0,
    ]);
    for (let i = 0; i < 20_000; i += 1) lockout.recordBad(`x${i}`, 0);
    for (let i = 0; i < 10; i += 1) lockout.recordBad('x0', 1);
    expect(lockout.lockedForMs('x0', 1)).toBeGreaterThan(0);
  });
});

describe('limits', () => {
  test('a key is limited by the second, others go on; the answer says when to come again', () =>
    withApi(
      { rate: { perKey: 5 }, keys: { kind: 'configured', keys: [apiKey('a', KEY), apiKey('b', 'other')] } },
      async (api) => {
        const answers = await Promise.all(Array.from({ length: 20 }, () => api.post(ANOMALY, body)));
        const refused = answers.filter((answer) => answer.status === 429);
        expect(refused.length).toBeGreaterThanOrEqual(10);
        expect(refused[0]?.headers.get('retry-after')).toBe('1');
        expect(answers[0]?.headers.get('ratelimit-policy')).toContain('q=5');
        expect((await api.post(ANOMALY, body, { headers: { 'x-api-key': 'other' } })).status).toBe(200);
      },
    ));

  test('an address is limited on open routes too, the probes are not', () =>
    withApi({ rate: { perAddress: 3 } }, async (api) => {
      const statuses = await Promise.all(
        Array.from({ length: 12 }, async () => (await api.call('/openapi.json')).status),
      );
      expect(statuses).toContain(429);
      for (let i = 0; i < 20; i += 1) expect((await api.call('/health')).status).toBe(200);
    }));

  test.each([
    ['no proxy is trusted: X-Forwarded-For is ignored', 0, 'the same'],
    ['a proxy is trusted: what it says of the caller counts', 1, 'each its own'],
    ['two are trusted: the address before the last one counts', 2, 'the same'],
  ])('%s', async (_, trustedProxies, allowance) => {
    const options = { trustedProxies, rate: { perAddress: 1_000 } };
    // A clock that stands still: the second of the limit must not end between the calls.
    const api = await anApi({ options, deps: { clock: fakeClock() } });
    try {
      const left: (string | undefined)[] = [];
      for (const caller of ['203.0.113.1', '203.0.113.2']) {
        const headers = { 'x-forwarded-for': `198.51.100.9, ${caller}` };
        left.push(/r=(\d+)/.exec((await api.call('/openapi.json', { headers })).headers.get('ratelimit') ?? '')?.[1]);
      }
      expect(left).toEqual(allowance === 'the same' ? ['999', '998'] : ['999', '999']);
    } finally {
      await api.stop();
    }
  });
});

describe('the key ring', () => {
  test('finds what was hashed, and nothing else', () => {
    const ring = createKeyRing([apiKey('a', 'one'), apiKey('b', 'two')]);
    expect(ring.find('two', 0)?.name).toBe('b');
    expect(ring.find('', 0)).toBeUndefined();
    ring.replace([]);
    expect(ring.find('two', 0)).toBeUndefined();
  });

  test('holds no key', () => {
    expect(JSON.stringify(apiKey('a', 'a-secret-key'))).not.toContain('a-secret-key');
  });

  test('a hash of another length is a fault', () => {
    expect(() => createKeyRing([{ name: 'x', sha256: 'abcd', scopes: ['read'] }])).toThrow(/SHA-256/);
  });
});

describe('the key file', () => {
  const parse = (text: string) =>
    text === 'broken'
      ? err([{ path: 'keys', reason: 'Invalid', message: 'no list' }])
      : ok(text.split(',').map((secret) => apiKey(secret, secret, ['detect'] as readonly Scope[])));

  test('is read again when it changes; a broken or missing one leaves the keys as they were', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'aegis-keys-')), 'keys.json');
    writeFileSync(path, 'one,two');
    const clock = fakeClock();
    const log = recordedLog();
    const ring = createKeyRing([]);
    const fixed = [apiKey('fixed', 'fixed')];
    const watch = watchKeyFile({ path, parse, ring, fixed, clock, log });
    await watch.loaded;
    expect([ring.find('two', 0)?.name, ring.find('fixed', 0)?.name]).toEqual(['two', 'fixed']);

    writeFileSync(path, 'two,three');
    await clock.until(() => ring.find('three', 0) !== undefined);
    expect(ring.find('one', 0)).toBeUndefined();

    writeFileSync(path, 'broken');
    await clock.until(() => log.lines.some((line) => line.level === 'error'));
    expect(ring.find('three', 0)?.name).toBe('three');
    watch.stop();
    expect(JSON.stringify(log.lines)).not.toContain('three');
  });
});

describe('without a key', () => {
  test.each([
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['localhost', true],
    ['::1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['127.evil.example', false],
    ['10.0.0.1', false],
  ])('%s is loopback: %s', (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
  });

  test('no other address than loopback is listened on', async () => {
    await expect(anApi({ options: { keys: { kind: 'development' }, host: '0.0.0.0' } })).rejects.toThrow(
      /no key is configured/,
    );
  });

  test('it is said loudly', () =>
    withApi({ keys: { kind: 'development' } }, (api) => {
      expect(api.log.lines.filter((line) => line.level === 'warn' && line.message.includes('no key'))).toHaveLength(1);
      return Promise.resolve();
    }));

  const hosts: readonly (readonly [host: string, status: number])[] = [
    ['127.0.0.1:8000', 200],
    ['localhost', 200],
    ['LocalHost.:8000', 200],
    ['[::1]:8000', 200],
    ['aegis', 200],
    ['docs.localhost:8000', 200],
    ['host.docker.internal:8000', 200],
    ['rebound.example:8000', 403],
    ['rebound.example.', 403],
    ['127.0.0.1.rebound.example', 403],
    ['localhost.rebound.example', 403],
  ];
  test.each(hosts)(
    'the published key with the host %s: %d, since a page can let its own name lead here',
    (host, status) =>
      withApi({ keys: { kind: 'development' } }, async (api) => {
        const lines = [`host: ${host}`, 'x-api-key: dev_api_key', 'connection: close', '', ''];
        const answer = await rawExchange(api.port, ['GET /api/v1/metrics/stats HTTP/1.1', ...lines].join('\r\n'));
        expect(answer.status).toBe(status);
      }),
  );

  test('a key of one’s own is accepted whatever the host is called', () =>
    withApi({}, async (api) => {
      const lines = ['host: api.example', `x-api-key: ${KEY}`, 'connection: close', '', ''];
      const answer = await rawExchange(api.port, ['GET /api/v1/metrics/stats HTTP/1.1', ...lines].join('\r\n'));
      expect(answer.status).toBe(200);
    }));
});
