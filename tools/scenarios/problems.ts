import type { Document, LineCounter } from 'yaml';
import { isNode } from 'yaml';
import { z } from 'zod';
import { mend } from './nearest.ts';
import { scenarioSchema } from './schema.ts';

export type Path = readonly PropertyKey[];

/** What is wrong, where it stands in the file's own structure, and how to mend it. */
export interface ScenarioProblem {
  readonly path: Path;
  readonly message: string;
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly const?: unknown;
}

const SCHEMA = z.toJSONSchema(scenarioSchema, { unrepresentable: 'any', io: 'input' }) as JsonSchema;

/** Sentences for what the schema refuses. */
export function schemaProblems(issues: readonly z.core.$ZodIssue[], document: unknown): readonly ScenarioProblem[] {
  return issues.flatMap((issue): readonly ScenarioProblem[] => {
    const { path } = issue;
    const given = valueAt(document, path);
    switch (issue.code) {
      case 'unrecognized_keys': {
        const known = keysAt(path, document);
        return issue.keys.map((key) => ({ path: [...path, key], message: `is no field here: ${mend(key, known)}` }));
      }
      case 'invalid_value':
        return [{ path, message: choice(given, issue.values.map(String)) }];
      case 'invalid_union':
        return [{ path, message: unionMessage(issue, given) }];
      case 'invalid_type':
        return [{ path, message: typeMessage(issue.expected, given, path) }];
      default:
        return [{ path, message: issue.message }];
    }
  });
}

function unionMessage(issue: z.core.$ZodIssueInvalidUnion, given: unknown): string {
  const options = 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : undefined;
  if (options !== undefined) return choice(given, options);
  const ways = issue.errors.flat().map(({ message }) => message.replace(/^Invalid input: /, ''));
  return `${shown(given)} is none of these: ${[...new Set(ways)].join('; ')}`;
}

const choice = (given: unknown, known: readonly string[]): string =>
  given === undefined
    ? `is missing: it may be ${known.join(', ')}`
    : `${shown(given)} is none: ${mend(typeof given === 'string' ? given : shown(given), known)}`;

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const NAMES: Readonly<Record<string, string>> = { record: 'a map', object: 'a map', array: 'a list', string: 'a text' };

/** Whoever writes `10m` or `512Mi` means a number: which one can be said. */
function typeMessage(expected: string, given: unknown, path: Path): string {
  const wanted = NAMES[expected] ?? `a ${expected}`;
  if (given === undefined) return `is missing: ${wanted}${isTime(path) ? ' of seconds' : ''}`;
  const [, amount = '', unit = ''] = /^([0-9.]+)([a-zA-Z]+)$/.exec(typeof given === 'string' ? given : '') ?? [];
  const factor = expected === 'number' && amount !== '' ? factorOf(unit, path) : undefined;
  const instead = factor === undefined ? '' : `, such as ${Number(amount) * factor}`;
  return `${shown(given)} must be ${wanted}${isTime(path) ? ' of seconds' : ''}${instead}`;
}

const isTime = (path: Path): boolean => /seconds$|^at$|^after$/i.test(String(path.at(-1)));

function factorOf(unit: string, path: Path): number | undefined {
  if (isTime(path)) return UNITS[unit];
  const factors: Readonly<Record<string, number>> = { m: 0.001, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, M: 1e6, G: 1e9 };
  return factors[unit];
}

const shown = (value: unknown): string => JSON.stringify(value) ?? 'nothing';

export function valueAt(document: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined),
    document,
  );
}

/** Names of the fields that may stand there. */
function keysAt(path: Path, document: unknown): readonly string[] {
  let schema = SCHEMA;
  for (const [i, key] of path.entries()) {
    const at = branchOf(schema, valueAt(document, path.slice(0, i)));
    schema = (typeof key === 'number' ? at.items : at.properties?.[String(key)]) ?? {};
  }
  return Object.keys(branchOf(schema, valueAt(document, path)).properties ?? {});
}

/** Of several forms the one whose constant fields are those of the value. */
function branchOf(schema: JsonSchema, value: unknown): JsonSchema {
  const forms = schema.oneOf ?? schema.anyOf;
  if (forms === undefined) return schema;
  const fits = forms.find(({ properties = {} }) =>
    Object.entries(properties).some(
      ([key, { const: constant }]) => constant !== undefined && valueAt(value, [key]) === constant,
    ),
  );
  return fits ?? forms.find(({ properties }) => properties !== undefined) ?? {};
}

/** `line 12, events[3].decision: ...`; what stands nowhere is placed where it should stand. */
export function placedIn(document: Document, lines: LineCounter) {
  return ({ path, message }: ScenarioProblem): string => {
    const node = nearestNode(document, path);
    const line = node?.range === undefined || node.range === null ? undefined : lines.linePos(node.range[0]).line;
    return (
      [line === undefined ? '' : `line ${line}`, dotted(path)].filter((part) => part !== '').join(', ') + `: ${message}`
    );
  };
}

function nearestNode(document: Document, path: Path) {
  for (let length = path.length; length >= 0; length--) {
    const found: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(found)) return found;
  }
  return undefined;
}

function dotted(path: Path): string {
  return path.reduce<string>(
    (so, part) => (typeof part === 'number' ? `${so}[${part}]` : so === '' ? String(part) : `${so}.${String(part)}`),
    '',
  );
}

/** `spec.remedies[0].on` as a path. */
export const pathOf = (text: string): Path =>
  text
    .split(/[.[\]]+/)
    .filter((part) => part !== '')
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));

/** Fields of a manifest's spec that its kind does not have. */
export function unknownFields(kind: z.ZodType, spec: unknown, path: Path): readonly ScenarioProblem[] {
  return strangersIn(z.toJSONSchema(kind, { unrepresentable: 'any', io: 'input' }) as JsonSchema, spec, path);
}

function strangersIn(schema: JsonSchema, value: unknown, path: Path): readonly ScenarioProblem[] {
  if (Array.isArray(value)) {
    return value.flatMap((each, i) => strangersIn(branchOf(schema, value).items ?? {}, each, [...path, i]));
  }
  if (typeof value !== 'object' || value === null) return [];
  const { properties } = branchOf(schema, value);
  if (properties === undefined) return [];
  return Object.entries(value).flatMap(([key, each]) => {
    const known = properties[key];
    if (known !== undefined) return strangersIn(known, each, [...path, key]);
    return [{ path: [...path, key], message: `is no field here: ${mend(key, Object.keys(properties))}` }];
  });
}
