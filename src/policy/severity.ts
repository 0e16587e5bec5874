import type { Remedy } from './healing-policy.ts';

export type Severity = Remedy['minSeverity'];

const RANKS: readonly Severity[] = ['low', 'medium', 'high', 'critical'];

/** The name of a score, 0-1: critical from 0.9, high from 0.7, medium from 0.5. */
export function severityOf(score: number): Severity {
  if (score >= 0.9) return 'critical';
  if (score >= 0.7) return 'high';
  return score >= 0.5 ? 'medium' : 'low';
}

/** Whether a severity is the asked one or worse. */
export function isAtLeast(severity: Severity, minimum: Severity): boolean {
  return RANKS.indexOf(severity) >= RANKS.indexOf(minimum);
}
