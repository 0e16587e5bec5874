import { isEffect } from '../action.ts';
import { effectiveGuardrail } from '../effective-guardrail.ts';
import type { Guard } from '../guard.ts';
import { hold } from '../hold.ts';

/** Both the guardrails and the rights that this installation was given must allow the action. */
export const actionNotAllowed: Guard = {
  name: 'actionNotAllowed',
  check: ({ proposal, guardrails, enabledEffects }) => {
    const { action } = proposal;
    if (guardrails === undefined) return hold('GuardrailUnknown', 'the guardrails cannot be read');
    const against = guardrails.filter(({ allowedActions }) => !allowedActions.includes(action));
    if (!effectiveGuardrail(guardrails).allowedActions.includes(action)) {
      return hold(
        'ActionNotAllowed',
        `guardrail ${against.map(({ name }) => name).join(', ')} does not allow ${action}`,
      );
    }
    return isEffect(action) && !enabledEffects.has(action)
      ? hold('ActionNotAllowed', `this installation was given no right to ${action}`)
      : undefined;
  },
};
