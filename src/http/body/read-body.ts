import type { IncomingMessage, ServerResponse } from 'node:http';

/** Most bytes of a body. */
export const MAX_BODY_BYTES = 2 * 1024 * 1024;

export type BodyRead =
  | { readonly kind: 'read'; readonly bytes: Buffer }
  | { readonly kind: 'too-large' }
  /** The client went away: there is nobody to answer. */
  | { readonly kind: 'aborted' };

/** Requests that wait for a go-ahead before they send their body. */
const expecting = new WeakSet<IncomingMessage>();

/** Called for a request with `Expect: 100-continue`: the go-ahead is given once all checks before the body passed. */
export function awaitsContinue(request: IncomingMessage): void {
  expecting.add(request);
}

/** Tells a client that waits for it that its body is wanted. */
export function giveGoAhead(request: IncomingMessage, response: ServerResponse): void {
  if (expecting.has(request)) response.writeContinue();
}

/**
 * Reads a body of at most `maxBytes`. One that declares more is not read at all, one that turns out longer is not read
 * on; either way the caller must close the connection after its answer.
 */
export function readBody(request: IncomingMessage, response: ServerResponse, maxBytes: number): Promise<BodyRead> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > maxBytes) return Promise.resolve({ kind: 'too-large' });
  giveGoAhead(request, response);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > maxBytes) {
        request.pause();
        request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
        resolve({ kind: 'too-large' });
        return;
      }
      chunks.push(chunk);
    };
    const onEnd = (): void => {
      const [only] = chunks;
      resolve({ kind: 'read', bytes: chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size) });
    };
    // Also comes after the end, when nobody listens any more; taking listeners off would cost more.
    const onClose = (): void => resolve({ kind: 'aborted' });
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}

/** Whether the declared media type is JSON in UTF-8: nothing else is read, and nothing compressed. */
export function isJsonRequest(request: IncomingMessage): boolean {
  const { 'content-type': type, 'content-encoding': encoding } = request.headers;
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') return false;
  if (type === undefined) return false;
  // What nearly every client sends.
  if (type === 'application/json') return true;
  return JSON_TYPE.test(type);
}

/** The same for one JSON object a line. */
export function isLinesRequest(request: IncomingMessage): boolean {
  const { 'content-type': type, 'content-encoding': encoding } = request.headers;
  return (encoding === undefined || encoding.toLowerCase() === 'identity') && LINES_TYPE.test(type ?? '');
}

/** UTF-8, or a parameter that says nothing of the encoding and is ignored, as RFC 8259 has it. */
const PARAMETER = /charset="?utf-?8"?|(?!charset=)[\w!#$&^.+-]+=(?:[\w!#$&^.+\/-]+|"[^"\\]*")/.source;
const PARAMETERS = `[ \\t]*(?:;[ \\t]*(?:${PARAMETER})[ \\t]*)*;?[ \\t]*$`;
const LINES_TYPE = new RegExp(`^application/(?:x-ndjson|ndjson|jsonl|x-jsonlines)${PARAMETERS}`, 'i');
const JSON_TYPE = new RegExp(`^application/(?:json|[\\w.-]{1,64}\\+json)${PARAMETERS}`, 'i');
