import { z } from 'zod';
import { inBodyOrder, MAX_PROBLEMS, problemsOf, type Problem } from './problem.ts';

export type Validated<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Checks a parsed body against its schema and lists every problem in the order of the body, up to the first hundred.
 *
 * A good body is parsed by zod in one go. A bad one is walked again, list element by list element, and only until
 * there are enough problems: a list of a million wrong elements must not cost a million reports.
 */
export function validateBody<T>(schema: z.ZodType<T>, body: unknown): Validated<T> {
  const members = shapeOf(schema);
  const found = isObject(body) ? overlongLists(members, body) : [];
  if (found.length === 0) {
    const parsed = schema.safeParse(body);
    if (parsed.success) return { ok: true, value: parsed.data };
    if (!isObject(body)) return { ok: false, problems: problemsOf(parsed.error.issues, body, ['body']) };
    for (const [name, member] of members) found.push(...memberProblems(name, member, body[name]));
    // Nothing is wrong with any member: what is wrong is how they go together.
    if (found.length === 0) found.push(...problemsOf(parsed.error.issues, body, ['body']));
  } else if (isObject(body)) {
    for (const [name, member] of members) found.push(...memberProblems(name, member, body[name]));
  }
  return { ok: false, problems: inBodyOrder(found, body).slice(0, MAX_PROBLEMS) };
}

/** The parameters of an address: unknown ones are ignored, one that is given twice is no single value. */
export function validateQuery<T>(schema: z.ZodType<T>, search: URLSearchParams): Validated<T> {
  const query: Record<string, unknown> = {};
  const problems: Problem[] = [];
  for (const name of shapeOf(schema).keys()) {
    const values = search.getAll(name);
    if (values.length > 1) {
      problems.push({ loc: ['query', name], msg: 'Parameter should be given once', type: 'value_error' });
    } else if (values.length === 1) {
      query[name] = values[0];
    }
  }
  const parsed = schema.safeParse(query);
  if (!parsed.success) problems.push(...problemsOf(parsed.error.issues, query, ['query']));
  return problems.length > 0 || !parsed.success ? { ok: false, problems } : { ok: true, value: parsed.data };
}

const shapes = new WeakMap<z.ZodType, ReadonlyMap<string, z.ZodType>>();

/** The members of an object schema; none for any other schema. */
function shapeOf(schema: z.ZodType): ReadonlyMap<string, z.ZodType> {
  const known = shapes.get(schema);
  if (known !== undefined) return known;
  const shape = new Map(schema instanceof z.ZodObject ? Object.entries(schema.shape) : []);
  shapes.set(schema, shape);
  return shape;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

type Members = ReadonlyMap<string, z.ZodType>;

/** Lists that are too long, found before any element is looked at. */
function overlongLists(members: Members, body: Readonly<Record<string, unknown>>): Problem[] {
  const problems: Problem[] = [];
  for (const [name, member] of members) {
    const list = body[name];
    if (!(member instanceof z.ZodArray) || !Array.isArray(list)) continue;
    const most = maximumOf(member);
    if (list.length > most) {
      problems.push({ loc: ['body', name], msg: `List should have at most ${most} items`, type: 'too_long' });
    }
  }
  return problems;
}

/** What is wrong with one member; a list is looked at element by element until there are enough problems. */
function memberProblems(name: string, member: z.ZodType, value: unknown): readonly Problem[] {
  if (!(member instanceof z.ZodArray) || !Array.isArray(value) || value.length === 0) {
    return problemsAt(member, value, ['body', name]);
  }
  const problems: Problem[] = [];
  const element = member.element as z.ZodType;
  const looked = Math.min(value.length, maximumOf(member));
  for (let i = 0; i < looked && problems.length < MAX_PROBLEMS; i += 1) {
    problems.push(...problemsAt(element, value[i], ['body', name, i]));
  }
  return problems;
}

function problemsAt(schema: z.ZodType, value: unknown, loc: readonly (string | number)[]): readonly Problem[] {
  const parsed = schema.safeParse(value);
  return parsed.success ? [] : problemsOf(parsed.error.issues, value, loc);
}

function maximumOf(list: z.ZodArray): number {
  for (const check of list.def.checks ?? []) {
    const { check: kind, maximum } = check._zod.def as { check: string; maximum?: number };
    if (kind === 'max_length' && maximum !== undefined) return maximum;
  }
  return Infinity;
}
