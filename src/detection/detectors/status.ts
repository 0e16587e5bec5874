import { newScore } from '../verdict.ts';
import type { Score, StatusFinding } from '../verdict.ts';

/** From this severity on a fact of the pod's status makes it unhealthy, whatever threshold scores have. */
export const STATUS_BREACH = 0.85;

/** The gravest finding; `undefined` if there is none. */
export function worstFinding(findings: readonly StatusFinding[]): StatusFinding | undefined {
  return findings.reduce<StatusFinding | undefined>(
    (worst, finding) => (worst === undefined || finding.severity > worst.severity ? finding : worst),
    undefined,
  );
}

/** A status finding as a score: its severity is the score, its reason the feature. */
export function statusScore(finding: StatusFinding): Score {
  return newScore({
    score: Math.min(Math.max(finding.severity, 0), 1),
    detector: 'status',
    feature: finding.reason,
    observed: finding.severity,
    samples: 0,
  });
}
