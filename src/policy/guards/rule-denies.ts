import { effectiveGuardrail } from '../effective-guardrail.ts';
import type { Guard, GuardInput } from '../guard.ts';
import { hold } from '../hold.ts';
import type { Rule } from '../healing-policy.ts';
import { ruleContext } from '../rule-context.ts';
import { rulesThatApply } from '../rules.ts';
import type { RuleHit } from '../rules.ts';

const rulesOf = ({ policy, guardrails }: GuardInput): readonly Rule[] => [
  ...effectiveGuardrail(guardrails ?? []).rules,
  ...policy.rules,
];

/** Rules of guardrails and policy that ask for a person; one that cannot be judged asks too. */
export function approvalRules(input: GuardInput): RuleHit[] {
  return rulesThatApply(rulesOf(input), 'RequireApproval', ruleContext(input));
}

/** A CEL rule of a guardrail or of the policy that denies; one that cannot be judged denies too. */
export const ruleDenies: Guard = {
  name: 'ruleDenies',
  check: (input) => {
    if (input.guardrails === undefined) return hold('GuardrailUnknown', 'the guardrails cannot be read');
    const [hit] = rulesThatApply(rulesOf(input), 'Deny', ruleContext(input));
    return hit === undefined
      ? undefined
      : hold('DeniedByPolicy', `Denied by policy: ${hit.rule.name} (${hit.because})`);
  },
};
