import { StoreFault, type FaultCause } from './backend.ts';

/** SQLSTATE codes by what they mean for the store. */
const CODES: Readonly<Record<string, FaultCause>> = {
  '25006': 'read-only', // the connection leads to a standby
  '25P03': 'unreachable', // idle in a transaction for too long: the server hung up
  '40001': 'locked',
  '40P01': 'locked', // a deadlock: one of the two goes on, the other comes again
  '53100': 'full',
  '53300': 'unreachable', // too many connections
  '55P03': 'locked',
  '57014': 'locked', // longer than statement_timeout
  '3D000': 'unreachable', // there is no such database
  XX001: 'damaged',
  XX002: 'damaged',
};

/** The first two characters of an SQLSTATE, where the whole is not listed. */
const CLASSES: Readonly<Record<string, FaultCause>> = {
  '08': 'unreachable', // connection exception
  '22': 'constraint', // the value is wrong, not the database
  '23': 'constraint',
  '28': 'unreachable', // the user or the password is wrong
  '54': 'constraint', // larger than the program allows
  '57': 'unreachable', // shut down, starting up, crashed
};

/** Connections end in many words: those of the system, of TLS, and of the driver, which has no codes for them. */
const CONNECTION_WORDS =
  /connection terminated|connection error|not queryable|timeout exceeded when trying to connect|query read timeout|client was closed|after calling end|destroyed|does not support SSL|certificate|socket/i;

/** What the database or the way to it said, as the store's own fault. Never holds the address: it may bear a password. */
export function toPostgresFault(fault: unknown): StoreFault {
  if (fault instanceof StoreFault) return fault;
  // Read by shape: an error may come from another realm, where it is no instance of our Error.
  const { code, message, errors } = (fault ?? {}) as { code?: unknown; message?: unknown; errors?: unknown };
  const text = typeof message === 'string' && message !== '' ? message : firstOf(errors);
  return new StoreFault(causeOf(typeof code === 'string' ? code : '', text), text);
}

function causeOf(code: string, text: string): FaultCause {
  if (/^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]{4}$/.test(code)) {
    return CODES[code] ?? CLASSES[code.slice(0, 2)] ?? 'other';
  }
  // ECONNREFUSED, ENOTFOUND, ERR_TLS_CERT_ALTNAME_INVALID, DEPTH_ZERO_SELF_SIGNED_CERT: no way to the server.
  return code !== '' || CONNECTION_WORDS.test(text) ? 'unreachable' : 'other';
}

/** A host with several addresses fails with all of their errors at once and no message. */
function firstOf(errors: unknown): string {
  const [first] = Array.isArray(errors) ? (errors as readonly unknown[]) : [];
  const { message } = (first ?? {}) as { message?: unknown };
  return typeof message === 'string' ? message : 'unknown fault';
}
