import type { Guard } from '../guard.ts';
import { hold } from '../hold.ts';
import { rolloutUnderWay } from '../rollout.ts';

/** No effect while the workload is between two versions. */
export const rolloutInProgress: Guard = {
  name: 'rolloutInProgress',
  check: ({ workload }) => {
    const because = rolloutUnderWay(workload);
    return because === undefined
      ? undefined
      : hold('RolloutInProgress', `${workload.ref.kind} ${workload.ref.name}: ${because}`);
  },
};
