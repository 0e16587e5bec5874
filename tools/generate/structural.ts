import type { JsonSchema } from './json-schema.ts';

/** Keywords that the API server refuses in a structural schema, or that Aegis forbids. */
const FORBIDDEN = ['$ref', '$defs', 'const', 'uniqueItems', 'patternProperties', 'propertyNames', 'oneOf', 'allOf'];
const MAX_SAFE = 2 ** 53 - 1;
const LOOK_AROUND = /\(\?(=|!|<=|<!)|\\[1-9]/;

/**
 * What is wrong with a schema, each with its path. An unbounded string, list, map or number is a problem as well:
 * the API server cannot bound the cost of rules over it, and one object could fill the store.
 */
export function structuralProblems(schema: JsonSchema, path: string): string[] {
  const own = [...forbiddenKeywords(schema), ...boundProblems(schema), ...describedProblems(schema)];
  const children = [
    ...Object.entries(schema.properties ?? {}).flatMap(([name, child]) => structuralProblems(child, `${path}.${name}`)),
    ...(schema.items === undefined ? [] : structuralProblems(schema.items, `${path}[]`)),
    ...(typeof schema.additionalProperties === 'object'
      ? boundProblems(schema.additionalProperties).map((problem) => `${path}{}: ${problem}`)
      : []),
  ];
  return [...own.map((problem) => `${path}: ${problem}`), ...children];
}

function forbiddenKeywords(schema: JsonSchema): string[] {
  const problems = FORBIDDEN.filter((keyword) => keyword in schema).map((keyword) => `${keyword} is refused`);
  if (schema.anyOf !== undefined) problems.push('a typed anyOf is refused');
  if (schema.additionalProperties === false) problems.push('additionalProperties: false is refused: pruning does it');
  if (schema.additionalProperties !== undefined && schema.properties !== undefined) {
    problems.push('additionalProperties and properties exclude each other');
  }
  if (schema.type === undefined && schema['x-kubernetes-int-or-string'] !== true) problems.push('type is missing');
  return problems;
}

function boundProblems(schema: JsonSchema): string[] {
  const isEither = schema['x-kubernetes-int-or-string'] === true;
  const problems: string[] = [];
  if ((schema.type === 'string' || isEither) && !isTextBounded(schema)) problems.push('a string needs maxLength');
  if (schema.type === 'array' && schema['maxItems'] === undefined) problems.push('a list needs maxItems');
  if (schema.type === 'array' && schema['x-kubernetes-list-type'] === undefined) problems.push('a list needs a type');
  if (schema.additionalProperties !== undefined && schema['maxProperties'] === undefined) {
    problems.push('a map needs maxProperties');
  }
  if (schema.type === 'integer' || isEither) problems.push(...numberProblems(schema));
  if (schema.type === 'number') problems.push('specs hold no floats: use a decimal string');
  const pattern = schema['pattern'];
  if (typeof pattern === 'string' && LOOK_AROUND.test(pattern)) problems.push('RE2 has no look-around: ' + pattern);
  return problems;
}

const isTextBounded = (schema: JsonSchema): boolean => schema['maxLength'] !== undefined || schema.enum !== undefined;

function numberProblems(schema: JsonSchema): string[] {
  return ['minimum', 'maximum'].flatMap((keyword) => {
    const bound = schema[keyword];
    if (typeof bound !== 'number') return [`a number needs a ${keyword}`];
    return Math.abs(bound) >= MAX_SAFE ? [`${keyword} is zod's ±2^53, not a decision`] : [];
  });
}

function describedProblems(schema: JsonSchema): string[] {
  return typeof schema.description === 'string' && schema.description !== '' ? [] : ['a description is missing'];
}
