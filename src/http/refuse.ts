import type { IncomingMessage, ServerResponse } from 'node:http';
import { send, sendAndClose, type Reply } from './reply.ts';

/** A rest of a body up to this size is swallowed, so that the connection can be used again. */
const SWALLOWED_BYTES = 64 * 1024;

/** Answers a request whose body, if any, nobody will read. */
export function refuse(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  const { 'content-length': length, 'transfer-encoding': transfer } = request.headers;
  const isLarge = transfer !== undefined || Number(length ?? 0) > SWALLOWED_BYTES;
  if (isLarge && !request.complete) sendAndClose(response, reply);
  else send(response, reply);
}
