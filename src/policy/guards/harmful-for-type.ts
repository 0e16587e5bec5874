import type { ActionName } from '../action.ts';
import type { Guard, GuardInput, Hold } from '../guard.ts';
import { harmOf } from '../harm.ts';
import { hold } from '../hold.ts';

/**
 * What the failure type refuses, even where a policy's own ladder asks for it. A policy's rule for a metric acts
 * without a named type; a type that is named still refuses.
 */
export const harmfulForType: Guard = {
  name: 'harmfulForType',
  check: (input) => harmIn(input, input.proposal.action, input.proposal.basis),
};

/** The same before anything is proposed: all that it takes is the action. */
export function harmIn(
  input: Omit<GuardInput, 'proposal'>,
  action: ActionName,
  basis: GuardInput['proposal']['basis'],
): Hold | undefined {
  const { failureType } = input.diagnosis;
  if (failureType === 'unknown' && basis === 'anomaly-rule') return undefined;
  const harm = harmOf(input, action, failureType);
  return harm === undefined ? undefined : hold('HarmfulForType', `${action} does harm in ${failureType}: ${harm}`);
}
