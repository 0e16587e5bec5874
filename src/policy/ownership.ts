import type { AutoscalerSnapshot, WorkloadSnapshot } from '../lib/workload.ts';

/** Who decides the number of replicas, apart from people. */
export type ReplicasOwner =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'autoscaler'; readonly autoscaler: AutoscalerSnapshot; readonly managers: readonly string[] }
  | { readonly kind: 'keda'; readonly name: string }
  | { readonly kind: 'gitops'; readonly manager: string }
  | { readonly kind: 'unknown' };

/** Field managers that restore what they declared: writing against them is a fight. */
const GITOPS_MANAGERS = [
  'argocd-controller',
  'argocd-application-controller',
  'kustomize-controller',
  'helm-controller',
];

/**
 * Finds who owns `spec.replicas`. KEDA comes before the HPA that it makes, and an autoscaler before a manager: its
 * minimum may still be raised where a policy allows that. A VerticalPodAutoscaler owns no replicas.
 */
export function replicasOwner(workload: WorkloadSnapshot): ReplicasOwner {
  if (!workload.autoscalersKnown) return { kind: 'unknown' };
  const scaledObject = workload.autoscalers.find(({ kind }) => kind === 'ScaledObject');
  if (scaledObject !== undefined) return { kind: 'keda', name: scaledObject.name };
  const managers = workload.replicasManagers.filter((manager) => GITOPS_MANAGERS.includes(manager));
  const autoscaler = workload.autoscalers.find(({ kind }) => kind === 'HorizontalPodAutoscaler');
  if (autoscaler !== undefined) {
    // KEDA names the HPA that it makes; the ScaledObject itself may be out of sight.
    return autoscaler.name.startsWith('keda-hpa-')
      ? { kind: 'keda', name: autoscaler.name.slice('keda-hpa-'.length) }
      : { kind: 'autoscaler', autoscaler, managers };
  }
  const [manager] = managers;
  return manager === undefined ? { kind: 'nobody' } : { kind: 'gitops', manager };
}
