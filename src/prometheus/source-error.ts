import type { SourceError } from '../controller/ports.ts';
import { codeOf, messageOf } from '../lib/thrown.ts';

const MAX_MESSAGE = 300;

/** A source error whose message is short, one line and free of control characters. */
export function sourceError(kind: SourceError['kind'], message: string): SourceError {
  const line = message.replace(/[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+/g, ' ').trim();
  return { kind, message: line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE)}...` : line };
}

/** Text of a caught fault; for network errors the code says more than the message. */
export function describe(fault: unknown): string {
  const code = codeOf(fault);
  const message = messageOf(fault);
  return code === '' || message.includes(code) ? message : `${code}: ${message}`;
}
