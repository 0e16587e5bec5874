import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { parseGuardrail } from '../../src/api/v1alpha1/convert-guardrail.ts';
import { parsePolicy } from '../../src/api/v1alpha1/convert-policy.ts';
import { err, ok, type Result } from '../../src/lib/result.ts';
import { messageOf } from '../../src/lib/thrown.ts';
import type { Guardrail, HealingPolicy } from '../../src/policy/healing-policy.ts';
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

/** Reads one file. Everything that is wrong with it at once, each line with its place. */
export function loadScenario(file: string): Result<LoadedScenario, readonly string[]> {
  const document = parseDocument(readFileSync(file, 'utf8'), { strict: true });
  if (document.errors.length > 0) {
    return err(
      document.errors.map(
        ({ message, linePos }) => `line ${linePos?.[0].line ?? 1}: is no YAML: ${message.split('\n')[0]}`,
      ),
    );
  }
  const parsed = scenarioSchema.safeParse(document.toJS());
  if (!parsed.success) return err(parsed.error.issues.map(({ path, message }) => `${dotted(path)}: ${message}`));
  const scenario = parsed.data;
  const policies = scenario.policies.map((manifest, i) => ({ i, parsed: parsePolicy(placed(manifest)) }));
  const guardrails = scenario.guardrails.map((manifest, i) => ({ i, parsed: parseGuardrail(placed(manifest)) }));
  const problems = [
    ...policies.flatMap(({ i, parsed: p }) => (p.kind === 'invalid' ? inside(`policies[${i}]`, p.problems) : [])),
    ...guardrails.flatMap(({ i, parsed: g }) => (g.kind === 'invalid' ? inside(`guardrails[${i}]`, g.problems) : [])),
    ...unknownNames(scenario),
  ];
  if (problems.length > 0) return err(problems);
  return ok({
    file,
    scenario,
    policies: policies.flatMap(({ parsed: p }) => (p.kind === 'valid' ? [p.value] : [])),
    guardrails: guardrails.flatMap(({ parsed: g }) => (g.kind === 'valid' ? [g.value] : [])),
  });
}

/** The same scenario read again, after an event merged something into a manifest. */
export function rereadPolicy(manifest: Scenario['policies'][number], spec: unknown): HealingPolicy {
  const parsed = parsePolicy({ ...(placed(manifest) as object), spec });
  if (parsed.kind === 'invalid') throw new Error(messageOf({ message: JSON.stringify(parsed.problems) }));
  return parsed.value;
}

const inside = (
  where: string,
  problems: readonly { readonly path: string; readonly message: string }[],
): readonly string[] => problems.map(({ path, message }) => `${where}.${path}: ${message}`);

/** What the API server would add. */
export function placed(manifest: Scenario['policies'][number]): unknown {
  const { metadata } = manifest;
  const namespace = typeof metadata['namespace'] === 'string' ? metadata['namespace'] : 'shop';
  return { ...manifest, metadata: { generation: 1, uid: `uid-${namespace}-${metadata.name}`, ...metadata, namespace } };
}

/** A misspelt workload or policy would make a scenario that tests nothing. */
function unknownNames({ cluster, events, policies, expect }: Scenario): readonly string[] {
  const added = events.flatMap((event) => (event.do === 'add-workload' ? [event.workload.name] : []));
  const workloads = new Set([...cluster.workloads.map((workload) => workload.name), ...added]);
  const named = new Set(policies.map(({ metadata }) => metadata.name));
  const know = (known: ReadonlySet<string>, where: string, name: string): readonly string[] =>
    known.has(name) ? [] : [`${where}: ${JSON.stringify(name)} is none; there are ${[...known].join(', ')}`];
  return [
    ...events.flatMap((event, i) =>
      'workload' in event && typeof event.workload === 'string'
        ? know(workloads, `events[${i}].workload`, event.workload)
        : event.do === 'policy'
          ? know(named, `events[${i}].name`, event.name)
          : [],
    ),
    ...Object.keys(expect.replicas).flatMap((name) => know(workloads, 'expect.replicas', name)),
    ...Object.keys(expect.ready).flatMap((name) => know(workloads, 'expect.ready', name)),
    ...Object.keys(expect.conditions).flatMap((name) => know(named, 'expect.conditions', name)),
  ];
}

function dotted(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (so, part) => (typeof part === 'number' ? `${so}[${part}]` : so === '' ? String(part) : `${so}.${String(part)}`),
    '',
  );
}
