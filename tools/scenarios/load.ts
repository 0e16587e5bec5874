import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { parseGuardrail } from '../../src/api/v1alpha1/convert-guardrail.ts';
import { parsePolicy } from '../../src/api/v1alpha1/convert-policy.ts';
import { GuardrailSpec } from '../../src/api/v1alpha1/guardrail.ts';
import { HealingPolicySpec } from '../../src/api/v1alpha1/healing-policy.ts';
import { list, record, text } from '../../src/kubernetes/json.ts';
import { err, ok, type Result } from '../../src/lib/result.ts';
import type { Guardrail, HealingPolicy } from '../../src/policy/healing-policy.ts';
import { withCopies } from './copies.ts';
import { meaningProblems } from './meaning.ts';
import { partOf } from './partial.ts';
import { pathOf, placedIn, schemaProblems, unknownFields, type Path, type ScenarioProblem } from './problems.ts';
import { scenarioSchema, type Scenario } from './schema.ts';

/** A scenario, checked: its manifests as the operator would read them. */
export interface LoadedScenario {
  readonly file: string;
  readonly scenario: Scenario;
  readonly policies: readonly HealingPolicy[];
  readonly guardrails: readonly Guardrail[];
}

/** Every `.yaml` file below a folder, or the one file; in order of their names. */
export function scenarioFiles(path: string): readonly string[] {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.ya?ml$/.test(name))
    .sort()
    .map((name) => join(path, name));
}

/** Reads one file. Everything that is wrong with it at once, each with its line, its place and what it should be. */
export function loadScenario(file: string): Result<LoadedScenario, readonly string[]> {
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(file, 'utf8'), { strict: true, lineCounter: lines });
  const [broken] = document.errors;
  if (broken !== undefined) return err([notYaml(broken, document.errors.length)]);
  const raw: unknown = document.toJS();
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return err(['is no scenario: it must be a map with name, group, lastsSeconds, cluster and policies']);
  }
  const given = withNamespaces(raw as Readonly<Record<string, unknown>>);
  const parsed = scenarioSchema.safeParse(given);
  const policies = list(given['policies']).map((manifest) => parsePolicy(placed(manifest)));
  const made = list(given['events']).flatMap((each, i) => {
    const event = record(each);
    return event['do'] === 'add-policy' ? [{ manifest: event['policy'], where: ['events', i, 'policy'] }] : [];
  });
  const guardrails = list(given['guardrails']).map((manifest) => parseGuardrail(placed(manifest)));
  const problems = [
    ...(parsed.success ? [] : schemaProblems(parsed.error.issues, given)),
    ...meaningProblems(parsed.success ? parsed.data : partOf(given)),
    ...list(given['policies']).flatMap((manifest, i) => specProblems(HealingPolicySpec, manifest, ['policies', i])),
    ...made.flatMap(({ manifest, where }) => {
      const policy = parsePolicy(placed(manifest));
      const invalid = policy.kind === 'invalid' ? inside(where, policy.problems) : [];
      return [...specProblems(HealingPolicySpec, manifest, where), ...invalid];
    }),
    ...list(given['guardrails']).flatMap((manifest, i) => specProblems(GuardrailSpec, manifest, ['guardrails', i])),
    ...policies.flatMap((each, i) => (each.kind === 'invalid' ? inside(['policies', i], each.problems) : [])),
    ...guardrails.flatMap((each, i) => (each.kind === 'invalid' ? inside(['guardrails', i], each.problems) : [])),
  ];
  if (problems.length > 0 || !parsed.success) return err(problems.map(placedIn(document, lines)));
  return ok({
    file,
    scenario: withCopies(parsed.data),
    policies: policies.flatMap((each) => (each.kind === 'valid' ? [each.value] : [])),
    guardrails: guardrails.flatMap((each) => (each.kind === 'valid' ? [each.value] : [])),
  });
}

/** What follows a first break of YAML is seldom another one. */
function notYaml(
  {
    message,
    linePos,
  }: { readonly message: string; readonly linePos?: readonly { readonly line: number }[] | undefined },
  count: number,
): string {
  const line = linePos?.[0]?.line ?? 1;
  if (message.includes('multiple documents'))
    return `line ${line}: a second document begins: one file holds one scenario`;
  const said = message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? '';
  const more = count === 1 ? '' : ` (${count - 1} more may follow from it)`;
  return `line ${line}: is no YAML: ${said}${more}`;
}

/** Where an event says no namespace, that of the workload or policy which it names is meant. */
function withNamespaces(raw: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const workloads = list(record(raw['cluster'])['workloads']).map(record);
  const added = list(raw['events']).map((event) => record(record(event)['workload']));
  const made = list(raw['events']).map((event) => record(event)['policy']);
  const policies = [...list(raw['policies']), ...made].map((policy) => record(record(policy)['metadata']));
  const events = list(raw['events']).map((each) => {
    const event = record(each);
    const ofPolicy = event['do'] === 'policy' || event['do'] === 'delete-policy';
    const owners = ofPolicy ? policies : [...workloads, ...added];
    const name = ofPolicy ? event['name'] : event['workload'];
    const namespaces = new Set(
      owners.filter((owner) => owner['name'] === name).map((owner) => owner['namespace'] ?? 'shop'),
    );
    const [namespace] = namespaces;
    const isClear = typeof name === 'string' && namespaces.size === 1 && event['namespace'] === undefined;
    return isClear && typeof each === 'object' ? { ...event, namespace } : each;
  });
  return raw['events'] === undefined || !Array.isArray(raw['events']) ? raw : { ...raw, events };
}

type Problems = readonly { readonly path: string; readonly message: string }[];

export const said = (problems: Problems): string =>
  problems.map(({ path, message }) => `${path}: ${message}`).join('; ');

const inside = (where: Path, problems: Problems): readonly ScenarioProblem[] =>
  problems.map(({ path, message }) => ({ path: [...where, ...pathOf(path)], message }));

/** As `kubectl apply` does, which refuses fields that the API server would drop. */
const specProblems = (
  schema: Parameters<typeof unknownFields>[0],
  manifest: unknown,
  where: Path,
): readonly ScenarioProblem[] => unknownFields(schema, record(manifest)['spec'], [...where, 'spec']);

/** What the API server would add. */
export function placed(manifest: unknown): unknown {
  const metadata = record(record(manifest)['metadata']);
  const namespace = text(metadata['namespace']) || 'shop';
  const name = text(metadata['name']);
  return { ...record(manifest), metadata: { generation: 1, uid: `uid-${namespace}-${name}`, ...metadata, namespace } };
}
