import { effectiveGuardrail } from '../effective-guardrail.ts';
import type { Guard } from '../guard.ts';
import { hold } from '../hold.ts';

/**
 * The external engine's answer. Where one is configured and was not asked yet it holds like one that did not answer:
 * the shell asks when this is the only guard left.
 */
export const policyEngine: Guard = {
  name: 'policyEngine',
  check: ({ guardrails, engineAnswer, policyEngineConfigured }) => {
    if (guardrails === undefined) return hold('GuardrailUnknown', 'the guardrails cannot be read');
    if (engineAnswer === undefined) {
      const configured = policyEngineConfigured === true || effectiveGuardrail(guardrails).policyEngines.length > 0;
      return configured ? hold('PolicyEngineUnavailable', 'the policy engine was not asked yet') : undefined;
    }
    switch (engineAnswer.kind) {
      case 'allowed':
        return undefined;
      case 'denied':
        return hold('DeniedByPolicy', engineAnswer.reason);
      case 'unavailable':
        return engineAnswer.failurePolicy === 'Allow'
          ? undefined
          : hold('PolicyEngineUnavailable', `the policy engine did not answer: ${engineAnswer.message}`);
    }
  },
};
