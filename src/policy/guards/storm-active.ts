import { inWords } from '../../lib/duration.ts';
import type { Guard } from '../guard.ts';
import { hold } from '../hold.ts';

/** Many workloads at once share a cause; healing each would make it worse. */
export const stormActive: Guard = {
  name: 'stormActive',
  check: ({ storm, nowMs }) => {
    const cooling = storm.endsAtMs !== undefined && storm.endsAtMs > nowMs;
    if (!storm.active && !cooling) return undefined;
    const share = `${storm.anomalous} of ${storm.watched} workloads (${storm.scope}) turned anomalous together`;
    return storm.endsAtMs === undefined
      ? hold('StormActive', share)
      : hold('StormActive', `${share}; the brake ends in ${inWords(storm.endsAtMs - nowMs)}`, storm.endsAtMs);
  },
};
