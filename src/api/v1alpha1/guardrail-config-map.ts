import type { Parsed, Problem } from '../../lib/parsed.ts';
import type { Guardrail } from '../../policy/healing-policy.ts';
import { parseGuardrail } from './convert-guardrail.ts';
import { envelope } from './envelope.ts';
import { GuardrailSpec } from './guardrail.ts';

/** It bounds all namespaces that are watched: there are no labels to select them by. */
const FIELDS = Object.keys(GuardrailSpec.shape).filter((field) => field !== 'namespaceSelector');

/**
 * The guardrail of an installation without rights in the whole cluster: each key of the ConfigMap is a field of the spec
 * of an AegisGuardrail, its value JSON or plain text (`suspended: "true"`, `maxMode: Approve`). A key that is none is a
 * mistake that must not pass: `suspend: "true"` was meant to stop something.
 */
export function parseGuardrailConfigMap(object: unknown): Parsed<Guardrail> {
  const { name, namespace, uid, generation } = envelope(object);
  const data = (object as { readonly data?: unknown } | null)?.data;
  const entries = Object.entries(typeof data === 'object' && data !== null ? data : {});
  const unknown = entries.flatMap(([key]): Problem[] =>
    FIELDS.includes(key)
      ? []
      : [{ path: `data.${key}`, reason: 'SpecInvalid', message: `is none of ${FIELDS.join(', ')}` }],
  );
  const spec = Object.fromEntries(entries.map(([key, text]) => [key, valueOf(text)]));
  const parsed = parseGuardrail({ metadata: { name: `ConfigMap ${namespace}/${name}`, uid, generation }, spec });
  const problems = parsed.kind === 'invalid' ? parsed.problems : [];
  if (unknown.length === 0 && problems.length === 0) return parsed;
  const path = (each: Problem): Problem => ({ ...each, path: each.path.replace(/^spec/, 'data') });
  return {
    ...{ kind: 'invalid', name: `ConfigMap ${namespace}/${name}`, namespace, uid, generation },
    problems: [...unknown, ...problems.map(path)],
  };
}

function valueOf(text: unknown): unknown {
  if (typeof text !== 'string') return text;
  try {
    return JSON.parse(text);
  } catch {
    return text.trim();
  }
}
