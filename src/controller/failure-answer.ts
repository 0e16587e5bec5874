import type { Candidate } from '../diagnosis/diagnosis.ts';
import type { FailureFinding } from '../diagnosis/detect-failure.ts';
import { isoTime } from '../lib/iso-time.ts';
import { severityOf } from '../policy/severity.ts';
import type { FailureAnswer, FailureCandidate, Warning } from './detection-api.ts';

const MAX_CANDIDATES = 3;
const MAX_EVIDENCE = 10;

/** The finding in the words of the wire. */
export function failureAnswer(finding: FailureFinding, warnings: readonly Warning[], nowMs: number): FailureAnswer {
  const { advice, abstained } = finding;
  return {
    failure_detected: finding.failureDetected,
    failure_type: finding.failureType,
    severity: severityOf(finding.severityScore),
    recommended_actions: finding.recommendedActions,
    confidence: round(finding.confidence),
    root_cause: finding.rootCause,
    affected_services: finding.affectedServices,
    details: {
      failure_subtype: finding.subtype,
      category: finding.category,
      severity_score: round(finding.severityScore),
      candidates: finding.candidates.slice(0, MAX_CANDIDATES).map(candidate),
      missing_evidence: finding.missingEvidence,
      preconditions: finding.preconditions,
      ...(advice === undefined ? {} : { advice }),
      ...(abstained === undefined ? {} : { abstained }),
      warnings,
    },
    timestamp: isoTime(nowMs),
  };
}

function candidate(one: Candidate): FailureCandidate {
  return {
    failure_type: one.failureType,
    confidence: round(one.confidence),
    evidence: one.evidence
      .slice(0, MAX_EVIDENCE)
      .map(({ source, what, weight }) => ({ source, what, weight: round(weight) })),
    contradictions: one.contradictions,
  };
}

const round = (value: number): number => Math.round(value * 1e4) / 1e4;
