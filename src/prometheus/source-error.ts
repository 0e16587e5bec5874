import type { SourceError } from '../controller/ports.ts';

const MAX_MESSAGE = 300;

/** A source error whose message is short, one line and free of control characters. */
export function sourceError(kind: SourceError['kind'], message: string): SourceError {
  const line = message.replace(/[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+/g, ' ').trim();
  return { kind, message: line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE)}...` : line };
}

/** Text of a caught fault; for network errors the code says more than the message. */
export function describe(fault: unknown): string {
  if (!(fault instanceof Error)) return 'unknown fault';
  const inner = fault.cause instanceof Error ? fault.cause : fault;
  const code = 'code' in inner && typeof inner.code === 'string' ? `${inner.code}: ` : '';
  return inner.message.startsWith(code) ? inner.message : `${code}${inner.message}`;
}
