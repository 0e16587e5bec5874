import { FAILURE_MODELS } from '../../src/diagnosis/catalog.ts';
import type { FailureType } from '../../src/diagnosis/failure-type.ts';
import type { DiagnosisInput } from '../../src/diagnosis/evidence.ts';
import { gatherFacts } from '../../src/diagnosis/facts.ts';
import type { Facts } from '../../src/diagnosis/facts.ts';
import { aCase } from './builders/diagnosis.ts';
import type { CaseSpec } from './builders/diagnosis.ts';

export interface AssessedCase extends CaseSpec {
  /** What is not known in it. */
  readonly without?: readonly ('workload' | 'verdict')[];
}

export function factsOf({ without = [], ...spec }: AssessedCase): Facts {
  const kept = Object.entries(aCase(spec)).filter(([key]) => !without.some((each) => each === key));
  return gatherFacts(Object.fromEntries(kept) as unknown as DiagnosisInput);
}

/**
 * What one failure type makes of a case, a line each: what speaks for it (`+`) and against it (`-`) with its source, then
 * contradictions, pods, cause and traits. How much each counts is tuned elsewhere and left out.
 */
export function assessmentOf(type: FailureType, spec: AssessedCase): readonly string[] {
  const { findings, contradictions, pods, cause, traits } = FAILURE_MODELS[type].assess(factsOf(spec));
  const rests = (metrics: readonly string[] | undefined): string =>
    metrics === undefined || metrics.length === 0 ? '' : ` [${metrics.join(', ')}]`;
  return [
    ...findings.map(
      ({ source, weight, what, metrics }) => `${weight < 0 ? '-' : '+'} ${source}: ${what}${rests(metrics)}`,
    ),
    ...contradictions.map((sentence) => `contradicted: ${sentence}`),
    ...(pods ?? []).map(({ name }) => `pod ${name}`),
    ...(cause === undefined || cause.kind === 'self' ? [] : [`cause ${cause.kind} ${cause.name}`]),
    ...(traits ?? []).map((trait) => `trait ${trait}`),
  ];
}

/** What people are told to do about it. */
export const adviceOf = (type: FailureType, spec: AssessedCase): string => FAILURE_MODELS[type].advice(factsOf(spec));
