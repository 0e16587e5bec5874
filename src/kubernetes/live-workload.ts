import { type Result, err, ok } from '../lib/result.ts';
import type { WorkloadRef, WorkloadSnapshot } from '../lib/workload.ts';
import { assemble } from './assemble.ts';
import type { KubeClient } from './client.ts';
import type { CallFault } from './errors.ts';
import { type Json, at, list, text } from './json.ts';
import { type Selector, isEmpty, selectorQuery } from './label-selector.ts';
import { type CachedPod, readPod } from './read-pod.ts';
import {
  type CachedAutoscaler,
  type CachedNamespace,
  readAutoscaler,
  readBudget,
  readNamespace,
  readQuota,
} from './read-surroundings.ts';
import { type CachedReplicaSet, type CachedWorkload, readReplicaSet, readWorkload } from './read-workload.ts';
import { RESOURCES, type Resource, WORKLOAD_RESOURCES } from './resources.ts';

type Ref = Pick<WorkloadRef, 'kind' | 'namespace' | 'name'>;

/**
 * The workload as it is now, for the last look before a write: every read goes to the API server without a
 * resourceVersion, which means the newest state. About eight requests, most of them at once.
 */
export class LiveWorkloads {
  readonly #client: KubeClient;
  /** Single-namespace mode: the namespace object may be out of reach. */
  readonly #namespaced: boolean;

  constructor(client: KubeClient, namespaced: boolean) {
    this.#client = client;
    this.#namespaced = namespaced;
  }

  async read({ kind, namespace, name }: Ref): Promise<Result<WorkloadSnapshot, CallFault>> {
    const target = { resource: WORKLOAD_RESOURCES[kind], namespace, name };
    const object = await this.#client.call({ method: 'GET', target, urgent: true });
    if (!object.ok) return object;
    const workload = readWorkload(kind, object.value);
    const [pods, replicaSets, autoscalers, budgets, quotas, owner] = await Promise.all([
      this.#selected(RESOURCES.pods, namespace, workload.selector, readPod),
      this.#replicaSets(workload),
      this.#autoscalers(namespace),
      this.#list(RESOURCES.disruptionBudgets, namespace, readBudget),
      this.#list(RESOURCES.quotas, namespace, readQuota),
      this.#namespace(namespace),
    ]);
    if (!pods.ok) return pods;
    if (!replicaSets.ok) return replicaSets;
    if (!budgets.ok) return budgets;
    if (!quotas.ok) return quotas;
    if (!owner.ok) return owner;
    return ok(
      assemble({
        workload,
        pods: podsOf(workload, replicaSets.value, pods.value),
        replicaSets: replicaSets.value,
        autoscalers,
        budgets: budgets.value,
        quotas: quotas.value,
        namespace: owner.value,
      }),
    );
  }

  async #replicaSets(workload: CachedWorkload): Promise<Result<readonly CachedReplicaSet[], CallFault>> {
    const { kind, namespace, uid } = workload.ref;
    if (kind !== 'Deployment' && kind !== 'Rollout') return ok([]);
    const all = await this.#selected(RESOURCES.replicaSets, namespace, workload.selector, readReplicaSet);
    return all.ok ? ok(all.value.filter((set) => set.controllerUid === uid)) : all;
  }

  /** `undefined`: who scales it cannot be told. A resource that is not defined has no objects. */
  async #autoscalers(namespace: string): Promise<readonly CachedAutoscaler[] | undefined> {
    const kinds = [
      [RESOURCES.autoscalers, 'HorizontalPodAutoscaler'],
      [RESOURCES.scaledObjects, 'ScaledObject'],
    ] as const;
    const replies = await Promise.all(
      kinds.map(([resource, kind]) => this.#list(resource, namespace, (object) => readAutoscaler(kind, object))),
    );
    const found: CachedAutoscaler[] = [];
    for (const reply of replies) {
      if (reply.ok) found.push(...reply.value);
      else if (reply.error.kind !== 'NotFound') return undefined;
    }
    return found;
  }

  async #namespace(name: string): Promise<Result<CachedNamespace | undefined, CallFault>> {
    const reply = await this.#client.call({
      method: 'GET',
      target: { resource: RESOURCES.namespaces, name },
      urgent: true,
    });
    if (reply.ok) return ok(readNamespace(reply.value));
    return this.#namespaced && reply.error.kind === 'Forbidden' ? ok(undefined) : reply;
  }

  #selected<T>(resource: Resource, namespace: string, selector: Selector, read: (object: unknown) => T) {
    if (isEmpty(selector)) return Promise.resolve(ok([]));
    return this.#list(resource, namespace, read, selectorQuery(selector));
  }

  async #list<T>(
    resource: Resource,
    namespace: string,
    read: (object: unknown) => T,
    labelSelector?: string,
  ): Promise<Result<readonly T[], CallFault>> {
    const items: T[] = [];
    let next = '';
    do {
      const query = { limit: 500, continue: next, labelSelector };
      const reply: Result<Json, CallFault> = await this.#client.call({
        method: 'GET',
        target: { resource, namespace, query },
        urgent: true,
      });
      if (!reply.ok) return err(reply.error);
      items.push(...list(reply.value.items).map(read));
      next = text(at(reply.value, 'metadata').continue);
    } while (next !== '');
    return ok(items);
  }
}

/** A selector may also match strangers: only pods that the workload or one of its ReplicaSets controls are its own. */
function podsOf(
  workload: CachedWorkload,
  replicaSets: readonly CachedReplicaSet[],
  pods: readonly CachedPod[],
): readonly CachedPod[] {
  const owners = new Set([workload.ref.uid, ...replicaSets.map((set) => set.uid)]);
  return pods.filter((pod) => owners.has(pod.controllerUid));
}
