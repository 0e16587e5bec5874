import type { Guard } from '../guard.ts';
import { hold } from '../hold.ts';

/** The incident and its workload must still be those that were judged. */
export const decisionOutdated: Guard = {
  name: 'decisionOutdated',
  check: ({ incident, workload, verdict }) => {
    if (incident.resolvedAtMs !== undefined) return hold('IncidentClosed', `incident ${incident.id} is over`);
    const { ref } = workload;
    if (ref.uid !== incident.workload.uid || ref.uid !== verdict.workload.uid) {
      return hold('TargetGone', `${ref.kind} ${ref.name} was deleted and made anew since it was judged`);
    }
    return undefined;
  },
};
