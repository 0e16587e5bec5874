import type { Assessment } from './failure-model.ts';
import type { FailureType } from './failure-type.ts';
import { PRIOR, TEMPERATURE } from './weights.ts';

/** A type with the probability that its evidence bears. */
export interface Ranked {
  readonly failureType: FailureType;
  readonly assessment: Assessment;
  /** Log-odds against `unknown`, before calibration. */
  readonly logOdds: number;
  /** 0-1; over all types and `unknown` they sum to 1. */
  readonly confidence: number;
}

const netWeight = (assessment: Assessment): number =>
  assessment.findings.reduce((sum, each) => sum + (Number.isFinite(each.weight) ? each.weight : 0), 0);

/**
 * Softmax over the types that have evidence for them and `unknown` at 0, at the calibrated temperature. Types without
 * net support have no share: their mass is that of `unknown`.
 */
export function rankTypes(
  assessed: readonly { readonly failureType: FailureType; readonly assessment: Assessment }[],
): readonly Ranked[] {
  const supported = assessed
    .map((each) => ({ ...each, net: netWeight(each.assessment) }))
    .filter((each) => each.net > 0 && each.assessment.findings.some((item) => item.weight > 0));
  const mass = supported.map((each) => Math.exp((PRIOR + each.net) / TEMPERATURE));
  const total = mass.reduce((sum, each) => sum + each, 1);
  return supported
    .map(({ failureType, assessment, net }, i) => ({
      failureType,
      assessment,
      logOdds: PRIOR + net,
      confidence: (mass[i] ?? 0) / total,
    }))
    .toSorted((a, b) => b.confidence - a.confidence || (a.failureType < b.failureType ? -1 : 1));
}
