import type { WorkloadSnapshot } from '../lib/workload.ts';
import type { HealingPolicy } from './healing-policy.ts';
import { selectsTarget } from './match.ts';

/** Whether a policy's target takes in this workload. A policy never reaches beyond its own namespace. */
export function selectsWorkload(policy: HealingPolicy, workload: WorkloadSnapshot): boolean {
  const { kind, name, selector } = policy.target;
  const { ref } = workload;
  if (ref.namespace !== policy.namespace || ref.kind !== kind) return false;
  if (name !== undefined) return ref.name === name;
  return selector !== undefined && selectsTarget(selector, workload.labels);
}
