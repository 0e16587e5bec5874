import type { WorkloadRef } from '../lib/workload.ts';
import type { PolledReading, RangeSeries } from './ports.ts';

/**
 * Which of the readings without a pod are this workload's: those that name it; where none does, the only one there is,
 * if the policy selects this workload alone. What belongs to nobody in particular judges nobody: taken for every
 * selected workload's, one sick queue would have its neighbours scaled.
 */
export function attributed(
  shared: readonly PolledReading[],
  workload: WorkloadRef,
  isOnly: boolean,
): readonly PolledReading[] {
  return [...Map.groupBy(shared, ({ metric }) => metric).values()].flatMap((readings) => {
    const own = readings.filter((reading) => names(reading, workload));
    if (own.length > 0) return own.length === 1 ? own : [];
    const known = readings.filter(isValue);
    return known.length === 0 || (isOnly && known.length === 1) ? readings : [];
  });
}

/** Past series of the pods, and of those without a pod the workload's own, as `attributed` has it of the readings. */
export function attributedPast(
  past: readonly RangeSeries[],
  workload: WorkloadRef,
  isOnly: boolean,
): readonly RangeSeries[] {
  const shared = past.filter(({ pod }) => pod === undefined);
  const own = [...Map.groupBy(shared, ({ metric }) => metric).values()].flatMap((series) => {
    const named = series.filter((each) => names(each, workload));
    const candidates = named.length > 0 ? named : isOnly ? series : [];
    return candidates.length === 1 ? candidates : [];
  });
  return [...past.filter(({ pod }) => pod !== undefined), ...own];
}

/** Metrics that came without a pod and without the name of any of these workloads, of which there are several. */
export function unattributed(
  readings: readonly PolledReading[],
  workloads: readonly WorkloadRef[],
): readonly { readonly metric: string; readonly reason: string; readonly message: string }[] {
  if (workloads.length < 2) return [];
  const shared = readings.filter((reading) => reading.pod === undefined && isValue(reading));
  const metrics = [...Map.groupBy(shared, ({ metric }) => metric)]
    .filter(([, series]) => !series.some((each) => workloads.some((workload) => names(each, workload))))
    .map(([metric]) => metric);
  if (metrics.length === 0) return [];
  const message =
    `no series names one of the ${workloads.length} workloads that are selected, so none is judged by it; ` +
    'keep a label in the query, as in `sum by (pod) (...)`, else `by (deployment)`, statefulset, daemonset, rollout ' +
    'or workload, or let the policy select one workload';
  return [{ metric: metrics.join(', '), reason: 'WorkloadNotNamed', message }];
}

const isValue = ({ reading }: PolledReading): boolean => reading.kind === 'value';

function names({ workload }: Pick<PolledReading, 'workload'>, { name, kind }: WorkloadRef): boolean {
  return workload !== undefined && workload.name === name && (workload.kind ?? kind) === kind;
}
