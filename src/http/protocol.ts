import type { IncomingMessage } from 'node:http';
import type { Refusal } from './errors.ts';

/** Longest address, query included. */
const MAX_URL = 8 * 1024;

const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;

interface Seen {
  host: number;
  'content-length': number;
  'transfer-encoding': number;
}

/**
 * What Node's parser lets through although two readers could understand it differently: two hosts, a length beside a
 * chunked body, a transfer coding that nobody here undoes, one in HTTP/1.0, a control character in a header. Whoever
 * stands in front of us may have understood the other thing.
 */
export function protocolFault(request: IncomingMessage): Refusal | undefined {
  if ((request.url ?? '').length > MAX_URL) return 'urlTooLong';
  const { rawHeaders } = request;
  const seen: Seen = { host: 0, 'content-length': 0, 'transfer-encoding': 0 };
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (CONTROL.test(rawHeaders[i + 1] ?? '')) return 'malformed';
    const name = rawHeaders[i]?.toLowerCase();
    if (name === 'transfer-encoding' && !isPlainlyChunked(request, rawHeaders[i + 1] ?? '')) return 'malformed';
    if (name === 'host' || name === 'content-length' || name === 'transfer-encoding') seen[name] += 1;
  }
  return isAmbiguous(seen) || (seen.host === 0 && request.httpVersion === '1.1') ? 'malformed' : undefined;
}

const isPlainlyChunked = ({ httpVersion }: IncomingMessage, coding: string): boolean =>
  httpVersion === '1.1' && coding.trim().toLowerCase() === 'chunked';

function isAmbiguous(seen: Seen): boolean {
  return seen.host > 1 || seen['content-length'] + seen['transfer-encoding'] > 1;
}
