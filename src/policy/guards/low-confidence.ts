import { defaultLadder } from '../../diagnosis/catalog.ts';
import type { FailureType } from '../../diagnosis/failure-type.ts';
import type { Guard, GuardInput } from '../guard.ts';
import { harmOf, situationFor } from '../harm.ts';
import { hold } from '../hold.ts';

/** Below this confidence no type is named. */
export const MIN_CONFIDENCE = 0.6;
/** Below this lead over the second type the first is a guess. */
export const MIN_LEAD = 0.2;

/** Both types ask for this action next, and neither is harmed by it: then it does not matter which it is. */
function bothAgree(input: GuardInput, first: FailureType, second: FailureType): boolean {
  const { action } = input.proposal;
  const nextOf = (type: FailureType): string | undefined => defaultLadder(type, situationFor(input, action))[0]?.action;
  return [first, second].every((type) => nextOf(type) === action && harmOf(input, action, type) === undefined);
}

/** A diagnosis that is not sure enough, or that abstained. A policy's own rule for a metric needs no diagnosis. */
export const lowConfidence: Guard = {
  name: 'lowConfidence',
  check: (input) => {
    const { diagnosis, proposal } = input;
    if (proposal.basis === 'anomaly-rule') return undefined;
    const { failureType, confidence, lead, abstained, candidates } = diagnosis;
    if (abstained !== undefined || failureType === 'unknown') {
      return hold('LowConfidence', `no failure type is named: ${abstained ?? 'no signature fits'}`);
    }
    if (!(confidence >= MIN_CONFIDENCE)) {
      return hold(
        'LowConfidence',
        `${failureType} with confidence ${confidence.toFixed(2)}, ${MIN_CONFIDENCE} is asked`,
      );
    }
    if (lead >= MIN_LEAD) return undefined;
    const second = candidates.find((candidate) => candidate.failureType !== failureType)?.failureType;
    if (second !== undefined && bothAgree(input, failureType, second)) return undefined;
    return hold(
      'LowConfidence',
      `${failureType} leads ${second ?? 'the next'} by ${lead.toFixed(2)} only, ${MIN_LEAD} is asked`,
    );
  },
};
