import type { Facts } from '../lib/log.ts';

/** Longest text, deepest nesting and most members that a fact keeps: a hostile one cannot fill a disk. */
const MAX_TEXT = 4_096;
const MAX_DEPTH = 6;
const MAX_MEMBERS = 64;

const REDACTED = '[redacted]';

/** Names whose value is never written, wherever they stand. */
const SECRET_NAME =
  /^(x-)?(api[-_]?key|authorization|cookie|set-cookie|password|passwd|secret|client[-_]?secret|token|access[-_]?token|refresh[-_]?token|bearer|private[-_]?key|credentials?)$/i;

/** Names that the log line itself uses; a fact of that name gets an underscore, so that no key is printed twice. */
const RESERVED = new Set(['level', 'time', 'msg']);

/** Facts as they may be written: bounded, without secrets, errors as objects, nothing that throws when read. */
export function scrub(facts: Facts): Record<string, unknown> {
  // Built from entries, not by assignment: a fact may be called `__proto__` or `constructor`.
  return Object.fromEntries(
    Object.entries(facts)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [RESERVED.has(name) ? `${name}_` : name, scrubMember(name, value, 1)]),
  );
}

function scrubValue(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return shorten(value);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'bigint':
    case 'symbol':
      return String(value);
    case 'function':
      return '[function]';
    case 'object':
      return value === null ? null : scrubObject(value, depth);
    default:
      return value;
  }
}

function scrubObject(value: object, depth: number): unknown {
  if (isError(value)) return scrubError(value, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (depth >= MAX_DEPTH) return '[deeper]';
  if (Array.isArray(value)) {
    const kept = value.slice(0, MAX_MEMBERS).map((member) => scrubValue(member, depth + 1));
    return value.length > MAX_MEMBERS ? [...kept, `[${value.length - MAX_MEMBERS} more]`] : kept;
  }
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  const members = Object.entries(value);
  const kept = members
    .slice(0, MAX_MEMBERS)
    .map(([name, member]) => [shorten(name), scrubMember(name, member, depth + 1)]);
  return Object.fromEntries(members.length > MAX_MEMBERS ? [...kept, ['...', 'more']] : kept) as unknown;
}

const scrubMember = (name: string, value: unknown, depth: number): unknown =>
  SECRET_NAME.test(name) ? REDACTED : scrubValue(value, depth);

/** Errors from another realm are no instance of ours, so they are known by their shape. */
function isError(value: object): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}

function scrubError(error: Error, depth: number): unknown {
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return {
    type: error.name,
    message: shorten(error.message),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: shorten(error.stack) }),
    ...(cause === undefined || depth >= MAX_DEPTH ? {} : { cause: scrubValue(cause, depth + 1) }),
  };
}

function shorten(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}... (${text.length} characters)`;
}
