import type { GuardrailCondition, GuardrailStatus } from '../../healing/guardrail-status.ts';
import { envelope } from './envelope.ts';
import { fitText } from './fit-text.ts';
import { GuardrailStatus as WireStatus } from './guardrail.ts';
import { rfc3339 } from './wire-time.ts';

/** What the status subresource takes; a longer text is clipped, because a refused status would say nothing at all. */
const LONGEST_MESSAGE = 2048;

/** The wire form of a guardrail's status: the value of the object's `status` field. */
export function guardrailStatusObject({ observedGeneration, conditions, boundPolicies }: GuardrailStatus): object {
  return {
    observedGeneration,
    conditions: conditions.map(({ lastTransitionMs, message, ...rest }) => ({
      ...rest,
      message: fitText(message, LONGEST_MESSAGE),
      lastTransitionTime: rfc3339(lastTransitionMs),
    })),
    ...(boundPolicies !== undefined && { boundPolicies }),
  };
}

/** The status that an object carries, or `undefined` where there is none or a foreign hand has broken it. */
export function parseGuardrailStatus(object: unknown): GuardrailStatus | undefined {
  const parsed = WireStatus.safeParse(envelope(object).status);
  if (!parsed.success || parsed.data.observedGeneration === undefined) return undefined;
  const { observedGeneration, conditions = [], boundPolicies } = parsed.data;
  return {
    observedGeneration,
    conditions: conditions.map(({ lastTransitionTime, observedGeneration: seen, type, ...rest }) => ({
      ...rest,
      type: type as GuardrailCondition['type'],
      observedGeneration: seen ?? observedGeneration,
      lastTransitionMs: Date.parse(lastTransitionTime),
    })),
    ...(boundPolicies !== undefined && { boundPolicies }),
  };
}
