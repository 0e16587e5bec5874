import type { Guard } from '../guard.ts';
import { hold } from '../hold.ts';

/**
 * A node, a dependency, DNS, a rollout or Aegis itself explains the failure: acting on the workload cannot help. Only
 * throttling the callers of a slow dependency takes load off the cause itself.
 */
export const correlatedCause: Guard = {
  name: 'correlatedCause',
  check: ({ diagnosis, proposal }) => {
    const { cause } = diagnosis;
    if (cause.kind === 'self') return undefined;
    if (cause.kind === 'dependency' && proposal.action === 'throttle_api') return undefined;
    return hold('CauseElsewhere', `the cause is the ${cause.kind} ${cause.name}`);
  },
};
