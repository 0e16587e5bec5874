import { effectiveGuardrail } from '../effective-guardrail.ts';
import type { Guard } from '../guard.ts';
import { hold } from '../hold.ts';
import { closedBy } from '../windows.ts';

/** The policy's windows and those of each guardrail must all be open. */
export const outsideWindow: Guard = {
  name: 'outsideWindow',
  check: ({ policy, guardrails, nowMs }) => {
    if (guardrails === undefined) return hold('GuardrailUnknown', 'the guardrails cannot be read');
    for (const windows of [policy.windows, ...effectiveGuardrail(guardrails).windows]) {
      const closed = closedBy(windows, nowMs);
      if (closed !== undefined) return hold('OutsideWindow', closed.message, closed.opensAtMs);
    }
    return undefined;
  },
};
