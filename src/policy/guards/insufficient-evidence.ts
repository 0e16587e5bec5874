import type { Guard } from '../guard.ts';
import { hold } from '../hold.ts';

/**
 * The incident was opened by N of M polls; the last poll must still say so, and say it of every pod that would be
 * treated. A pod that is missing from a good reply is unknown: neither well nor ill, and left alone.
 */
export const insufficientEvidence: Guard = {
  name: 'insufficientEvidence',
  check: ({ verdict, proposal, incident }) => {
    if (verdict.state === 'unknown') return hold('InsufficientData', 'the last poll could not judge the workload');
    if (verdict.state === 'healthy') {
      return hold('InsufficientData', `the last poll was in band (${incident.goodPolls} in a row)`);
    }
    for (const pod of proposal.pods) {
      const state = verdict.pods.find((judged) => judged.pod.uid === pod.uid)?.state ?? 'unknown';
      if (state === 'unknown') return hold('InsufficientData', `pod ${pod.name} could not be judged in the last poll`);
    }
    return undefined;
  },
};
