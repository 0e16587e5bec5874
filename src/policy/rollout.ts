import type { WorkloadSnapshot } from '../lib/workload.ts';

/**
 * Why the workload counts as rolling out, or `undefined` if it does not. Pods that are not ready are no rollout: a
 * crash must not look like one. `OnDelete` never updates by itself, so its old pods do not count.
 */
export function rolloutUnderWay(workload: WorkloadSnapshot): string | undefined {
  const { generation, observedGeneration, replicas, paused, strategy } = workload;
  if (observedGeneration < generation) {
    return `its controller has seen generation ${observedGeneration} of ${generation}`;
  }
  if (paused) return 'its rollout is paused';
  if (strategy === 'OnDelete') return undefined;
  if (replicas.updated < replicas.desired) return `${replicas.updated} of ${replicas.desired} pods are updated`;
  if (replicas.current > replicas.updated) return `${replicas.current - replicas.updated} old pods are still there`;
  return undefined;
}

/** Whether the workload is rolling out or paused in the middle of it. */
export function isRollingOut(workload: WorkloadSnapshot): boolean {
  return rolloutUnderWay(workload) !== undefined;
}
