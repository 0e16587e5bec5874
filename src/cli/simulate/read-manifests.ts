import { parseAllDocuments } from 'yaml';
import { parseGuardrail } from '../../api/v1alpha1/convert-guardrail.ts';
import { parsePolicy } from '../../api/v1alpha1/convert-policy.ts';
import { envelope } from '../../api/v1alpha1/envelope.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import type { Guardrail, HealingPolicy } from '../../policy/healing-policy.ts';
import type { FileProblem } from './problems.ts';

export interface Manifests {
  readonly policies: readonly HealingPolicy[];
  readonly guardrails: readonly Guardrail[];
}

/**
 * The policies and guardrails of a file, as `kubectl apply -f` would take it: several documents, or a List. Everything that is
 * wrong with all of them at once. Other kinds are passed over.
 */
export function readManifests(
  file: string,
  content: string,
  defaultNamespace: string,
): Result<Manifests, readonly FileProblem[]> {
  const problems: FileProblem[] = [];
  const policies: HealingPolicy[] = [];
  const guardrails: Guardrail[] = [];
  const documents = parseAllDocuments(content, { strict: true });
  for (const document of documents) {
    for (const { message, linePos } of document.errors) {
      problems.push({
        where: `${file}:${linePos?.[0].line ?? 1}`,
        message: `is no YAML: ${message.split('\n')[0] ?? ''}`,
      });
    }
  }
  if (problems.length > 0) return err(problems);
  for (const object of documents.flatMap((document) => items(document.toJS()))) {
    const kind = kindOf(object);
    if (kind !== 'AegisHealingPolicy' && kind !== 'AegisGuardrail') continue;
    const parsed =
      kind === 'AegisHealingPolicy' ? parsePolicy(named(object, defaultNamespace)) : parseGuardrail(named(object, ''));
    if (parsed.kind === 'invalid') {
      problems.push(
        ...parsed.problems.map(({ path, message }) => ({ where: `${file}: ${kind} ${parsed.name}: ${path}`, message })),
      );
    } else if ('target' in parsed.value) policies.push(parsed.value);
    else guardrails.push(parsed.value);
  }
  if (problems.length === 0 && policies.length === 0) {
    problems.push({ where: file, message: 'holds no AegisHealingPolicy; kind and apiVersion say what a document is' });
  }
  return problems.length > 0 ? err(problems) : ok({ policies, guardrails });
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const kindOf = (object: unknown): unknown => (isRecord(object) ? object['kind'] : undefined);

function items(document: unknown): readonly unknown[] {
  if (!isRecord(document)) return [];
  return kindOf(document) === 'List' && Array.isArray(document['items'])
    ? (document['items'] as unknown[])
    : [document];
}

/** What the API server would add to an object that was not sent to it yet. */
function named(object: unknown, defaultNamespace: string): unknown {
  if (!isRecord(object)) return object;
  const { name, namespace, uid } = envelope(object);
  const within = namespace === '' ? defaultNamespace : namespace;
  const metadata = {
    ...(isRecord(object['metadata']) ? object['metadata'] : {}),
    ...{ namespace: within, uid: uid === '' ? `${within}/${name}` : uid },
  };
  return { ...object, metadata };
}
