import { createServer, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createPodPost } from '../../../src/http/pod-post.ts';

const anywhere = createPodPost({ apiServer: ['10.96.0.1'], mayBeAt: () => true });
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function aPod(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const ask = (port: number, path = '/cache/clear', timeoutMs = 2_000) =>
  anywhere({ address: '127.0.0.1', port, path, timeoutMs });

describe('a POST to a pod', () => {
  test('has neither body nor credential, and answers with the status', async () => {
    let seen: unknown;
    const port = await aPod(({ method, url, headers }, response) => {
      seen = { method, url, length: headers['content-length'], authorization: headers.authorization };
      response.writeHead(204).end();
    });
    expect(await ask(port)).toEqual({ ok: true, value: { status: 204 } });
    expect(seen).toEqual({ method: 'POST', url: '/cache/clear', length: '0', authorization: undefined });
  });

  test('does not follow a redirect', async () => {
    let elsewhere = 0;
    const other = await aPod((_, response) => {
      elsewhere += 1;
      response.end();
    });
    const port = await aPod((_, response) => response.writeHead(307, { location: `http://127.0.0.1:${other}/` }).end());
    expect(await ask(port)).toEqual({ ok: true, value: { status: 307 } });
    expect(elsewhere).toBe(0);
  });

  test('ends with the head of an endless answer', async () => {
    const port = await aPod((_, response) => {
      response.writeHead(200);
      const more = (): void => void (response.destroyed || response.write('x'.repeat(65_536), more));
      more();
    });
    expect(await ask(port)).toEqual({ ok: true, value: { status: 200 } });
  });

  test.each([
    ['nobody answers in time: it may have acted', () => aPod(() => undefined), 'Timeout'],
    ['the connection breaks: it may have acted', () => aPod((request) => request.socket.destroy()), 'Broken'],
    ['nobody listens: nothing was sent', unusedPort, 'Unsent'],
  ])('%s', async (_, port, kind) => {
    expect(await ask(await port(), '/', 300)).toMatchObject({ ok: false, error: { kind } });
  });

  test.each([
    ['loopback', '127.0.0.1'],
    ['loopback of IPv6', '::1'],
    ['loopback in disguise', '::ffff:127.0.0.1'],
    ['the cloud’s metadata', '169.254.169.254'],
    ['the link', 'fe80::1'],
    ['nobody', '0.0.0.0'],
    ['a multicast group', '224.0.0.1'],
    ['the API server', '10.96.0.1'],
    ['a name', 'localhost'],
  ])('%s is no pod: nothing is sent', async (_, address) => {
    const post = createPodPost({ apiServer: ['10.96.0.1'] });
    const reply = await post({ address, port: 80, path: '/', timeoutMs: 100 });
    expect(reply).toMatchObject({ ok: false, error: { kind: 'Forbidden' } });
  });
});

async function unusedPort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
