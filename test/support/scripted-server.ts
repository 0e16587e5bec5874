import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface ReceivedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Script = (request: ReceivedRequest, response: ServerResponse, socket: Socket) => void;

/** A server on a real loopback socket that does what the test tells it to, however badly behaved. */
export interface ScriptedServer {
  readonly url: string;
  readonly port: number;
  readonly requests: ReceivedRequest[];
  /** Replaces what the server does from the next request on. */
  script(next: Script): void;
  close(): Promise<void>;
}

export async function scriptedServer(
  first: Script,
  server: Server = createServer(),
  onPort = 0,
): Promise<ScriptedServer> {
  let current = first;
  const requests: ReceivedRequest[] = [];
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const received = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      };
      requests.push(received);
      response.sendDate = false; // its clock is the test's
      current(received, response, request.socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(onPort, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    script: (next) => {
      current = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Answers with JSON. */
export const json =
  (body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Script =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };

/** Takes the request and never answers. */
export const hang: Script = () => undefined;

/** Cuts the connection instead of answering. */
export const reset: Script = (_, __, socket) => void socket.destroy();
