import type { ApiFault } from '../controller/ports.ts';
import { codeOf, messageOf } from '../lib/thrown.ts';
import { at, count, list, record, text } from './json.ts';

/** An `ApiFault` with what only this room needs. */
export interface CallFault extends ApiFault {
  /** HTTP status, where there was an answer. */
  readonly status?: number;
  /** The request may have reached the server: a write must be proven absent before it is repeated. */
  readonly sent: boolean;
  /** Reasons of `status.details.causes`, e.g. `DisruptionBudget`. */
  readonly causes: readonly string[];
}

const LONGEST_RETRY_AFTER_MS = 300_000;

const KIND_OF_STATUS: Readonly<Record<number, ApiFault['kind']>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  408: 'Timeout',
  409: 'Conflict',
  410: 'Gone',
  429: 'TooManyRequests',
  504: 'Timeout',
};

/** Network codes that prove that no byte of the request was delivered. */
const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN']);

/** A webhook, an admission policy or a quota may answer 403 as well; a missing right reads `User "x" cannot ...`. */
const ADMISSION = /admission webhook|ValidatingAdmissionPolicy|exceeded quota|denied the request/i;

/** What an answer outside 2xx means. `body` is the parsed Status object or the raw text. */
export function answerFault(status: number, body: unknown, retryAfter?: string | number): CallFault {
  const message = text(record(body).message) || text(body).slice(0, 500) || `HTTP ${status}`;
  const causes = list(at(body, 'details').causes).map((cause) => text(record(cause).reason));
  const seconds = count(at(body, 'details').retryAfterSeconds, 0);
  const retryAfterMs = retryAfterOf(retryAfter) ?? (seconds > 0 ? capped(seconds * 1000) : undefined);
  return {
    kind: kindOf(status, message),
    message,
    status,
    sent: true,
    causes: causes.filter((reason) => reason !== ''),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function kindOf(status: number, message: string): ApiFault['kind'] {
  if (status === 403 && ADMISSION.test(message)) return 'Rejected';
  const known = KIND_OF_STATUS[status];
  if (known !== undefined) return known;
  if (status >= 500) return 'Unavailable';
  return status >= 400 ? 'Rejected' : 'Unknown';
}

/** Milliseconds of a Retry-After in seconds, at most 5 min; garbage, dates and nothing are the caller's own backoff. */
export function retryAfterOf(value: string | number | undefined): number | undefined {
  if (value === undefined || !/^\s*\d{1,9}\s*$/.test(String(value))) return undefined;
  return capped(Number(value) * 1000);
}

const capped = (ms: number): number => Math.min(ms, LONGEST_RETRY_AFTER_MS);

/**
 * The one normaliser of whatever a call threw: deadlines are `AbortError` or `TimeoutError`; network faults carry a
 * `code` themselves or in `cause` (`fetch`); the library's `ApiException` carries the status as a number in `code`.
 */
export function thrownFault(thrown: unknown, sent = true): CallFault {
  const { code, body, name, cause } = parts(thrown);
  const message = messageOf(thrown);
  if (typeof code === 'number') return answerFault(code, parsedBody(body) ?? message);
  if (name === 'AbortError' || name === 'TimeoutError') return { kind: 'Timeout', message, sent, causes: [] };
  const network = text(code) || codeOf(cause);
  const delivered = sent && !NEVER_SENT.has(network) && !isTlsRefusal(network);
  const kind = network === 'ETIMEDOUT' ? 'Timeout' : network === '' ? 'Unknown' : 'Unavailable';
  return { kind, message: network === '' ? message : `${network}: ${message}`, sent: delivered, causes: [] };
}

const parts = (thrown: unknown): { code?: unknown; body?: unknown; name?: unknown; cause?: unknown } =>
  typeof thrown === 'object' && thrown !== null ? thrown : {};

/** The peer's certificate was refused before any request was written. */
const isTlsRefusal = (code: string): boolean =>
  /^(ERR_TLS_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_SSL_|HOSTNAME_MISMATCH|INVALID_CA)/.test(code);

function parsedBody(body: unknown): unknown {
  if (typeof body !== 'string') return body;
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return body;
  }
}

/** A fault found before anything was sent: a name that is no name, a request outside the watched namespaces. */
export const refusedHere = (message: string): CallFault => ({ kind: 'Rejected', message, sent: false, causes: [] });
