import type { Facts } from './facts.ts';
import type { MetricState } from './metric-shape.ts';
import type { PodFacts } from './pod-facts.ts';

/** From this score on a metric may complete evidence for a type, anomalous or not. */
const LOW = 0.5;

/** What types read of a bare value, however usual it is; from a little below their lines on it is not quiet. */
const TELLING_FROM: Readonly<Record<string, number>> = {
  connection_pool_usage: 85,
  cpu_throttling: 0.2,
  memory_usage: 80,
  volume_usage: 80,
};

const isCalmMetric = (state: MetricState): boolean =>
  (state.direction === 'flat' || state.direction === 'unknown') &&
  state.leaning === state.direction &&
  state.score < LOW &&
  !state.rising &&
  !state.limited &&
  !state.peerOutlier &&
  state.timeToLimitMs === undefined &&
  !((state.value ?? 0) >= (TELLING_FROM[state.metric] ?? Infinity));

const isCalmPod = ({
  running,
  ready,
  pending,
  evicted,
  unhealthy,
  reasons,
  lastEnd,
  unschedulable,
}: PodFacts): boolean =>
  running &&
  ready &&
  !pending &&
  !evicted &&
  !unhealthy &&
  reasons.length === 0 &&
  lastEnd === undefined &&
  unschedulable === undefined;

const isNone = (items: readonly unknown[] | undefined): boolean => items === undefined || items.length === 0;

/**
 * Nothing in the facts could speak for any failure type, so no type need be asked: most requests tell of health, and asking
 * all types would be most of what they cost. It errs towards `false`; that no type finds evidence where it says `true` is a
 * property test. A cluster's own objects always bring something to weigh: with a snapshot of the workload it is `false`.
 */
export function isQuiet(facts: Facts): boolean {
  const { input } = facts;
  const hasOnlyMetricsAndLines =
    input.workload === undefined &&
    input.calls === undefined &&
    [
      input.otherAnomalous,
      input.dependencies,
      input.recentActions,
      input.credentials,
      input.volumes,
      input.endpoints,
    ].every(isNone);
  return (
    hasOnlyMetricsAndLines &&
    facts.logs.size === 0 &&
    [facts.changes, facts.events, facts.nodes, input.verdict?.status, facts.newTemplates()].every(isNone) &&
    facts.oddStep() === undefined &&
    facts.pods.every(isCalmPod) &&
    facts.states.every(isCalmMetric)
  );
}
