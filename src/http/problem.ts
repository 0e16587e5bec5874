import type { z } from 'zod';

/** One thing that is wrong with a request, in the shape that clients of the engine know. */
export interface Problem {
  /** `body` or `query`, then names and indices down to the place. */
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly type: string;
}

/** More are not listed: nobody reads them, and they cost the server. */
export const MAX_PROBLEMS = 100;

type Issue = z.core.$ZodIssue;
type Kind = Pick<Problem, 'msg' | 'type'>;

/** Wrong type, by what was expected. */
const EXPECTED: Readonly<Record<string, Kind>> = {
  string: { type: 'string_type', msg: 'Input should be a valid string' },
  number: { type: 'number_type', msg: 'Input should be a valid number' },
  int: { type: 'int_type', msg: 'Input should be a valid integer' },
  boolean: { type: 'bool_type', msg: 'Input should be a valid boolean' },
  array: { type: 'list_type', msg: 'Input should be a valid list' },
  object: { type: 'dict_type', msg: 'Input should be a valid dictionary' },
  record: { type: 'dict_type', msg: 'Input should be a valid dictionary' },
};

const MISSING: Kind = { type: 'missing', msg: 'Field required' };
const NOT_FINITE: Kind = { type: 'finite_number', msg: 'Input should be a finite number' };
const OTHER: Kind = { type: 'value_error', msg: 'Input is not valid' };

/**
 * What zod found, as the contract lists it: one problem a place (a text that is empty and therefore also matches no
 * pattern is one mistake), each under `loc`. `root` is the value that was checked.
 */
export function problemsOf(
  issues: readonly Issue[],
  root: unknown,
  loc: readonly (string | number)[],
): readonly Problem[] {
  const places = new Map<string, Problem>();
  for (const issue of issues) {
    const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
    const key = JSON.stringify(path);
    if (!places.has(key)) places.set(key, { loc: [...loc, ...path], ...kindOf(issue, valueAt(root, path)) });
  }
  return [...places.values()];
}

function kindOf(issue: Issue, value: unknown): Kind {
  switch (issue.code) {
    case 'invalid_type':
      if (value === undefined) return MISSING;
      if (typeof value === 'number' && issue.expected === 'number') return NOT_FINITE;
      return EXPECTED[issue.expected] ?? OTHER;
    case 'too_small':
      return bound(issue.origin, 'short', 'at least', issue.minimum);
    case 'too_big':
      return bound(issue.origin, 'long', 'at most', issue.maximum);
    case 'invalid_format':
      return { type: 'string_pattern_mismatch', msg: issue.message };
    case 'invalid_value':
      return { type: 'enum', msg: `Input should be ${issue.values.map((v) => `'${String(v)}'`).join(', ')}` };
    case 'custom':
      return value === undefined ? MISSING : customKind(issue);
    default:
      return OTHER;
  }
}

function bound(origin: string, word: 'short' | 'long', side: string, limit: number | bigint): Kind {
  switch (origin) {
    case 'string':
      return { type: `string_too_${word}`, msg: `String should have ${side} ${limit} characters` };
    case 'array':
    case 'record':
    case 'object':
      return { type: `too_${word}`, msg: `Input should have ${side} ${limit} items` };
    default:
      return word === 'short'
        ? { type: 'greater_than_equal', msg: `Input should be greater than or equal to ${limit}` }
        : { type: 'less_than_equal', msg: `Input should be less than or equal to ${limit}` };
  }
}

/** Our own checks say their type themselves. */
function customKind(issue: Extract<Issue, { code: 'custom' }>): Kind {
  const type: unknown = issue.params?.['type'];
  return { type: typeof type === 'string' ? type : OTHER.type, msg: issue.message };
}

function valueAt(root: unknown, path: readonly (string | number)[]): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

/**
 * Sorts problems into the order in which their places stand in the body; what is missing comes after what is there.
 */
export function inBodyOrder(problems: readonly Problem[], body: unknown): readonly Problem[] {
  const keyed = problems.map((problem) => ({ problem, position: positionOf(body, problem.loc.slice(1)) }));
  keyed.sort((a, b) => comparePositions(a.position, b.position));
  return keyed.map(({ problem }) => problem);
}

function positionOf(body: unknown, path: readonly (string | number)[]): readonly number[] {
  const position: number[] = [];
  let value = body;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) break;
    const at = Array.isArray(value) ? Number(part) : Object.keys(value).indexOf(String(part));
    position.push(at < 0 ? Number.MAX_SAFE_INTEGER : at);
    value = (value as Record<string | number, unknown>)[part];
  }
  return position;
}

function comparePositions(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
