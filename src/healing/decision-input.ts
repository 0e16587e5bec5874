import type { Effectiveness } from '../policy/effectiveness.ts';
import type { GuardInput, Proposal } from '../policy/guard.ts';

/** All that a decision rests on: what the guards see, before anything is proposed. */
export interface DecisionInput extends Omit<GuardInput, 'proposal'> {
  /** Since when the same rung is blocked; absent: since the incident opened or its last action ended. */
  readonly heldSinceMs?: number;
  /** People know of it by the alert of an earlier incident, which goes on for this one. */
  readonly isTold?: boolean;
  /** How often each effect helped so far; absent: not known, and no order is changed. */
  readonly effectiveness?: readonly Effectiveness[];
}

/** The guards' view of one proposal. */
export function withProposal(input: DecisionInput, proposal: Proposal): GuardInput {
  return { ...input, proposal };
}
