import type { PolledReading } from '../controller/ports.ts';
import type { WorkloadKind } from '../lib/workload.ts';
import { labelOf, type Row } from './instant-vector.ts';

/** The entity of a series that names neither a pod nor a workload. */
export const WHOLE = '';

/**
 * Labels by which a series without a pod names its workload, the most exact first: those of kube-state-metrics, then the
 * `workload` of the kubernetes-mixin's rules and Istio's own, which leave the kind open.
 */
const WORKLOAD_LABELS: ReadonlyMap<string, WorkloadKind | undefined> = new Map<string, WorkloadKind | undefined>([
  ['deployment', 'Deployment'],
  ['statefulset', 'StatefulSet'],
  ['daemonset', 'DaemonSet'],
  ['rollout', 'Rollout'],
  ['workload', undefined],
  ['destination_workload', undefined],
]);

/** By what the newest sample of a selector is looked up. */
export const ENTITY_LABELS: readonly string[] = ['pod', ...WORKLOAD_LABELS.keys()];

/** The pod's name, else `label/workload`, which no pod is named like, else `WHOLE`. */
export const entityOf = (row: Row): string => labelOf(row, 'pod') ?? workloadsOf(row)[0] ?? WHOLE;

/** Every entity that a row of sample times tells of. */
export const entitiesOf = (row: Row): readonly string[] => [labelOf(row, 'pod') ?? WHOLE, ...workloadsOf(row)];

function workloadsOf(row: Row): readonly string[] {
  return [...WORKLOAD_LABELS.keys()].flatMap((label) => {
    const name = labelOf(row, label);
    return name === undefined ? [] : [`${label}/${name}`];
  });
}

/** Whose a reading is. */
export function ownerOf(entity: string): Pick<PolledReading, 'pod' | 'workload'> {
  const [label = '', name] = entity.split('/');
  if (name === undefined) return entity === WHOLE ? {} : { pod: entity };
  const kind = WORKLOAD_LABELS.get(label);
  return { workload: { name, ...(kind !== undefined && { kind }) } };
}

/** As a person would name it. */
export function nameOf(entity: string): string {
  if (entity === WHOLE) return 'the workload';
  return entity.includes('/') ? entity.replace('/', ' ') : `pod ${entity}`;
}
