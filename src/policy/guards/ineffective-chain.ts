import { DAY } from '../../lib/duration.ts';
import type { Guard } from '../guard.ts';
import { hold, withLedger } from '../hold.ts';
import { effectsOn, endAtMs, wasInEffectAndDidNotHelp } from '../track-record.ts';

/** Effects that did not help, on one workload within a day, after which only people act. */
const MAX_INEFFECTIVE = 3;

/** Three effects in 24 h that did not help: what Aegis can do is not what is needed. */
export const ineffectiveChain: Guard = {
  name: 'ineffectiveChain',
  check: (input) =>
    withLedger(input, (ledger) => {
      const { nowMs, workload } = input;
      const failed = effectsOn(ledger, workload, nowMs).filter(
        (record) => wasInEffectAndDidNotHelp(record) && nowMs - endAtMs(record, nowMs) < DAY,
      );
      return failed.length < MAX_INEFFECTIVE
        ? undefined
        : hold('IneffectiveChain', `${failed.length} effects on ${workload.ref.name} in 24 h did not help`);
    }),
};
