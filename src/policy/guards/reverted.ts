import { DAY } from '../../lib/duration.ts';
import type { Guard } from '../guard.ts';
import { hold, withLedger } from '../hold.ts';
import { effectsOn, endAtMs } from '../track-record.ts';

/** Changes to one workload within a day that somebody else undid, after which only people act. */
const MAX_REVERSALS = 2;

/** Undone by somebody else twice: whoever does that does not want it, and would do it again (I17). */
export const reverted: Guard = {
  name: 'reverted',
  check: (input) =>
    withLedger(input, (ledger) => {
      const { nowMs, workload } = input;
      const undone = effectsOn(ledger, workload, nowMs).filter(
        (record) => record.reason === 'Reverted' && nowMs - endAtMs(record, nowMs) < DAY,
      );
      return undone.length < MAX_REVERSALS
        ? undefined
        : hold('Reverted', `somebody undid ${undone.length} changes to ${workload.ref.name} in 24 h`);
    }),
};
