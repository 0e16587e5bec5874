import type { Incident } from './incident.ts';
import type { IncidentHistory } from './incident-step.ts';
import type { MetricVerdict, StatusFinding, WorkloadVerdict } from './verdict.ts';

/** Every time of a judgement, a history or an incident lies later by so much; where the wall clock jumped, or another clock counts. */

const movedMetric =
  (byMs: number) =>
  (metric: MetricVerdict): MetricVerdict =>
    metric.atMs === undefined ? metric : { ...metric, atMs: metric.atMs + byMs };

const movedFinding =
  (byMs: number) =>
  (finding: StatusFinding): StatusFinding =>
    finding.sinceMs === undefined ? finding : { ...finding, sinceMs: finding.sinceMs + byMs };

/** The times of the samples alone. */
export function withMovedSamples(verdict: WorkloadVerdict, byMs: number): WorkloadVerdict {
  const { oldestSampleMs } = verdict;
  return {
    ...verdict,
    pods: verdict.pods.map((pod) => ({ ...pod, metrics: pod.metrics.map(movedMetric(byMs)) })),
    workloadMetrics: verdict.workloadMetrics.map(movedMetric(byMs)),
    ...(oldestSampleMs !== undefined && { oldestSampleMs: oldestSampleMs + byMs }),
  };
}

export function movedVerdict(verdict: WorkloadVerdict, byMs: number): WorkloadVerdict {
  const moved = withMovedSamples(verdict, byMs);
  return {
    ...moved,
    atMs: moved.atMs + byMs,
    pods: moved.pods.map((pod) => ({ ...pod, status: pod.status.map(movedFinding(byMs)) })),
    ...(moved.status !== undefined && { status: moved.status.map(movedFinding(byMs)) }),
  };
}

export function movedIncident(incident: Incident, byMs: number): Incident {
  const { openedAtMs, onsetAtMs, updatedAtMs, resolvedAtMs } = incident;
  return {
    ...incident,
    ...{ openedAtMs: openedAtMs + byMs, onsetAtMs: onsetAtMs + byMs, updatedAtMs: updatedAtMs + byMs },
    ...(resolvedAtMs !== undefined && { resolvedAtMs: resolvedAtMs + byMs }),
  };
}

export function movedHistory(history: IncidentHistory, byMs: number): IncidentHistory {
  const { polls, incident, ended } = history;
  return {
    ...history,
    polls: polls.map((poll) => ({ ...poll, atMs: poll.atMs + byMs })),
    ...(incident !== undefined && { incident: movedIncident(incident, byMs) }),
    ...(ended !== undefined && { ended: movedIncident(ended, byMs) }),
  };
}
