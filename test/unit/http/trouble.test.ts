import { describe, expect, test } from '@jest/globals';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { EMPTY_VIEW } from '../../../src/controller/operator-view.ts';
import { readTls, watchTls } from '../../../src/http/tls.ts';
import { anApi, aMetric, KEY } from '../../support/builders/http.ts';
import { rawExchange } from '../../support/raw-http.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { recordedLog } from '../../support/recorders.ts';
import { selfSigned, type SelfSigned } from '../../support/self-signed.ts';

const body = { metrics: [aMetric({ value: 95 })] };

describe('when something is down', () => {
  test('without its store detection answers, health is degraded, statistics say 503', async () => {
    const api = await anApi();
    await api.store.close();
    const detection = await api.post('/api/v1/detect-anomaly', body);
    expect([detection.status, detection.json['is_anomaly']]).toEqual([200, true]);
    const health = await api.call('/health');
    expect([health.status, health.json['status'], health.json['database_connected']]).toEqual([200, 'degraded', false]);
    for (const path of ['stats', 'predictions']) {
      const answer = await api.call(`/api/v1/metrics/${path}`);
      expect([answer.status, answer.json]).toMatchObject([
        503,
        { detail: 'The store is not available. Detection goes on.' },
      ]);
    }
    await api.stop();
  });

  test('a lost cluster shows in health and stops nothing', async () => {
    const api = await anApi({ deps: { problems: () => ['the cluster does not answer'] } });
    const health = await api.call('/health');
    expect([health.status, health.json]).toMatchObject([
      200,
      { status: 'degraded', problems: ['the cluster does not answer'] },
    ]);
    expect((await api.post('/api/v1/detect-anomaly', body)).status).toBe(200);
    await api.stop();
  });

  test('a fault of ours shows nothing of itself, is logged and counted', async () => {
    const api = await anApi({
      deps: { view: { ...EMPTY_VIEW, policies: () => Promise.reject(new Error('select * from /etc/secret')) } },
    });
    const answer = await api.call('/api/v1/policies');
    expect([answer.status, answer.json]).toMatchObject([500, { detail: 'The server failed. The failure was logged.' }]);
    expect(api.log.lines.filter((line) => line.message === 'request failed')).toHaveLength(1);
    expect((await api.call('/metrics')).text).toContain('aegis_faults_total{where="http"} 1');
    await api.stop();
  });

  test('a port that is taken is a sentence, not an exception', async () => {
    const api = await anApi();
    await expect(anApi({ options: { port: api.port } })).rejects.toThrow(/EADDRINUSE/);
    await api.stop();
  });
});

describe('TLS', () => {
  const write = (folder: string): SelfSigned => {
    const made = selfSigned('127.0.0.1');
    writeFileSync(join(folder, 'tls.crt'), made.certificate);
    writeFileSync(join(folder, 'tls.key'), made.key);
    return made;
  };
  const inFolder = () => {
    const folder = mkdtempSync(join(tmpdir(), 'aegis-tls-'));
    return { folder, tls: { certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') } };
  };
  /** Protocol of a connection, and whether its certificate is the expected one; `undefined`: refused. */
  const handshake = (port: number, options: ConnectionOptions): Promise<string | undefined> =>
    new Promise((resolve) => {
      const socket: TLSSocket = connect({ port, host: '127.0.0.1', ...options }, () => {
        resolve(socket.getProtocol() ?? undefined);
        socket.destroy();
      });
      socket.on('error', () => resolve(undefined));
    });

  test('is spoken from 1.2 on; plain text and 1.1 are refused', async () => {
    const { folder, tls } = inFolder();
    const { certificate: ca } = write(folder);
    const api = await anApi({ options: { tls } });
    const status = await new Promise<number | undefined>((resolve, reject) => {
      get(
        { port: api.port, host: '127.0.0.1', path: '/api/v1/metrics/stats', ca, headers: { 'x-api-key': KEY } },
        (response) => resolve(response.resume().statusCode),
      ).on('error', reject);
    });
    expect(status).toBe(200);
    expect(await handshake(api.port, { ca, maxVersion: 'TLSv1.2' })).toBe('TLSv1.2');
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    expect(await handshake(api.port, { ca, ...old })).toBeUndefined();
    expect((await rawExchange(api.port, 'GET /health HTTP/1.1\r\nhost: x\r\n\r\n')).status).toBe(0);
    await api.stop();
  });

  test('a renewed certificate is taken over without a restart; a broken one leaves the old one in place', async () => {
    const { folder, tls } = inFolder();
    write(folder);
    const server = createServer(readTls(tls));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const clock = fakeClock();
    const log = recordedLog();
    const stop = watchTls(server, tls, { clock, log });
    const { certificate: ca } = write(folder);
    expect(await handshake(port, { ca })).toBeUndefined();
    clock.advance(10_000);
    expect(await handshake(port, { ca })).toBe('TLSv1.3');

    writeFileSync(tls.certFile, 'no certificate');
    clock.advance(20_000);
    expect(await handshake(port, { ca })).toBe('TLSv1.3');
    expect(log.lines.filter((line) => line.level === 'error')).toHaveLength(1);
    stop();
    expect(clock.pending()).toBe(0);
    server.close();
  });
});
