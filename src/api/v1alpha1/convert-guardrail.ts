import type { Parsed } from '../../lib/parsed.ts';
import type { Guardrail } from '../../policy/healing-policy.ts';
import { domainRules, ruleFaults, windowProblems } from './convert-brakes.ts';
import { labelSelector } from './convert-selector.ts';
import { envelope, problemsOf } from './envelope.ts';
import { GuardrailSpec } from './guardrail.ts';

/** An AegisGuardrail as the domain sees it, or everything that is wrong with it; one that is wrong holds. */
export function parseGuardrail(object: unknown): Parsed<Guardrail> {
  const { name, namespace, uid, generation, spec } = envelope(object);
  const parsed = GuardrailSpec.safeParse(spec);
  const problems = parsed.success
    ? [...windowProblems(parsed.data.windows), ...ruleFaults(parsed.data.rules)]
    : problemsOf(parsed.error, 'spec');
  if (!parsed.success || problems.length > 0) return { kind: 'invalid', name, namespace, uid, generation, problems };
  const { namespaceSelector, rules, policyEngine, ...rest } = parsed.data;
  return {
    kind: 'valid',
    value: {
      ...rest,
      name,
      uid,
      generation,
      namespaceSelector: labelSelector(namespaceSelector),
      rules: domainRules(rules),
      ...(policyEngine !== undefined && { policyEngine }),
    },
  };
}
