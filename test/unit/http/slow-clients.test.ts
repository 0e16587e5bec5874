import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connect, type Socket } from 'node:net';
import { anApi, aMetric, KEY, type Api } from '../../support/builders/http.ts';
import { rawExchange } from '../../support/raw-http.ts';
import { eventually } from '../../support/scripted-api.ts';

/** The limits of production, a hundred times as short. */
let api: Api;
beforeAll(async () => {
  api = await anApi({ options: { limits: { headersMs: 200, requestMs: 500, keepAliveMs: 100, connections: 20 } } });
});
afterAll(() => api.stop());

const post = [
  'POST /api/v1/detect-anomaly HTTP/1.1',
  'host: x',
  `x-api-key: ${KEY}`,
  'content-type: application/json',
].join('\r\n');

describe('a client that takes too long', () => {
  const rows: readonly (readonly [what: string, bytes: string, later: readonly string[]])[] = [
    ['says nothing', '', []],
    ['never ends its headers', `${post}\r\nx-a: `, 'y'.repeat(40).split('')],
    ['never ends its body', `${post}\r\ncontent-length: 100\r\n\r\n`, ' '.repeat(60).split('')],
    [
      'never ends its chunks',
      `${post}\r\ntransfer-encoding: chunked\r\n\r\n`,
      Array.from({ length: 60 }, () => '1\r\n \r\n'),
    ],
  ];
  test.each(rows)('%s: 408 or closed', async (_what, bytes, later) => {
    const answer = await rawExchange(api.port, bytes, { later, everyMs: 50, patienceMs: 4_000 });
    expect(answer.closed).toBe(true);
    expect([0, 408]).toContain(answer.status);
  });

  test('does not keep others waiting', async () => {
    const patient = await anApi();
    let ended = 0;
    const slow = Array.from({ length: 10 }, () => {
      const socket = connect(patient.port, '127.0.0.1');
      socket.on('close', () => (ended += 1)).on('data', () => (ended += 1));
      socket.write(`${post}\r\ncontent-length: 100\r\n\r\n{`);
      return socket;
    });
    for (let i = 0; i < 10; i += 1) {
      expect((await patient.post('/api/v1/detect-anomaly', { metrics: [aMetric()] })).status).toBe(200);
    }
    expect(ended).toBe(0);
    for (const socket of slow) socket.destroy();
    await patient.stop();
  });
});

test('connections beyond the limit are closed, and room comes back', async () => {
  const sockets: Socket[] = [];
  let refused = 0;
  for (let i = 0; i < 30; i += 1) {
    const socket = connect(api.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.on('close', () => (refused += 1));
    sockets.push(socket);
  }
  await eventually(() => refused >= 10);
  for (const socket of sockets) socket.destroy();
  let isBack = false;
  while (!isBack)
    isBack = await api.call('/ping').then(
      ({ status }) => status === 200,
      () => false,
    );
});

describe('closing', () => {
  /** Connections would stay open for ten minutes. */
  const patient = { options: { limits: { keepAliveMs: 600_000 } } };
  const bytes = JSON.stringify({ metrics: [aMetric()] });

  /** A request of which the server has the head and waits for the body. */
  async function underWay(closing: Api) {
    const socket = connect(closing.port, '127.0.0.1');
    let text = '';
    let isClosed = false;
    socket.on('data', (piece: Buffer) => (text += piece.toString('latin1'))).on('close', () => (isClosed = true));
    socket.write(`${post}\r\nexpect: 100-continue\r\ncontent-length: ${bytes.length}\r\n\r\n`);
    await eventually(() => text.includes('100 Continue'));
    return { socket, text: () => text, closed: () => eventually(() => isClosed) };
  }

  test('lets a request under way finish, refuses new ones, and waits for no connection that is idle', async () => {
    const closing = await anApi(patient);
    const client = await underWay(closing);
    const stopped = closing.stop();
    client.socket.write(bytes);
    await client.closed();
    expect(client.text()).toContain('HTTP/1.1 200 OK');
    await stopped;
    await expect(closing.call('/ping')).rejects.toThrow();
  });

  test('tells a client that goes on with its connection to take another one', async () => {
    const closing = await anApi(patient);
    const client = await underWay(closing);
    const stopped = closing.stop();
    client.socket.write(`${bytes}GET /ping HTTP/1.1\r\nhost: x\r\n\r\n`);
    await client.closed();
    const [, , last = ''] = client.text().split('HTTP/1.1 ').slice(1);
    expect(last).toMatch(/^200 OK[^]*connection: close[^]*pong/i);
    await stopped;
  });
});
