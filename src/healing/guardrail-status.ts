import type { Problem } from '../lib/parsed.ts';
import type { Guardrail } from '../policy/healing-policy.ts';
import { withTransitions } from './conditions.ts';

/** The status of a guardrail as the domain sees it; the api room makes it into the wire form. */
export interface GuardrailCondition {
  readonly type: 'Accepted' | 'Suspended';
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  readonly lastTransitionMs: number;
}

export interface GuardrailStatus {
  readonly observedGeneration: number;
  readonly conditions: readonly GuardrailCondition[];
  /** Policies in the namespaces that it selects; absent: it cannot be told, and all are held. */
  readonly boundPolicies?: number;
}

export interface GuardrailStatusInput {
  readonly nowMs: number;
  readonly generation: number;
  /** The domain form; `undefined` where the resource is invalid. */
  readonly guardrail: Guardrail | undefined;
  /** Everything that is wrong with it. */
  readonly problems: readonly Problem[];
  readonly boundPolicies: number;
  readonly previous?: GuardrailStatus;
}

type Finding = Pick<GuardrailCondition, 'status' | 'reason' | 'message'>;

const EVERYTHING_HELD = 'every effect is held, in all namespaces, until it is mended or deleted';

function accepted({ problems, guardrail }: GuardrailStatusInput): Finding {
  const [first] = problems;
  if (guardrail !== undefined && first === undefined) {
    return { status: 'True', reason: 'Valid', message: 'the guardrail makes sense' };
  }
  if (first === undefined) return { status: 'False', reason: 'Invalid', message: EVERYTHING_HELD };
  const all = problems.map(({ path, message }) => `${path}: ${message}`).join('; ');
  return { status: 'False', reason: first.reason, message: `${all}; ${EVERYTHING_HELD}` };
}

function suspended({ guardrail }: GuardrailStatusInput): Finding {
  if (guardrail === undefined) return { status: 'True', reason: 'Invalid', message: EVERYTHING_HELD };
  return guardrail.suspended
    ? {
        status: 'True',
        reason: 'Suspended',
        message: 'no new effect in the namespaces that it selects; due undos go on',
      }
    : { status: 'False', reason: 'Running', message: 'the kill switch is off' };
}

/** The guardrail's status, computed whole; nothing in it moves with time alone. */
export function guardrailStatus(input: GuardrailStatusInput): GuardrailStatus {
  const { generation, guardrail, boundPolicies, previous, nowMs } = input;
  const findings = [
    { type: 'Accepted' as const, ...accepted(input) },
    { type: 'Suspended' as const, ...suspended(input) },
  ];
  return {
    observedGeneration: generation,
    conditions: withTransitions(
      findings.map((finding) => ({ ...finding, observedGeneration: generation })),
      previous?.conditions ?? [],
      nowMs,
    ),
    ...(guardrail !== undefined && { boundPolicies }),
  };
}
