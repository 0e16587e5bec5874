import { MIN_CONFIDENCE, MIN_LEAD } from '../../diagnosis/abstain.ts';
import { defaultLadder } from '../../diagnosis/catalog.ts';
import type { FailureType } from '../../diagnosis/failure-type.ts';
import type { Guard, GuardInput } from '../guard.ts';
import { harmOf, situationFor } from '../harm.ts';
import { hold } from '../hold.ts';

/**
 * Both types ask for this action, and neither is harmed by it: then it does not matter which of them it is. That it is
 * the next rung of both, the diagnosis has seen to: else it would have abstained.
 */
function bothAgree(input: GuardInput, first: FailureType, second: FailureType): boolean {
  const { action } = input.proposal;
  return [first, second].every(
    (type) =>
      defaultLadder(type, situationFor(input, action)).some((rung) => rung.action === action) &&
      harmOf(input, action, type) === undefined,
  );
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
