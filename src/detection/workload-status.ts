import type { WorkloadSnapshot } from '../lib/workload.ts';
import type { StatusFinding } from './verdict.ts';

/** As in `pod-status.ts`: from 0.85 a finding makes unhealthy, below it is evidence only. */
const BROKEN = 0.95;
const GRAVE = 0.9;
const EVIDENCE = 0.5;
/** A controller makes its pods within seconds. */
const GRACE_MS = 60_000;

/**
 * Pods that are wanted and do not exist; 0 while the controller has not seen the newest spec. A pod on its way out still
 * holds its place (`Recreate`, a StatefulSet). A StatefulSet makes no further pod while one before it is not ready:
 * what is wrong then is that pod.
 */
export function podsMissing({ ref, pods, replicas, generation, observedGeneration }: WorkloadSnapshot): number {
  if (observedGeneration < generation) return 0;
  const isWaiting = ref.kind === 'StatefulSet' && pods.some(({ ready }) => !ready);
  return isWaiting ? 0 : Math.max(0, replicas.desired - pods.length);
}

/**
 * What speaks against the workload itself: pods that its controller cannot make, because a quota, an admission policy or
 * a limit refuses them. No pod can tell of it. `missingSinceMs`: since when pods have been seen to be missing.
 */
export function workloadFindings(
  workload: WorkloadSnapshot,
  missingSinceMs: number | undefined,
  nowMs: number,
): readonly StatusFinding[] {
  const missing = podsMissing(workload);
  if (missing === 0) return [];
  const refusal = workload.conditions.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True');
  const sinceMs = refusal?.changedAtMs ?? missingSinceMs ?? nowMs;
  const isLasting = nowMs - sinceMs >= GRACE_MS;
  const message = refusal?.message ?? `${missing} of ${workload.replicas.desired} pods were not created`;
  return [
    {
      reason: refusal?.reason ?? 'PodsMissing',
      message,
      severity: !isLasting ? EVIDENCE : workload.replicas.ready === 0 ? BROKEN : GRAVE,
      sinceMs,
    },
  ];
}
