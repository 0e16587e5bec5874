import { inWords } from '../../lib/duration.ts';
import type { Guard } from '../guard.ts';
import { hold } from '../hold.ts';
import { namesOf } from '../storm.ts';

/** This sentence stands in the status of every incident of the storm. */
const MOST_NAMES = 5;

/** Many workloads at once share a cause; healing each would make it worse. */
export const stormActive: Guard = {
  name: 'stormActive',
  check: ({ storm, nowMs }) => {
    const cooling = storm.endsAtMs !== undefined && storm.endsAtMs > nowMs;
    if (!storm.active && !cooling) return undefined;
    const names = namesOf(storm.workloads ?? [], { most: MOST_NAMES, of: storm.anomalous });
    const which = names === '' ? '' : `: ${names}`;
    const share = `${storm.anomalous} of ${storm.watched} workloads (${storm.scope}) turned anomalous together${which}`;
    return storm.endsAtMs === undefined
      ? hold('StormActive', share)
      : hold('StormActive', `${share}; the brake ends in ${inWords(storm.endsAtMs - nowMs)}`, storm.endsAtMs);
  },
};
