import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { SelfSigned } from './self-signed.ts';

/** A request as the scripted server saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

export type Script = (request: SeenRequest, response: ServerResponse) => void;

/** An API server on a free loopback port that answers what the test says, as badly as it says. */
export interface ScriptedApi {
  readonly url: string;
  readonly seen: readonly SeenRequest[];
  /** Connections that were ever accepted. */
  readonly connections: () => number;
  /** Responses that are begun and not ended. */
  readonly openStreams: () => number;
  script(next: Script): void;
  stop(): Promise<void>;
}

const nothingHere: Script = (_request, response) => answer(response, 404, {});

/** With `tls` it speaks https with that certificate. */
export async function scriptedApi(first: Script = nothingHere, tls?: SelfSigned): Promise<ScriptedApi> {
  let script = first;
  let connections = 0;
  let open = 0;
  const seen: SeenRequest[] = [];
  const listener: RequestListener = (incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const url = new URL(incoming.url ?? '/', 'http://localhost');
      const text = Buffer.concat(chunks).toString('utf8');
      const request: SeenRequest = {
        method: incoming.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers: incoming.headers,
        body: text === '' ? undefined : (JSON.parse(text) as unknown),
      };
      seen.push(request);
      open += 1;
      response.once('close', () => (open -= 1));
      script(request, response);
    });
  };
  const server =
    tls === undefined ? createServer(listener) : createSecureServer({ cert: tls.certificate, key: tls.key }, listener);
  server.on(tls === undefined ? 'connection' : 'secureConnection', () => (connections += 1));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    connections: () => connections,
    openStreams: () => open,
    script: (next) => (script = next),
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export function answer(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

/** Begins a watch: the head goes out at once, as the real server does it. */
export function beginStream(response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.flushHeaders();
}

export const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;

/** Waits for real sockets, without moving any clock; the time limit is for a broken test only. */
export async function eventually(holds: () => boolean, what = 'the condition'): Promise<void> {
  const endMs = performance.now() + 8_000;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`${what} did not come about`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
