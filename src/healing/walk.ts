import { hashParts } from '../lib/hash.ts';
import { effectiveGuardrail, lowerMode } from '../policy/effective-guardrail.ts';
import type { Hold, Proposal } from '../policy/guard.ts';
import type { Mode } from '../policy/healing-policy.ts';
import type { Decision, SkippedRung } from './decision.ts';
import type { DecisionInput } from './decision-input.ts';
import { intentFor } from './intent.ts';
import type { Execution } from './intent.ts';
import type { Ladder } from './ladder.ts';

/** The mode in force: the policy's, capped by the guardrails. With unreadable ones effects are held by the chain. */
export function effectiveMode({ policy, guardrails }: Pick<DecisionInput, 'policy' | 'guardrails'>): Mode {
  return guardrails === undefined ? policy.mode : lowerMode(policy.mode, effectiveGuardrail(guardrails).maxMode);
}

/** What is known while walking up the ladder. */
export interface Walk {
  readonly input: DecisionInput;
  readonly ladder: Ladder;
  readonly mode: Mode;
  readonly skipped: readonly SkippedRung[];
}

/** The same inputs at the same moment give the same id: a replay finds the decision it replays. */
function idOf({ policy, incident, nowMs }: DecisionInput, ...parts: readonly (string | number)[]): string {
  return hashParts(policy.uid, policy.generation, incident.id, nowMs, ...parts);
}

/** A wait, with its reason. */
export function held(walk: Walk, index: number, because: Hold): Decision {
  const action = walk.ladder.steps[index]?.action ?? 'no_action';
  return {
    kind: 'hold',
    id: idOf(walk.input, 'hold', because.reason, index),
    ...because,
    action,
    step: index,
    skipped: walk.skipped,
  };
}

/** Nothing to do. */
export function ignored(input: DecisionInput, message: string): Decision {
  return { kind: 'ignore', id: idOf(input, 'ignore', message), message };
}

/** An action to carry out. The decision bears the action's name, so that whoever knows the one finds the other. */
export function acting(walk: Walk, proposal: Proposal, how: Execution): Decision {
  const intent = intentFor(walk.input, proposal, how);
  return { kind: 'act', id: intent.name, intent, skipped: walk.skipped };
}
