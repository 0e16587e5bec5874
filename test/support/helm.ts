import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { BinaryUnavailable, ensureHelm } from '../../tools/rig/binaries.ts';

const run = promisify(execFile);

export const CHART = join(import.meta.dirname, '../../charts/aegis');

/** A rendered object. */
export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
  readonly [field: string]: unknown;
}

export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** Helm's path, or undefined where it can neither be found nor built; the caller says so and skips. */
export async function helmPath(): Promise<string | undefined> {
  try {
    return await ensureHelm((line) => void process.stderr.write(`${line}\n`));
  } catch (error) {
    if (!(error instanceof BinaryUnavailable) || process.env['CI'] === 'true') throw error;
    process.stderr.write(`\n!!! CHART TESTS ARE SKIPPED: ${error.message}\n\n`);
    return undefined;
  }
}

/** Runs helm; rejects with its standard error. */
export async function helm(path: string, args: readonly string[], kubeconfig?: string): Promise<string> {
  if (!existsSync(CHART)) throw new Error(`no chart in ${CHART}`);
  const env = { ...process.env, KUBECONFIG: kubeconfig ?? '/dev/null' };
  const { stdout } = await run(path, [...args], { env, maxBuffer: 64 << 20, timeout: 120_000 });
  return stdout;
}

/** The one value that has no default. */
export const PROMETHEUS = 'prometheus.url=http://prometheus.monitoring:9090';

/** The objects of a rendering with these values, as `--set` takes them. */
export async function render(
  path: string,
  values: readonly string[] = [],
  namespace = 'aegis-system',
): Promise<Rendered[]> {
  const sets = [PROMETHEUS, ...values].flatMap((value) => ['--set', value]);
  const out = await helm(path, ['template', 'aegis', CHART, '--namespace', namespace, ...sets]);
  return parseAllDocuments(out)
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null);
}

/** All rules that the rendered roles grant to Aegis itself, not to people. */
export function ownRules(objects: readonly Rendered[]): PolicyRule[] {
  const bound = new Set(
    objects
      .filter(({ kind }) => kind === 'RoleBinding' || kind === 'ClusterRoleBinding')
      .map((binding) => (binding['roleRef'] as { name: string }).name),
  );
  return objects
    .filter(({ kind, metadata }) => (kind === 'Role' || kind === 'ClusterRole') && bound.has(metadata.name))
    .flatMap((role) => role['rules'] as PolicyRule[]);
}

/** `verb group/resource` for each single right. */
export function rightsOf(rules: readonly PolicyRule[]): string[] {
  const rights = rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`))),
  );
  return [...new Set(rights)].toSorted();
}
