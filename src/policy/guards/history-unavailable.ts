import type { Guard } from '../guard.ts';
import { withLedger } from '../hold.ts';

/** Without the store neither the past effects are known nor could the next be recorded. */
export const historyUnavailable: Guard = {
  name: 'historyUnavailable',
  check: (input) => withLedger(input, () => undefined),
};
