import http from 'node:http';
import https from 'node:https';
import { StringDecoder } from 'node:string_decoder';
import type { Clock } from '../lib/clock.ts';
import { codeOf, messageOf } from '../lib/thrown.ts';
import type { Passport } from './credentials.ts';

/** One HTTP exchange, described whole. */
export interface Outgoing {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** From the call to the last byte; for a stream, to the response head. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly retryAfter?: string;
  readonly body: string;
}

/** How a stream of lines ended. */
export type StreamEnd =
  | { readonly kind: 'closed' }
  | { readonly kind: 'broken'; readonly thrown: Error }
  | { readonly kind: 'refused'; readonly answer: Answer };

export interface StreamListener {
  /** The server accepted: from here on only the caller ends it. */
  onOpen(): void;
  onLine(line: string): void;
}

/** A list page of 500 large pods is about 10 MiB; more than this is not an answer of an API server. */
const LARGEST_BODY = 64 * 1024 * 1024;
const LONGEST_LINE = 16 * 1024 * 1024;

/** Thrown faults carry whether the request may have reached the server. */
export class ExchangeFault extends Error {
  readonly sent: boolean;
  /** A pooled connection that the server had closed meanwhile: a read may be repeated at once. */
  readonly staleSocket: boolean;

  constructor(cause: unknown, sent: boolean, staleSocket: boolean) {
    super(messageOf(cause), { cause });
    const name = (cause as { name?: unknown } | undefined)?.name;
    this.name = typeof name === 'string' ? name : 'Error';
    this.sent = sent;
    this.staleSocket = staleSocket;
  }
}

/** Sends and reads the whole answer. Throws `ExchangeFault`. */
export async function exchange(passport: Passport, outgoing: Outgoing, clock: Clock): Promise<Answer> {
  const call = open(passport, outgoing, clock);
  try {
    const response = await call.response;
    return await readAnswer(response);
  } catch (thrown) {
    throw call.fault(thrown);
  } finally {
    call.settle();
  }
}

/**
 * Opens a stream and hands over its lines until it ends. Resolves in every case; after the response head only
 * `signal` ends it. A last line without its newline, or a connection cut without the closing chunk, is `broken`.
 */
export async function streamLines(
  passport: Passport,
  outgoing: Outgoing,
  clock: Clock,
  listener: StreamListener,
): Promise<StreamEnd> {
  const call = open(passport, outgoing, clock);
  try {
    const response = await call.response;
    if (response.statusCode !== 200) return { kind: 'refused', answer: await readAnswer(response) };
    call.headArrived();
    listener.onOpen();
    const rest = await readLines(response, (line) => listener.onLine(line));
    return rest === '' ? { kind: 'closed' } : { kind: 'broken', thrown: new Error('the last line is incomplete') };
  } catch (thrown) {
    return { kind: 'broken', thrown: call.fault(thrown) };
  } finally {
    call.settle();
  }
}

interface OpenCall {
  readonly response: Promise<http.IncomingMessage>;
  headArrived(): void;
  fault(thrown: unknown): ExchangeFault;
  settle(): void;
}

function open(passport: Passport, outgoing: Outgoing, clock: Clock): OpenCall {
  const { server, agent } = passport;
  const secure = server.protocol === 'https:';
  const request = (secure ? https : http).request({
    agent,
    method: outgoing.method,
    hostname: server.hostname.replace(/^\[|\]$/g, ''),
    port: server.port === '' ? (secure ? 443 : 80) : Number(server.port),
    path: server.pathname.replace(/\/$/, '') + outgoing.path,
    headers: { ...outgoing.headers, ...passport.headers },
  });
  const sent = watchConnection(request, secure);
  let ending: Error | undefined;
  // Never `destroy(error)`: the error would be emitted by the socket, which may have gone back to the pool in the same
  // tick and has no listener there, and that ends the process.
  const abort = (error: Error): void => {
    ending ??= error;
    request.destroy();
  };
  const cancelDeadline = clock.after(outgoing.deadlineMs, () =>
    abort(named('TimeoutError', `no complete answer within ${outgoing.deadlineMs} ms`)),
  );
  const onAbort = (): void => abort(named('AbortError', 'stopped by the caller'));
  outgoing.signal?.addEventListener('abort', onAbort, { once: true });
  const response = new Promise<http.IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    // Stays for good: a socket error after the response is reported by the response, and must not end the process.
    request.on('error', reject);
    request.once('close', () => reject(named('Error', 'the connection was closed', 'ECONNRESET')));
  });
  if (outgoing.signal?.aborted) onAbort();
  request.end(outgoing.body);
  return {
    response,
    headArrived: cancelDeadline,
    fault: (thrown) =>
      new ExchangeFault(ending ?? thrown, sent(), ending === undefined && request.reusedSocket && isReset(thrown)),
    settle: () => {
      cancelDeadline();
      outgoing.signal?.removeEventListener('abort', onAbort);
    },
  };
}

/** Whether the connection stood, so that bytes of the request may have been delivered. */
function watchConnection(request: http.ClientRequest, secure: boolean): () => boolean {
  let connected = false;
  request.once('socket', (socket) => {
    if (!socket.connecting && request.reusedSocket) connected = true;
    else socket.once(secure ? 'secureConnect' : 'connect', () => (connected = true));
  });
  return () => connected;
}

function readAnswer(response: http.IncomingMessage): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= LARGEST_BODY) return void chunks.push(chunk);
      reject(new Error(`the answer is larger than ${LARGEST_BODY} bytes`));
      response.destroy();
    });
    response.on('error', reject);
    response.on('end', () => {
      const retryAfter = response.headers['retry-after'];
      const body = Buffer.concat(chunks).toString('utf8');
      resolve({ status: response.statusCode ?? 0, body, ...(retryAfter === undefined ? {} : { retryAfter }) });
    });
    response.on('close', () => reject(named('Error', 'the connection ended before the answer did', 'ECONNRESET')));
  });
}

function readLines(response: http.IncomingMessage, onLine: (line: string) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const decoder = new StringDecoder('utf8');
    let rest = '';
    response.on('data', (chunk: Buffer) => {
      const parts = (rest + decoder.write(chunk)).split('\n');
      rest = parts.pop() ?? '';
      try {
        for (const line of parts) if (line !== '') onLine(line);
        if (rest.length <= LONGEST_LINE) return;
        reject(new Error('a line of the stream is too long'));
      } catch (thrown) {
        reject(new Error(messageOf(thrown), { cause: thrown }));
      }
      response.destroy();
    });
    response.on('error', reject);
    response.on('end', () => resolve(rest));
    response.on('close', () => reject(named('Error', 'the stream was cut', 'ECONNRESET')));
  });
}

function named(name: string, message: string, code?: string): Error {
  const error = Object.assign(new Error(message), code === undefined ? {} : { code });
  error.name = name;
  return error;
}

const isReset = (thrown: unknown): boolean => ['ECONNRESET', 'EPIPE'].includes(codeOf(thrown));
