import { KINDS, type KindDefinition } from '../../src/api/v1alpha1/kinds.ts';
import { API_VERSION } from '../../src/api/v1alpha1/labels.ts';
import { objectSchema } from './crds.ts';
import type { Generator } from './generator.ts';
import type { JsonSchema } from './json-schema.ts';

interface FieldRow {
  readonly path: string;
  readonly schema: JsonSchema;
  readonly required: boolean;
}

/** Every field below a schema, depth first, in the order of the source. */
function rows(schema: JsonSchema, path: string): FieldRow[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const childPath = `${path}.${name}`;
    const row = { path: suffixed(child, childPath), schema: child, required: (schema.required ?? []).includes(name) };
    return [row, ...rows(child.items?.items ?? child.items ?? child, suffixed(child, childPath))];
  });
}

const suffixed = (schema: JsonSchema, path: string): string =>
  schema.type === 'array' ? `${path}[]${schema.items?.type === 'array' ? '[]' : ''}` : path;

function range(schema: JsonSchema): string {
  const number = (keyword: string): string | undefined =>
    typeof schema[keyword] === 'number' ? schema[keyword].toLocaleString('en').replaceAll(',', ' ') : undefined;
  const [low, high] = [number('minimum'), number('maximum')];
  if (low !== undefined && high !== undefined && schema['x-kubernetes-int-or-string'] !== true)
    return `${low} to ${high}`;
  const length = number('maxLength');
  const items = number('maxItems');
  if (items !== undefined) return `at most ${items}`;
  return length === undefined ? '' : `at most ${length} characters`;
}

function typeOf(schema: JsonSchema): string {
  if (schema['x-kubernetes-int-or-string'] === true) return 'integer or string';
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}`;
  if (schema.additionalProperties !== undefined) return 'map of strings';
  return schema['format'] === 'date-time' ? 'time' : (schema.type ?? '');
}

function defaultOf({ schema, required }: FieldRow): string {
  if (required) return 'required';
  const { default: value } = schema;
  if (value === undefined || (typeof value === 'object' && !Array.isArray(value))) return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function table(schema: JsonSchema, path: string): string {
  const lines = rows(schema, path).map((row) => {
    const { description = '' } = row.schema;
    const cells = [`\`${row.path}\``, typeOf(row.schema), defaultOf(row), range(row.schema), description];
    return `| ${cells.map(cell).join(' | ')} |`;
  });
  return ['| Field | Type | Default | Bounds | Meaning |', '|---|---|---|---|---|', ...lines].join('\n');
}

/** Sentences of the rules that cross fields, each with the place that it guards. */
function ruleLines(schema: JsonSchema, path: string): string[] {
  const own = (schema['x-kubernetes-validations'] ?? []) as { message: string }[];
  const below = [
    ...Object.entries(schema.properties ?? {}).flatMap(([name, child]) => ruleLines(child, `${path}.${name}`)),
    ...(schema.items === undefined ? [] : ruleLines(schema.items, `${path}[]`)),
  ];
  return [...own.map(({ message }) => `- \`${path}\`: ${message}.`), ...below];
}

function page(definition: KindDefinition): string {
  const schema = objectSchema(definition);
  const spec = schema.properties?.['spec'] ?? {};
  const status = schema.properties?.['status'] ?? {};
  const rules = ruleLines(spec, 'spec');
  return [
    '<!-- Generated from src/api/v1alpha1 by `npm run generate`. Do not edit. -->',
    `# ${definition.kind}`,
    definition.description,
    `\`${API_VERSION}\`, ${definition.scope.toLowerCase()}. \`kubectl get ${definition.shortName}\`.`,
    '## Spec',
    spec.description ?? '',
    table(spec, 'spec'),
    ...(rules.length > 0 ? ['### Rules that cross fields', rules.join('\n')] : []),
    '## Status',
    status.description ?? '',
    table(status, 'status'),
    '',
  ].join('\n\n');
}

export const referenceGenerator: Generator = {
  name: 'reference pages of the custom resources',
  owns: [{ folder: 'docs/reference', files: /^aegis.*\.md$/ }],
  generate: () =>
    Promise.resolve(new Map(KINDS.map((definition) => [`docs/reference/${definition.singular}.md`, page(definition)]))),
};
