import type { ServerResponse } from 'node:http';
import { bodyOf, statusOf, type Refusal } from './errors.ts';
import type { Problem } from './problem.ts';

export const JSON_TYPE = 'application/json; charset=utf-8';

/** What a route answers. */
export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export const jsonReply = (value: unknown, status = 200): Reply => ({
  status,
  contentType: JSON_TYPE,
  body: JSON.stringify(value),
});

export const refusalReply = (refusal: Refusal, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status: statusOf(refusal),
  contentType: JSON_TYPE,
  body: bodyOf(refusal),
  headers,
});

export const problemsReply = (problems: readonly Problem[]): Reply => jsonReply({ detail: problems }, 422);

/** Time for which an answer stays readable before a connection with unread bytes on it is cut. */
const LINGER_MS = 500;

/**
 * Sends the reply in one write. Straight to Node's response: express would hash every body for an entity tag.
 */
export function send(response: ServerResponse, reply: Reply): void {
  if (response.headersSent || response.destroyed) return;
  writeHead(response, reply);
  response.end(reply.body);
}

/**
 * Answers a client that is still sending, reads no more of it and closes. The answer is complete at once; the
 * connection is cut a little later, since cutting it at once would make the client lose the answer as well.
 */
export function sendAndClose(response: ServerResponse, reply: Reply): void {
  if (response.headersSent || response.destroyed) return;
  response.setHeader('connection', 'close');
  writeHead(response, reply);
  response.write(reply.body);
  const timer = setTimeout(() => response.end(), LINGER_MS);
  response.once('close', () => clearTimeout(timer));
}

function writeHead(response: ServerResponse, { status, contentType, body, headers }: Reply): void {
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  response.writeHead(status, { ...headers, 'content-type': contentType, 'content-length': length });
}
