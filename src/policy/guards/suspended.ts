import { effectiveGuardrail } from '../effective-guardrail.ts';
import type { Guard } from '../guard.ts';
import { hold } from '../hold.ts';

/** The administrator's kill switch. Guardrails that cannot be read may have it on. */
export const suspended: Guard = {
  name: 'suspended',
  check: ({ guardrails }) => {
    if (guardrails === undefined) return hold('GuardrailUnknown', 'the guardrails cannot be read');
    const { suspendedBy } = effectiveGuardrail(guardrails);
    return suspendedBy.length === 0 ? undefined : hold('Suspended', `suspended by guardrail ${suspendedBy.join(', ')}`);
  },
};
