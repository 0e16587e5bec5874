import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createClient, type KubeClient } from '../../../src/kubernetes/client.ts';
import { RESOURCES } from '../../../src/kubernetes/resources.ts';
import { aKubeconfig } from '../../support/builders/kubernetes.ts';
import { realClock } from '../../support/real-clock.ts';
import { recordedLog } from '../../support/recorders.ts';

const open: { readonly server: Server; readonly client: KubeClient }[] = [];
afterEach(() => {
  for (const { server, client } of open.splice(0)) {
    client.close();
    server.closeAllConnections();
    server.close();
  }
});

const SUCCESS = { status: 'Success' };
const exitOf = (code: number) => ({
  ...{ status: 'Failure', reason: 'NonZeroExitCode', message: `exit ${code}` },
  details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
});

/** A frame as a server sends it: not masked. */
function frame(opcode: number, payload: Buffer, isLast = true): Buffer {
  const { length } = payload;
  const head = length < 126 ? Buffer.from([length]) : Buffer.from([126, length >> 8, length & 0xff]);
  return Buffer.concat([Buffer.from([(isLast ? 0x80 : 0) | opcode]), head, payload]);
}
const said = (channel: number, text: string): Buffer => Buffer.concat([Buffer.from([channel]), Buffer.from(text)]);
const binary = (channel: number, text: string): Buffer => frame(2, said(channel, text));

/** An API server that runs a command as the test says. */
async function aServer(run: (socket: Duplex) => void): Promise<{ client: KubeClient; seen: IncomingMessage[] }> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    response.writeHead(403, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ message: 'User "aegis" cannot create resource "pods/exec"' }));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    seen.push(request);
    const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash('sha1').update(key).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n`,
    );
    socket.on('error', () => undefined);
    run(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const path = await aKubeconfig(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const made = await createClient({ access: { kind: 'kubeconfig', path }, clock: realClock(), log: recordedLog() });
  if (!made.ok) throw new Error(made.error);
  open.push({ server, client: made.value });
  return { client: made.value, seen };
}

const target = { resource: RESOURCES.pods, namespace: 'shop', name: 'web-1' };
const request = { container: 'app', command: ['sh', '-c', 'a b&c=d'], deadlineMs: 500, fence: () => true };

describe('a command in a pod', () => {
  test('each argument is a parameter of its own; neither stdin nor terminal is asked for', async () => {
    const { client, seen } = await aServer((socket) => socket.write(binary(3, JSON.stringify(SUCCESS))));
    expect(await client.exec(target, request)).toEqual({ ok: true, value: { exitCode: 0, output: '' } });
    const url = new URL(seen[0]?.url ?? '', 'http://localhost');
    expect(url.pathname).toBe('/api/v1/namespaces/shop/pods/web-1/exec');
    expect(url.searchParams.getAll('command')).toEqual(['sh', '-c', 'a b&c=d']);
    expect([...url.searchParams.keys()].sort()).toEqual([
      'command',
      'command',
      'command',
      'container',
      'stderr',
      'stdout',
    ]);
  });

  test.each([
    ['in one go', [Buffer.concat([binary(1, 'out'), binary(2, ' err'), binary(3, JSON.stringify(exitOf(3)))])]],
    [
      'byte by byte',
      [...Buffer.concat([binary(1, 'out'), binary(2, ' err'), binary(3, JSON.stringify(exitOf(3)))])].map((byte) =>
        Buffer.from([byte]),
      ),
    ],
    [
      'in fragments, with a ping between',
      [
        frame(2, said(1, 'ou'), false),
        frame(9, Buffer.from('are you there')),
        frame(0, Buffer.from('t')),
        binary(2, ' err'),
        binary(3, JSON.stringify(exitOf(3))),
      ],
    ],
  ])('its end and the end of what it wrote are read %s', async (_, frames) => {
    const { client } = await aServer((socket) => frames.forEach((bytes) => socket.write(bytes)));
    expect(await client.exec(target, request)).toEqual({ ok: true, value: { exitCode: 3, output: 'out err' } });
  });

  test('of much that it wrote the end is kept', async () => {
    const { client } = await aServer((socket) => {
      for (let i = 0; i < 40; i++) socket.write(binary(1, 'x'.repeat(1_000)));
      socket.write(binary(3, JSON.stringify(SUCCESS)));
    });
    const reply = await client.exec(target, request);
    expect(reply.ok && reply.value.output).toHaveLength(512);
  });

  test.each([
    ['nobody says how it ended', () => undefined],
    ['the connection breaks', (socket: Duplex) => void socket.destroy()],
    ['the server closes before', (socket: Duplex) => void socket.write(frame(8, Buffer.from([0x03, 0xe8])))],
    ['the end cannot be read', (socket: Duplex) => void socket.write(binary(3, 'garbage'))],
    [
      'a frame is larger than any',
      (socket: Duplex) => void socket.write(Buffer.from([0x82, 127, 0, 0, 0, 9, 0, 0, 0, 0])),
    ],
    [
      'it could not be started',
      (socket: Duplex) => void socket.write(binary(3, JSON.stringify({ status: 'Failure', message: 'no such file' }))),
    ],
  ])('it may have run though %s', async (_, run) => {
    const { client } = await aServer(run);
    expect(await client.exec(target, request)).toMatchObject({ ok: false, error: { sent: true } });
  });

  test('without the right it is not run', async () => {
    const { client, seen } = await aServer(() => undefined);
    const server = open[0]?.server;
    server?.removeAllListeners('upgrade');
    expect(await client.exec(target, request)).toMatchObject({ ok: false, error: { kind: 'Forbidden' } });
    expect(seen).toHaveLength(1);
  });

  test('without a fresh lease nothing is sent', async () => {
    const { client, seen } = await aServer(() => undefined);
    const reply = await client.exec(target, { ...request, fence: () => false });
    expect(reply).toMatchObject({ ok: false, error: { sent: false, causes: ['NotLeader'] } });
    expect(seen).toEqual([]);
  });

  test('a name that is none reaches no path', async () => {
    const { client, seen } = await aServer(() => undefined);
    expect(await client.exec({ ...target, name: '../secrets' }, request)).toMatchObject({ ok: false });
    expect(seen).toEqual([]);
  });
});
