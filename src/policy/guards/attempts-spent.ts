import type { Guard } from '../guard.ts';
import { hold, withLedger } from '../hold.ts';
import { sentEffects } from '../track-record.ts';

/** All rungs together. A refusal by a PodDisruptionBudget is none: its row is not `spent`. */
const MAX_ATTEMPTS = 5;

/** At most five effects an incident, whatever they brought. */
export const attemptsSpent: Guard = {
  name: 'attemptsSpent',
  check: (input) =>
    withLedger(input, (ledger) => {
      const { incident, selfName } = input;
      const spent = sentEffects(ledger).filter((r) => r.incidentId === incident.id && r.name !== selfName).length;
      return spent < MAX_ATTEMPTS
        ? undefined
        : hold('AttemptsSpent', `${spent} attempts in this incident, at most ${MAX_ATTEMPTS}`);
    }),
};
