import type { ServerResponse } from 'node:http';
import { bodyOf, problemFields, statusOf, type Refusal } from './errors.ts';
import type { Problem } from './problem.ts';

export const JSON_TYPE = 'application/json; charset=utf-8';
/** For clients that ask for it: what existing clients read is called JSON. */
const PROBLEM_TYPE = 'application/problem+json';

/** Names and values in turn, as Node takes them in one go. */
export type HeaderList = readonly string[];

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

const INVALID = problemFields('invalidRequest', 422);

/**
 * The list of the contract under `detail`, and beside it what RFC 9457 knows: readers of that must ignore a `detail`
 * that is no text, so `errors` says the same in its form.
 */
export const problemsBody = (problems: readonly Problem[]): unknown => ({
  detail: problems,
  ...INVALID,
  errors: problems.map(({ loc: [where, ...path], msg }) =>
    where === 'query' ? { parameter: path.join('.'), detail: msg } : { pointer: pointerOf(path), detail: msg },
  ),
});

export const problemsReply = (problems: readonly Problem[]): Reply => jsonReply(problemsBody(problems), 422);

/** RFC 6901, as a fragment. Half a surrogate pair, which no URI can hold, becomes U+FFFD; `loc` has it as it came. */
const pointerOf = (path: readonly (string | number)[]): string => ['#', ...path.map(pointerPart)].join('/');
const pointerPart = (part: string | number): string =>
  encodeURIComponent(String(part).toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1'));

/** Time for which an answer stays readable before a connection with unread bytes on it is cut. */
const LINGER_MS = 500;

/**
 * Sends the reply in one write, with the headers that every answer of this exchange has. Straight to Node's response:
 * express would hash every body for an entity tag.
 */
export function send(response: ServerResponse, reply: Reply, head: HeaderList = []): void {
  if (response.headersSent || response.destroyed) return;
  const { body } = reply;
  // Plain ASCII, as nearly every answer is, reaches the socket as it lies in memory if it is called Latin-1.
  const isPlain = writeHead(response, reply, head) === body.length;
  if (typeof body === 'string' && isPlain) response.end(body, 'latin1');
  else response.end(body);
}

/**
 * Answers a client that is still sending, reads no more of it and closes. The answer is complete at once; the
 * connection is cut a little later, since cutting it at once would make the client lose the answer as well.
 */
export function sendAndClose(response: ServerResponse, reply: Reply, head: HeaderList = []): void {
  if (response.headersSent || response.destroyed) return;
  writeHead(response, reply, [...head, 'connection', 'close']);
  response.write(reply.body);
  const timer = setTimeout(() => response.end(), LINGER_MS);
  response.once('close', () => clearTimeout(timer));
}

/** Returns the bytes of the body. */
function writeHead(response: ServerResponse, { status, contentType, body, headers }: Reply, head: HeaderList): number {
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  const type = status >= 400 && asksForProblems(response) ? PROBLEM_TYPE : contentType;
  const all = [...head, 'content-type', type, 'content-length', String(length)];
  if (headers !== undefined) for (const name of Object.keys(headers)) all.push(name, headers[name] ?? '');
  response.writeHead(status, all);
  return length;
}

const asksForProblems = (response: ServerResponse): boolean =>
  response.req.headers.accept?.toLowerCase().includes(PROBLEM_TYPE) === true;

/** A rest of a body up to this size is swallowed, so that the connection can be used again. */
const SWALLOWED_BYTES = 64 * 1024;

/** Answers a request whose body, if any, nobody will read. */
export function refuse(response: ServerResponse, reply: Reply, head: HeaderList = []): void {
  const request = response.req;
  const { 'content-length': length, 'transfer-encoding': transfer } = request.headers;
  const isLarge = transfer !== undefined || Number(length ?? 0) > SWALLOWED_BYTES;
  if (isLarge && !request.complete) sendAndClose(response, reply, head);
  else send(response, reply, head);
}
