import type { Guard } from '../guard.ts';
import { harmOf } from '../harm.ts';
import { hold } from '../hold.ts';

/**
 * What the failure type refuses, even where a policy's own ladder asks for it. A policy's rule for a metric acts
 * without a named type; a type that is named still refuses.
 */
export const harmfulForType: Guard = {
  name: 'harmfulForType',
  check: (input) => {
    const { diagnosis, proposal } = input;
    const { failureType } = diagnosis;
    if (failureType === 'unknown' && proposal.basis === 'anomaly-rule') return undefined;
    const harm = harmOf(input, proposal.action, failureType);
    return harm === undefined
      ? undefined
      : hold('HarmfulForType', `${proposal.action} does harm in ${failureType}: ${harm}`);
  },
};
