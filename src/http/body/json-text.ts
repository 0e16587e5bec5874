import { isUtf8 } from 'node:buffer';
import type { Problem } from '../problem.ts';

/** Deepest nesting of a body; the body itself is the first level. */
const MAX_NESTING = 16;

export type JsonText =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problems: readonly Problem[] };

const refused = (problem: Problem): JsonText => ({ ok: false, problems: [problem] });

/**
 * Parses the bytes of a body. Nesting is counted before parsing, since a parser recurses; a byte order mark is
 * skipped; a key `__proto__` is refused wherever it stands, in whatever spelling.
 */
export function parseJson(bytes: Buffer): JsonText {
  if (bytes.length === 0) return refused({ loc: ['body'], msg: 'Field required', type: 'missing' });
  if (!isUtf8(bytes)) return refused({ loc: ['body'], msg: 'Body is not valid UTF-8', type: 'json_invalid' });
  const deep = tooDeepAt(bytes);
  if (deep !== undefined) {
    const msg = `Body should be nested at most ${MAX_NESTING} levels deep`;
    return refused({ loc: ['body', deep], msg, type: 'nesting_too_deep' });
  }
  const text = bytes.toString('utf8', hasByteOrderMark(bytes) ? 3 : 0);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (fault) {
    const at = /at position (\d+)/.exec(fault instanceof Error ? fault.message : String(fault))?.[1];
    return refused({
      loc: at === undefined ? ['body'] : ['body', Number(at)],
      msg: 'JSON decode error',
      type: 'json_invalid',
    });
  }
  // A key can be spelt with escapes, so any escape is reason enough to look.
  if (!text.includes('__proto__') && !text.includes('\\u')) return { ok: true, value };
  const problems = forbiddenKeys(value);
  return problems.length === 0 ? { ok: true, value } : { ok: false, problems };
}

function hasByteOrderMark(bytes: Buffer): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Byte at which the nesting becomes too deep, brackets inside strings left out. */
function tooDeepAt(bytes: Buffer): number | undefined {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i];
    if (inString) {
      if (byte === BACKSLASH) i += 1;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) {
      inString = true;
    } else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      depth += 1;
      if (depth > MAX_NESTING) return i;
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
      depth -= 1;
    }
  }
  return undefined;
}

/** Places of `__proto__` as a key; nesting is bounded by now. */
function forbiddenKeys(root: unknown): readonly Problem[] {
  const problems: Problem[] = [];
  const look = (value: unknown, loc: readonly (string | number)[]): void => {
    if (typeof value !== 'object' || value === null || problems.length >= 100) return;
    if (Array.isArray(value)) {
      value.forEach((member, i) => look(member, [...loc, i]));
      return;
    }
    for (const key of Object.keys(value)) {
      if (key === '__proto__') {
        problems.push({ loc: [...loc, key], msg: 'Key is not allowed', type: 'forbidden_key' });
      } else {
        look((value as Record<string, unknown>)[key], [...loc, key]);
      }
    }
  };
  look(root, ['body']);
  return problems;
}
