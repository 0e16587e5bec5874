import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Log } from '../lib/log.ts';
import { bodyOf, REFUSALS, statusOf, type Refusal } from './errors.ts';
import { JSON_TYPE } from './reply.ts';

/** What Node's parser reports, by our names. */
const BY_CODE: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: 'headersTooLarge',
  ERR_HTTP_REQUEST_TIMEOUT: 'timeout',
};

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

/** Answers what is no request: the parser gave up before there was one, so it is written to the socket itself. */
export function answerParserErrors(server: Server, log: Log): void {
  const answering = new WeakMap<Duplex, ServerResponse>();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answering.set(request.socket, response);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    log.debug('request could not be read', { code: error.code });
    // Half an answer is out already: a second one would be taken for its rest.
    const response = answering.get(socket);
    const isBusy = response !== undefined && response.headersSent && !response.writableFinished;
    if (!socket.writable || error.code === 'ECONNRESET' || isBusy) {
      socket.destroy();
      return;
    }
    socket.end(rawAnswer(BY_CODE[error.code ?? ''] ?? 'malformed'), () => socket.destroy());
  });
}

/** Nobody here is a proxy: a tunnel is refused, and not just hung up on. */
export function refuseTunnels(server: Server): void {
  server.on('connect', (_request, socket: Duplex) => {
    socket.on('error', () => undefined);
    socket.end(rawAnswer('malformed'));
  });
}

function rawAnswer(refusal: Refusal): string {
  const status = statusOf(refusal);
  const body = bodyOf(refusal);
  return [
    `HTTP/1.1 ${status} ${REASONS[status] ?? REFUSALS[refusal][1]}`,
    `content-type: ${JSON_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    body,
  ].join('\r\n');
}
