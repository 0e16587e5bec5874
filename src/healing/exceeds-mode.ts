import type { Intent } from '../policy/action.ts';
import type { GuardInput } from '../policy/guard.ts';
import { approvalRules } from '../policy/guards/rule-denies.ts';
import type { ActionStatus } from './decision.ts';
import { effectiveMode } from './walk.ts';

/**
 * Why an intent may no longer be carried out as it was decided, as a sentence: a guardrail caps the mode by now, or a
 * rule asks for a person who was not asked then. The policy's own edits show in its generation; a guardrail has none
 * that an intent is pinned to, and what a rule says changes with the facts. A dry run changes nothing and always may.
 */
export function exceedsMode(intent: Intent, { approved }: ActionStatus, input: GuardInput): string | undefined {
  if (intent.execution === 'DryRun') return undefined;
  const mode = effectiveMode(input);
  if (mode === 'Observe') return 'the mode is Observe by now';
  if (approved?.value === true) return undefined;
  if (mode === 'Approve') return 'the mode is Approve by now, and nobody was asked';
  const [hit] = approvalRules(input);
  return hit === undefined ? undefined : `the rule ${hit.rule.name} asks for approval by now (${hit.because})`;
}
