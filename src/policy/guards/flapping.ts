import { HOUR } from '../../lib/duration.ts';
import type { Guard } from '../guard.ts';
import { hold, withLedger } from '../hold.ts';
import { effectsOn, returnsWithin } from '../track-record.ts';

/** Returns of a healed failure within the hour after which only people act. */
const MAX_RETURNS = 3;

/** Healed and back three times within an hour: the cure does not last. */
export const flapping: Guard = {
  name: 'flapping',
  check: (input) =>
    withLedger(input, (ledger) => {
      const { nowMs, workload, incident } = input;
      const returns = returnsWithin(effectsOn(ledger, workload, nowMs), incident.id, nowMs - HOUR).length;
      return returns < MAX_RETURNS
        ? undefined
        : hold('Flapping', `the failure of ${workload.ref.name} returned ${returns} times within an hour`);
    }),
};
