import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { KINDS } from '../../../../src/api/v1alpha1/kinds.ts';
import { crd, objectSchema } from '../../../../tools/generate/crds.ts';
import { toJsonSchema, type JsonSchema } from '../../../../tools/generate/json-schema.ts';
import { structuralProblems } from '../../../../tools/generate/structural.ts';

const described = { description: 'd' };
const text = { ...described, type: 'string', maxLength: 5 };
const whole = { ...described, type: 'integer', minimum: 0, maximum: 5 };
const object = (properties: Record<string, JsonSchema>): JsonSchema => ({ ...described, type: 'object', properties });

describe('what the API server refuses, or Aegis forbids, stops the build and is named', () => {
  test.each<[string, JsonSchema, string]>([
    ['a string without a bound', { ...described, type: 'string' }, 'spec: a string needs maxLength'],
    [
      'a list without a bound',
      { ...described, type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
      'spec: a list needs maxItems',
    ],
    ['a list without a type', { ...described, type: 'array', items: text, maxItems: 2 }, 'spec: a list needs a type'],
    [
      'a map without a bound',
      { ...described, type: 'object', additionalProperties: text },
      'spec: a map needs maxProperties',
    ],
    [
      'a map of unbounded strings',
      { ...described, type: 'object', maxProperties: 2, additionalProperties: { type: 'string' } },
      'spec{}: a string needs maxLength',
    ],
    ['a number without a bound', { ...described, type: 'integer', minimum: 0 }, 'spec: a number needs a maximum'],
    [
      "a bound that is zod's own",
      { ...whole, maximum: Number.MAX_SAFE_INTEGER },
      "spec: maximum is zod's ±2^53, not a decision",
    ],
    ['a float', { ...described, type: 'number' }, 'spec: specs hold no floats: use a decimal string'],
    ['no description', { type: 'string', maxLength: 5 }, 'spec: a description is missing'],
    ['no type', described, 'spec: type is missing'],
    ['a reference', { ...text, $ref: '#/x' }, 'spec: $ref is refused'],
    ['a constant', { ...text, const: 'x' }, 'spec: const is refused'],
    ['uniqueItems', { ...text, uniqueItems: true }, 'spec: uniqueItems is refused'],
    ['patternProperties', { ...text, patternProperties: {} }, 'spec: patternProperties is refused'],
    ['a typed anyOf', { ...text, anyOf: [text] }, 'spec: a typed anyOf is refused'],
    [
      'a closed object',
      { ...object({}), additionalProperties: false },
      'spec: additionalProperties: false is refused: pruning does it',
    ],
    ['look-ahead in a pattern', { ...text, pattern: '^(?!kube-)' }, 'spec: RE2 has no look-around: ^(?!kube-)'],
    ['a back-reference in a pattern', { ...text, pattern: '(a)\\1' }, 'spec: RE2 has no look-around: (a)\\1'],
    [
      'a fault deep inside',
      object({ a: object({ b: { ...described, type: 'string' } }) }),
      'spec.a.b: a string needs maxLength',
    ],
  ])('%s', (_, schema, problem) => {
    expect(structuralProblems(schema, 'spec')).toContain(problem);
  });

  test('a bounded, described schema has no problem', () => {
    expect(structuralProblems(object({ a: text, b: whole }), 'spec')).toEqual([]);
  });
});

describe('from zod', () => {
  test('a number or a percentage becomes int-or-string with both bounds', () => {
    const either = z.union([z.int().min(1).max(9), z.string().max(4).regex(/^1%$/)]).meta(described);
    expect(toJsonSchema(either)).toEqual({
      ...described,
      minimum: 1,
      maximum: 9,
      maxLength: 4,
      pattern: '^1%$',
      'x-kubernetes-int-or-string': true,
    });
  });

  test('the default of an object is spelled out, because rules judge it before fields are filled', () => {
    const inner = z.object({ a: z.int().min(1).max(9).default(3).meta(described) }).meta(described);
    const schema = toJsonSchema(z.object({ inner: inner.prefault({}) }));
    expect(schema.properties?.['inner']?.default).toEqual({ a: 3 });
  });

  test.each(KINDS)('$kind is structural', (definition) => {
    expect(() => objectSchema(definition)).not.toThrow();
    expect(crd(definition)).toMatchObject({
      spec: {
        scope: definition.scope,
        names: { shortNames: [definition.shortName], categories: ['aegis'] },
        versions: [{ subresources: { status: {} } }],
      },
    });
  });
});
