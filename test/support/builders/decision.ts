import type { DecisionInput } from '../../../src/healing/decision-input.ts';
import type { Decision } from '../../../src/healing/decision.ts';
import type { Intent } from '../../../src/policy/action.ts';
import { aGuardInput } from './policy.ts';

/** Everything well for acting, before anything is proposed: the first of four pods leaks. */
export function aDecisionInput(over: Partial<DecisionInput> = {}): DecisionInput {
  const { proposal: _left, ...input } = aGuardInput();
  return { ...input, ...over };
}

/** The intent of a decision to act; fails the test otherwise. */
export function intentOf(decision: Decision): Intent {
  if (decision.kind !== 'act') throw new Error(`expected an act, got ${JSON.stringify(decision)}`);
  return decision.intent;
}

/** The decision in one line: `act restart_pod 0`, `hold Cooldown 1`, `ignore`. */
export function inShort(decision: Decision): string {
  switch (decision.kind) {
    case 'act':
      return `act ${decision.intent.action} ${decision.intent.step}`;
    case 'hold':
      return `hold ${decision.reason} ${decision.step}`;
    case 'ignore':
      return 'ignore';
  }
}
