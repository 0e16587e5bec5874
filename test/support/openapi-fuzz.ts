import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { openApiDocument } from '../../src/http/openapi.ts';

/**
 * Requests made from the OpenAPI document alone, and answers held against it alone: nothing here knows the program. A
 * body that the document allows must be taken, one that it does not allow must be refused, and every answer must be one
 * that the document describes.
 */

interface Schema {
  readonly [keyword: string]: unknown;
}

interface Media {
  readonly schema: Schema;
}

export interface Operation {
  readonly path: string;
  readonly method: 'get' | 'post';
  readonly isOpen: boolean;
  readonly body?: { readonly contentType: string; readonly schema: Schema };
  readonly parameters: readonly Parameter[];
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>;
}

interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path' | 'header';
  readonly required?: boolean;
  readonly schema: Schema;
}

/** One request that was made up, and whether the document allows it. */
export interface FuzzRequest {
  readonly operation: Operation;
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** `valid`: must be answered 200 (or 404 of a named part); `invalid`: must be refused; `any`: whatever is described. */
  readonly kind: 'valid' | 'invalid' | 'any';
}

const DOCUMENT = JSON.parse(JSON.stringify(openApiDocument())) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Record<string, unknown>>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};

const ajv = new Ajv2020({ strict: false, allErrors: false });
(addFormats as unknown as (instance: Ajv2020) => void)(ajv);
ajv.addSchema({ $id: 'document', ...DOCUMENT });

const validators = new Map<string, ValidateFunction>();

/** A validator of a schema of the document. */
function validatorOf(schema: Schema): ValidateFunction {
  const key = JSON.stringify(schema);
  const known = validators.get(key);
  if (known !== undefined) return known;
  const made = ajv.compile(JSON.parse(key.replaceAll('"#/components', '"document#/components')) as Schema);
  validators.set(key, made);
  return made;
}

/** Every operation of the document. */
export const OPERATIONS: readonly Operation[] = Object.entries(DOCUMENT.paths).flatMap(([path, item]) =>
  (['get', 'post'] as const).flatMap((method): Operation[] => {
    const operation = item[method] as
      | {
          readonly security?: unknown;
          readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
          readonly parameters?: readonly Parameter[];
          readonly responses: Operation['responses'];
        }
      | undefined;
    if (operation === undefined) return [];
    const [media] = Object.entries(operation.requestBody?.content ?? {});
    return [
      {
        ...{ path, method, isOpen: operation.security === undefined, responses: operation.responses },
        parameters: operation.parameters ?? [],
        ...(media !== undefined && { body: { contentType: media[0], schema: media[1].schema } }),
      },
    ];
  }),
);

/** What was answered. */
export interface FuzzAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/** What is wrong with an answer, by the document; `undefined`: nothing. */
export function faultOf(request: FuzzRequest, answer: FuzzAnswer): string | undefined {
  const { operation, method, kind } = request;
  const { status, contentType, text } = answer;
  if (status >= 500) return `status ${status}`;
  const isHead = method === 'HEAD' && operation.method === 'get' && !isStream(operation);
  // A method that the path does not have is refused by rule, not by operation.
  if (method.toLowerCase() !== operation.method && !isHead) return status === 405 ? undefined : `status ${status}`;
  const described = operation.responses[String(status)];
  if (described === undefined) return `status ${status} is not described`;
  if (kind === 'valid' && !isTaken(answer)) return `status ${status} for what is allowed: ${text.slice(0, 300)}`;
  if (kind === 'invalid' && status === 200) return 'taken, though it is not allowed';
  if (isHead) return undefined;
  const media = Object.entries(described.content ?? {}).find(([type]) => bare(type) === bare(contentType))?.[1];
  if (media === undefined) return `media type ${contentType} is not described for ${status}`;
  return partsOf(bare(contentType), text)
    .map((part) => mismatch(media.schema, part))
    .find((fault) => fault !== undefined);
}

/** It has no end, so its head alone cannot be asked for. */
const isStream = ({ responses }: Operation): boolean => responses['200']?.content?.['text/event-stream'] !== undefined;

const bare = (type: string): string => type.replace(/;.*$/, '');

/** What a schema cannot say: a time in the future, a forbidden key, a nesting too deep. A named part may
 * lead nowhere, and the state of things may be against a request (409). */
const BEYOND_SCHEMAS: ReadonlySet<unknown> = new Set(['in_future', 'forbidden_key', 'nesting_too_deep']);

function isTaken({ status, text }: FuzzAnswer): boolean {
  if (status === 200 || status === 404 || status === 409) return true;
  if (status !== 422) return false;
  const { detail } = JSON.parse(text) as { readonly detail: readonly { readonly type: string }[] };
  return detail.every(({ type }) => BEYOND_SCHEMAS.has(type));
}

/** The values of an answer: one, or one a line, or one an event. */
function partsOf(type: string, text: string): readonly unknown[] {
  if (type === 'application/x-ndjson')
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown);
  if (type === 'text/event-stream')
    return [...text.matchAll(/^data: (.*)\n/gm)].map(([, data = '']) => JSON.parse(data) as unknown);
  return [type.endsWith('json') ? (JSON.parse(text) as unknown) : text];
}

function mismatch(schema: Schema, value: unknown): string | undefined {
  const validate = validatorOf(schema);
  return validate(value) ? undefined : `${ajv.errorsText(validate.errors)}: ${JSON.stringify(value).slice(0, 300)}`;
}

const isAllowed = (schema: Schema, value: unknown): boolean => validatorOf(schema)(value) === true;

/** Requests to one operation: allowed ones, broken ones, and plain noise. */
export function requestsTo(operation: Operation, key: string): fc.Arbitrary<FuzzRequest> {
  const headers = operation.isOpen ? {} : { 'x-api-key': key };
  return fc
    .record({
      query: queryOf(operation),
      path: pathOf(operation),
      body: bodyOf(operation),
      needed: neededHeaders(operation),
      method: fc.oneof(
        { weight: 30, arbitrary: fc.constant('') },
        { weight: 1, arbitrary: fc.constantFrom('PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS') },
      ),
      header: oddHeaders,
    })
    .map(({ query, path, body, method, header, needed }): FuzzRequest => {
      const all = {
        ...headers,
        ...(body === undefined ? {} : { 'content-type': operation.body?.contentType ?? '' }),
        ...needed.headers,
        ...header,
      };
      const isOdd = needed.isLeftOut || Object.keys(header).length > 0;
      const kinds = [query.kind, body?.kind ?? 'valid'];
      const kind = isOdd || kinds.includes('any') ? 'any' : kinds.includes('invalid') ? 'invalid' : 'valid';
      return {
        ...{ operation, method: method === '' ? operation.method.toUpperCase() : method, headers: all },
        ...{ target: `${path}${query.text}`, kind },
        ...(body !== undefined && { body: body.text }),
      };
    });
}

/** Headers without which the operation cannot be called; now and then they are left out. */
function neededHeaders({ parameters }: Operation): fc.Arbitrary<{
  readonly headers: Readonly<Record<string, string>>;
  readonly isLeftOut: boolean;
}> {
  const own = parameters.filter((one) => one.in === 'header' && one.required === true);
  if (own.length === 0) return fc.constant({ headers: {}, isLeftOut: false });
  const all = fc.tuple(...own.map(({ schema }) => valueOf(schema, 0).map(String))).map((values) => ({
    headers: Object.fromEntries(own.map(({ name }, i) => [name, values[i] ?? ''])),
    isLeftOut: false,
  }));
  const none = fc.constant({ headers: {}, isLeftOut: true });
  return fc.oneof({ weight: 9, arbitrary: all }, { weight: 1, arbitrary: none });
}

const oddHeaders: fc.Arbitrary<Record<string, string>> = fc.oneof(
  { weight: 25, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constantFrom({ 'x-api-key': 'wrong' }, { 'x-api-key': '' }) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('text/plain', 'application/json; charset=utf-16', '', 'application/json;;', 'multipart/form-data')
      .map((type) => ({ 'content-type': type })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('gzip', 'identity', 'br').map((encoding) => ({ 'content-encoding': encoding })),
  },
  { weight: 1, arbitrary: fc.constantFrom('application/problem+json', '*/*', '').map((accept) => ({ accept })) },
  { weight: 1, arbitrary: fc.stringMatching(/^[\x21-\x7e]{1,40}$/).map((id) => ({ 'last-event-id': id })) },
);

interface Made {
  readonly text: string;
  readonly kind: FuzzRequest['kind'];
}

function queryOf({ parameters }: Operation): fc.Arbitrary<Made> {
  const own = parameters.filter((one) => one.in === 'query');
  if (own.length === 0) return fc.constant({ text: '', kind: 'valid' });
  const some = own.map(({ name, schema }) =>
    fc.option(
      fc
        .oneof(
          { weight: 3, arbitrary: valueOf(schema, 0).map(String) },
          { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
        )
        .map((text) => ({ name, text, schema })),
    ),
  );
  return fc.tuple(...some).map((chosen) => {
    const given = chosen.filter((one) => one !== null);
    const areAllowed = given.every(({ schema, text }) =>
      isAllowed(schema, schema['type'] === 'integer' ? asInteger(text) : text),
    );
    const text = given.map((one) => `${one.name}=${encodeURIComponent(one.text)}`).join('&');
    return { text: text === '' ? '' : `?${text}`, kind: areAllowed ? 'valid' : 'invalid' };
  });
}

const asInteger = (text: string): unknown => (/^-?\d+$/.test(text) ? Number(text) : text);

function pathOf({ path, parameters }: Operation): fc.Arbitrary<string> {
  const own = parameters.filter((one) => one.in === 'path');
  return fc
    .tuple(...own.map(({ schema }) => valueOf(schema, 0).map(String)))
    .map((values) => own.reduce((made, { name }, i) => made.replace(`{${name}}`, encodePart(values[i] ?? 'x')), path));
}

/** A part that is `.` or `..` would be resolved away by the client. */
const encodePart = (text: string): string => encodeURIComponent(text.replace(/^\.{1,2}$/, 'x').toWellFormed());

function bodyOf({ body }: Operation): fc.Arbitrary<Made | undefined> {
  if (body === undefined) return fc.constant(undefined);
  const { schema, contentType } = body;
  const judged = (value: unknown): Made => ({
    text: JSON.stringify(value),
    kind: isAllowed(schema, value) ? 'valid' : 'invalid',
  });
  const one = fc.oneof(
    { weight: 5, arbitrary: valueOf(schema, 0).map(judged) },
    {
      weight: 5,
      arbitrary: fc
        .tuple(valueOf(schema, 0), fc.nat(), fc.constantFrom(...POISON))
        .map(([value, at, poison]) => judged(replaced(value, at, poison))),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(valueOf(schema, 0), fc.nat()).map(([value, at]) => cut(JSON.stringify(value), at)),
    },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }).map(judged) },
    { weight: 1, arbitrary: fc.string({ maxLength: 40 }).map((text): Made => ({ text, kind: 'any' })) },
  );
  if (contentType !== 'application/x-ndjson') return one;
  // A batch is taken whatever is in it: what is wrong with a line stands in its line of the answer.
  return fc
    .array(one, { maxLength: 5 })
    .map((lines) => ({ text: lines.map(({ text }) => text).join('\n'), kind: 'any' }));
}

const cut = (text: string, at: number): Made => ({ text: text.slice(0, at % Math.max(1, text.length)), kind: 'any' });

/** What is put in the place of some part of an allowed body. */
const POISON: readonly unknown[] = [
  ...[
    null,
    true,
    0,
    -1,
    1e308,
    1.5,
    '',
    'x',
    [],
    {},
    [[]],
    { a: 1 },
    '\u0000',
    'CPU',
    'error_rate',
    '2025-02-30T00:00:00Z',
  ],
  ...['9999-01-01T00:00:00Z', 'x'.repeat(2000), '💥', '{{constructor}}', ['x'], 'trace', 'FATAL', '-1', ':', 'a:'],
];

/** The value with one of its parts replaced or, for every third number, left out. */
function replaced(value: unknown, at: number, poison: unknown): unknown {
  const places: (readonly (string | number)[])[] = [];
  const visit = (part: unknown, path: readonly (string | number)[]): void => {
    places.push(path);
    if (typeof part !== 'object' || part === null) return;
    for (const [name, member] of Object.entries(part))
      visit(member, [...path, Array.isArray(part) ? Number(name) : name]);
  };
  visit(value, []);
  const place = places[at % places.length] ?? [];
  const copy: unknown = structuredClone(value);
  const last = place.at(-1);
  if (last === undefined) return poison;
  const parent = place
    .slice(0, -1)
    .reduce((part, name) => (part as Record<string | number, unknown>)[name], copy) as Record<string | number, unknown>;
  if (at % 3 === 0 && !Array.isArray(parent)) delete parent[last];
  else parent[last] = poison;
  return copy;
}

/** Values that a schema allows, as far as its keywords say; ajv has the last word. */
function valueOf(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  const { $ref, type } = schema;
  if (typeof $ref === 'string')
    return valueOf(DOCUMENT.components.schemas[$ref.replace('#/components/schemas/', '')] ?? {}, depth);
  const values = schema['enum'] as readonly unknown[] | undefined;
  if (values !== undefined) return fc.constantFrom(...values);
  const choices = schema['anyOf'] as readonly Schema[] | undefined;
  if (choices !== undefined && type === undefined) return fc.oneof(...choices.map((one) => valueOf(one, depth)));
  const make = BY_TYPE[String(type)];
  return make === undefined ? fc.jsonValue({ maxDepth: 2 }) : make(schema, depth);
}

const BY_TYPE: Readonly<Record<string, (schema: Schema, depth: number) => fc.Arbitrary<unknown>>> = {
  object: objectOf,
  array: arrayOf,
  string: textOf,
  integer: (schema) => {
    const { minimum = -1000, maximum = 1_000_000 } = schema as { minimum?: number; maximum?: number };
    return fc.integer({ min: minimum, max: maximum });
  },
  number: () => fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: -5, max: 200 })),
  boolean: () => fc.boolean(),
  null: () => fc.constant(null),
};

function arrayOf(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  const { items = {}, minItems = 0, maxItems = 4 } = schema as { items?: Schema; minItems?: number; maxItems?: number };
  const most = Math.max(minItems, Math.min(maxItems, 4));
  return fc.array(valueOf(items, depth + 1), { minLength: minItems, maxLength: most });
}

function objectOf(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  const {
    properties = {},
    required = [],
    additionalProperties,
  } = schema as {
    properties?: Readonly<Record<string, Schema>>;
    required?: readonly string[];
    additionalProperties?: boolean | Schema;
  };
  const members = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, valueOf(one, depth + 1)]));
  const known = fc.record(members, { requiredKeys: required as string[] });
  if (additionalProperties === undefined || additionalProperties === false || depth > 4) return known;
  const more = additionalProperties === true ? fc.jsonValue({ maxDepth: 1 }) : valueOf(additionalProperties, depth + 1);
  const name = fc.string({ maxLength: 12 }).filter((text) => text !== '__proto__');
  return fc.tuple(fc.dictionary(name, more, { maxKeys: 4 }), known).map(([extra, own]) => ({ ...extra, ...own }));
}

function textOf(schema: Schema): fc.Arbitrary<string> {
  const {
    format,
    pattern,
    minLength = 0,
    maxLength = 60,
  } = schema as { format?: string; pattern?: string; minLength?: number; maxLength?: number };
  if (format === 'date-time') {
    const options = { noInvalidDate: true, min: new Date(0), max: new Date(Date.now()) };
    return fc.oneof(
      fc.date(options).map((at) => at.toISOString()),
      fc.date(options).map((at) => at.toISOString().replace('Z', '+02:00')),
    );
  }
  if (pattern !== undefined)
    return fc
      .stringMatching(new RegExp(pattern))
      .filter((text) => text.length >= minLength && text.length <= maxLength);
  return fc
    .string({ minLength, maxLength: Math.min(maxLength, minLength + 60), unit: 'grapheme' })
    .map((text) => text.slice(0, maxLength))
    .filter((text) => text.isWellFormed());
}
