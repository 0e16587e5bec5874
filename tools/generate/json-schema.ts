import { z } from 'zod';

/** The part of JSON Schema that CustomResourceDefinitions know. */
export interface JsonSchema {
  [keyword: string]: unknown;
  type?: string;
  description?: string;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  required?: string[];
  enum?: unknown[];
  default?: unknown;
  anyOf?: JsonSchema[];
}

/** A zod schema as a structural OpenAPI v3 schema, still to be checked by `structuralProblems`. */
export function toJsonSchema(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...plain } = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    reused: 'inline',
    unrepresentable: 'throw',
    override: ({ jsonSchema }) => {
      foldIntOrString(jsonSchema as JsonSchema);
    },
  }) as JsonSchema;
  completeDefaults(plain);
  return inOrder(plain);
}

/**
 * An object's default is spelled out with the defaults of its fields: the API server judges a default by the object's
 * rules before it fills in the fields, so `{}` would miss what the rules read.
 */
function completeDefaults(schema: JsonSchema): void {
  const children = Object.values(schema.properties ?? {});
  for (const child of [...children, ...(schema.items === undefined ? [] : [schema.items])]) completeDefaults(child);
  if (!isEmptyObject(schema.default)) return;
  const defaults = Object.entries(schema.properties ?? {}).filter(([, child]) => child.default !== undefined);
  schema.default = Object.fromEntries(defaults.map(([name, child]) => [name, child.default]));
}

const isEmptyObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;

/**
 * `25%` or `3`: Kubernetes spells this union `x-kubernetes-int-or-string`, with the bounds of both halves side by
 * side, because number keywords do not judge strings and the other way round.
 */
function foldIntOrString(schema: JsonSchema): void {
  const [first, second, ...more] = schema.anyOf ?? [];
  if (first?.type !== 'integer' || second?.type !== 'string' || more.length > 0) return;
  delete schema.anyOf;
  const { type: _integer, ...numberBounds } = first;
  const { type: _string, ...stringBounds } = second;
  Object.assign(schema, numberBounds, stringBounds, { 'x-kubernetes-int-or-string': true });
}

const FIRST = ['description', 'type', 'format', 'enum', 'default'];
const LAST = ['properties', 'required', 'items', 'additionalProperties', 'x-kubernetes-validations'];

const rank = (keyword: string): number => {
  if (FIRST.includes(keyword)) return FIRST.indexOf(keyword);
  return LAST.includes(keyword) ? 100 + LAST.indexOf(keyword) : 50;
};

/** The same schema with keywords in a fixed order, so that a change of zod's own order is no difference. */
function inOrder(schema: JsonSchema): JsonSchema {
  const entries = Object.entries(schema).toSorted(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b));
  const sorted: JsonSchema = Object.fromEntries(entries);
  if (sorted.properties !== undefined) {
    sorted.properties = Object.fromEntries(
      Object.entries(sorted.properties).map(([name, property]) => [name, inOrder(property)]),
    );
  }
  if (sorted.items !== undefined) sorted.items = inOrder(sorted.items);
  if (typeof sorted.additionalProperties === 'object') {
    sorted.additionalProperties = inOrder(sorted.additionalProperties);
  }
  return sorted;
}
