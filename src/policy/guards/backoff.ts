import { inWords, MINUTE } from '../../lib/duration.ts';
import type { Guard } from '../guard.ts';
import { counted, hold, withLedger } from '../hold.ts';
import { effectsOn, endAtMs, failuresInARow } from '../track-record.ts';

/** Waits after 1, 2, 3, 4 and more effects in a row that did not help. */
const WAITS_MS = [1, 2, 4, 8, 10].map((minutes) => minutes * MINUTE);

/** The wait after so many failures in a row; 0 for none. */
function backoffMs(failures: number): number {
  return failures <= 0 ? 0 : (WAITS_MS[Math.min(failures, WAITS_MS.length) - 1] ?? 0);
}

/** An effect that did not help is followed by a longer wait each time, counted from its end. */
export const backoff: Guard = {
  name: 'backoff',
  check: (input) =>
    withLedger(input, (ledger) => {
      const { nowMs, workload, selfName } = input;
      const effects = effectsOn(ledger, workload, nowMs).filter(({ name }) => name !== selfName);
      const failures = failuresInARow(effects);
      if (failures === 0) return undefined;
      const lastEndMs = Math.max(...effects.map((record) => endAtMs(record, nowMs)));
      const waitMs = backoffMs(failures);
      return nowMs - lastEndMs >= waitMs
        ? undefined
        : hold(
            'Backoff',
            `${counted(failures, 'effect')} in a row did not help; ${inWords(nowMs - lastEndMs)} of ${inWords(waitMs)} have passed`,
            lastEndMs + waitMs,
          );
    }),
};
