import { effectiveGuardrail } from '../effective-guardrail.ts';
import type { Guard } from '../guard.ts';
import { hold } from '../hold.ts';

/** Named alerts during which nothing is done. If they cannot be read, one may be firing. */
export const alertFiring: Guard = {
  name: 'alertFiring',
  check: ({ policy, guardrails, firingAlerts }) => {
    if (guardrails === undefined) return hold('GuardrailUnknown', 'the guardrails cannot be read');
    const names = [...policy.holdWhileAlertsFiring, ...effectiveGuardrail(guardrails).holdWhileAlertsFiring];
    if (names.length === 0) return undefined;
    if (firingAlerts === undefined) return hold('AlertFiring', `whether ${names.join(', ')} is firing cannot be read`);
    const firing = names.filter((name) => firingAlerts.includes(name));
    return firing.length === 0 ? undefined : hold('AlertFiring', `${firing.join(', ')} is firing`);
  },
};
