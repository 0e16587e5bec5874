import type { WorkloadKind } from './workload.ts';

/** The workload that a series names, of any kind where its label leaves that open. */
export interface NamedWorkload {
  readonly name: string;
  readonly kind?: WorkloadKind;
}

/**
 * Labels by which a series without a pod names its workload, the most exact first: those of kube-state-metrics, then the
 * `workload` of the kubernetes-mixin's rules and Istio's own, which leave the kind open.
 */
export const WORKLOAD_LABELS: ReadonlyMap<string, WorkloadKind | undefined> = new Map<string, WorkloadKind | undefined>(
  [
    ['deployment', 'Deployment'],
    ['statefulset', 'StatefulSet'],
    ['daemonset', 'DaemonSet'],
    ['rollout', 'Rollout'],
    ['workload', undefined],
    ['destination_workload', undefined],
  ],
);

/** By the most exact of its labels; `undefined`: it names none. */
export function namedWorkload(labels: Readonly<Record<string, unknown>>): NamedWorkload | undefined {
  for (const [label, kind] of WORKLOAD_LABELS) {
    const name = labels[label];
    if (typeof name === 'string' && name !== '') return { name, ...(kind !== undefined && { kind }) };
  }
  return undefined;
}
