import { stringify } from 'yaml';
import { KINDS, type KindDefinition } from '../../src/api/v1alpha1/kinds.ts';
import { GROUP, VERSION } from '../../src/api/v1alpha1/labels.ts';
import type { Generator } from './generator.ts';
import { toJsonSchema, type JsonSchema } from './json-schema.ts';
import { structuralProblems } from './structural.ts';

const HEADER = '# Generated from src/api/v1alpha1 by `npm run generate`. Do not edit.\n';

/** The schema of a whole object; throws with every problem that the API server would refuse. */
export function objectSchema(definition: KindDefinition): JsonSchema {
  const spec = toJsonSchema(definition.spec);
  const status = toJsonSchema(definition.status);
  const problems = [...structuralProblems(spec, 'spec'), ...structuralProblems(status, 'status')];
  if (problems.length > 0) throw new Error(`${definition.kind} is not structural:\n  ${problems.join('\n  ')}`);
  return {
    description: definition.description,
    type: 'object',
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec,
      status,
    },
    required: ['spec'],
  };
}

/** The CustomResourceDefinition as an object. */
export function crd(definition: KindDefinition): Record<string, unknown> {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${definition.plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: definition.scope,
      names: {
        kind: definition.kind,
        listKind: `${definition.kind}List`,
        plural: definition.plural,
        singular: definition.singular,
        shortNames: [definition.shortName],
        categories: ['aegis'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: definition.columns,
          schema: { openAPIV3Schema: objectSchema(definition) },
        },
      ],
    },
  };
}

const yaml = (value: unknown): string =>
  stringify(value, { lineWidth: 120, aliasDuplicateObjects: false, version: '1.1' });

/**
 * The chart's copy is a template: Helm installs what lies in `crds/` once and never upgrades it. `keep` leaves the
 * kinds, and with them every policy and every record, in the cluster when the release is uninstalled.
 */
function template(definition: KindDefinition): string {
  const { metadata, ...rest } = crd(definition) as { metadata: object };
  const marked = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { ...metadata, annotations: { 'helm.sh/resource-policy': 'keep' } },
    ...rest,
  };
  const escaped = yaml(marked).replaceAll('{{', '{{ "{{" }}');
  return `${HEADER}{{- if .Values.crds.install }}\n${escaped}{{- end }}\n`;
}

export const crdGenerator: Generator = {
  name: 'custom resource definitions',
  owns: [
    { folder: 'crds', files: /\.yaml$/ },
    { folder: 'charts/aegis/templates/crds', files: /\.yaml$/ },
  ],
  generate: () =>
    Promise.resolve(
      new Map(
        KINDS.flatMap((definition) => [
          [`crds/${GROUP}_${definition.plural}.yaml`, HEADER + yaml(crd(definition))] as const,
          [`charts/aegis/templates/crds/${definition.plural}.yaml`, template(definition)] as const,
        ]),
      ),
    ),
};
