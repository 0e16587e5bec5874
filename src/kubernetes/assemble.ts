import type { RevisionSnapshot, WorkloadSnapshot } from '../lib/workload.ts';
import { present } from './json.ts';
import { isEmpty, selects } from './label-selector.ts';
import type { CachedPod } from './read-pod.ts';
import type { CachedAutoscaler, CachedBudget, CachedNamespace, CachedQuota } from './read-surroundings.ts';
import type { CachedReplicaSet, CachedWorkload } from './read-workload.ts';

/** All that a workload's snapshot is put together from, whether it comes from the caches or from live reads. */
export interface Parts {
  readonly workload: CachedWorkload;
  readonly pods: readonly CachedPod[];
  readonly replicaSets: readonly CachedReplicaSet[];
  /** Of the workload's namespace; `undefined`: unreadable. */
  readonly autoscalers: readonly CachedAutoscaler[] | undefined;
  readonly budgets: readonly CachedBudget[];
  readonly quotas: readonly CachedQuota[];
  readonly namespace: CachedNamespace | undefined;
}

/** One immutable snapshot. Pods and ReplicaSets must already be those of the workload. */
export function assemble(parts: Parts): WorkloadSnapshot {
  const { selector: _selector, templateLabels, podRequests, ...own } = parts.workload;
  const { kind, name } = own.ref;
  const pods = parts.pods.map((pod) => pod.snapshot).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return {
    ...own,
    namespaceLabels: parts.namespace?.labels ?? {},
    namespaceAnnotations: parts.namespace?.annotations ?? {},
    revisions: parts.replicaSets.length > 0 ? parts.replicaSets.map(revisionOf) : revisionsByHash(pods),
    autoscalers: (parts.autoscalers ?? [])
      .filter((each) => each.targetKind === kind && each.targetName === name)
      .map((each) => each.snapshot),
    autoscalersKnown: parts.autoscalers !== undefined,
    disruptionBudgets: parts.budgets.filter((budget) => guards(budget, templateLabels)).map(budgetOf),
    pods,
    ...present({ quotaPodsLeft: quotaPodsLeft(parts.quotas, podRequests) }),
  };
}

const revisionOf = ({ controllerUid: _uid, namespace: _namespace, uid: _own, ...revision }: CachedReplicaSet) =>
  revision;

/** StatefulSets and DaemonSets: the revisions that have pods; how old one is, its first pod tells. */
function revisionsByHash(pods: WorkloadSnapshot['pods']): RevisionSnapshot[] {
  const revisions = new Map<string, RevisionSnapshot>();
  for (const pod of pods) {
    if (pod.templateHash === undefined || pod.deletedAtMs !== undefined) continue;
    const known = revisions.get(pod.templateHash);
    revisions.set(pod.templateHash, {
      name: pod.templateHash,
      templateHash: pod.templateHash,
      createdAtMs: Math.min(known?.createdAtMs ?? pod.createdAtMs, pod.createdAtMs),
      replicas: (known?.replicas ?? 0) + 1,
      readyReplicas: (known?.readyReplicas ?? 0) + (pod.ready ? 1 : 0),
    });
  }
  return [...revisions.values()];
}

/** An absent selector selects nothing; an empty one the whole namespace (policy/v1). */
const guards = (budget: CachedBudget, labels: Readonly<Record<string, string>>): boolean =>
  budget.selector !== undefined && (isEmpty(budget.selector) || selects(budget.selector, labels));

const budgetOf = ({ selector: _selector, namespace: _namespace, ...budget }: CachedBudget) => budget;

/**
 * How many more pods the tightest quota lets in, from what one pod asks. Quotas on pods that end by themselves do not
 * bind a workload; one on best-effort pods only binds a template without requests. `undefined`: no quota binds.
 */
export function quotaPodsLeft(
  quotas: readonly CachedQuota[],
  asked: Readonly<Record<string, number>>,
): number | undefined {
  const bestEffort = Object.keys(asked).length === 1;
  const binds = (quota: CachedQuota): boolean =>
    !quota.scopes.includes('Terminating') && !quota.scopes.includes(bestEffort ? 'NotBestEffort' : 'BestEffort');
  let least: number | undefined;
  for (const quota of quotas.filter(binds)) {
    for (const [resource, left] of Object.entries(quota.left)) {
      const perPod = asked[resource] ?? 0;
      if (perPod > 0) least = Math.min(least ?? Number.POSITIVE_INFINITY, Math.floor(left / perPod + 1e-9));
    }
  }
  return least;
}
