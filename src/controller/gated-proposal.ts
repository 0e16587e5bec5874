import type { DecisionInput } from '../healing/decision-input.ts';
import { withProposal } from '../healing/decision-input.ts';
import { chooseLadder } from '../healing/ladder.ts';
import type { Intent, Step } from '../policy/action.ts';
import type { EngineAnswer, GuardInput } from '../policy/guard.ts';

/** What a rung that the policy no longer names is judged by. */
const LONE_RUNG = { attempts: 1, timeoutSeconds: 300 } as const;

/** An intent as the guards see it when its write is at hand: the same question as when it was decided, on newer facts. */
export function guardInputFor(intent: Intent, input: DecisionInput, engineAnswer: EngineAnswer): GuardInput {
  const ladder = chooseLadder(input);
  const rung = ladder.steps[intent.step];
  const step: Step = rung?.action === intent.action ? rung : { action: intent.action, ...LONE_RUNG };
  const proposal = {
    ...{ action: intent.action, step, stepIndex: intent.step, attempt: intent.attempt },
    ...{ pods: intent.pods, parameters: intent.parameters, basis: ladder.basis },
  };
  return { ...withProposal({ ...input, selfName: intent.name }, proposal), engineAnswer };
}
