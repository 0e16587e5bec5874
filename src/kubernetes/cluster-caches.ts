import { type CacheChange, keyOf } from './object-cache.ts';
import type { ClusterChange } from '../controller/ports.ts';
import type { StoredAction } from '../healing/stored-action.ts';
import type { GuardrailStatus } from '../healing/guardrail-status.ts';
import type { PolicyStatus } from '../healing/policy-status.ts';
import type { Parsed } from '../lib/parsed.ts';
import type { NodeSnapshot, WorkloadKind } from '../lib/workload.ts';
import type { Guardrail, HealingPolicy } from '../policy/healing-policy.ts';
import { parseAction } from '../api/v1alpha1/convert-action.ts';
import { parseGuardrail } from '../api/v1alpha1/convert-guardrail.ts';
import { parseGuardrailConfigMap } from '../api/v1alpha1/guardrail-config-map.ts';
import { parseGuardrailStatus } from '../api/v1alpha1/guardrail-status.ts';
import { parsePolicy } from '../api/v1alpha1/convert-policy.ts';
import { parsePolicyStatus } from '../api/v1alpha1/policy-status.ts';
import { CacheIndex } from './cache-index.ts';
import { DnsPodCache } from './dns-pod-cache.ts';
import { EventRing } from './event-ring.ts';
import { metaOf } from './json.ts';
import { type CachedPod, readPod } from './read-pod.ts';
import {
  type CachedAutoscaler,
  type CachedBudget,
  type CachedNamespace,
  type CachedQuota,
  readAutoscaler,
  readBudget,
  readNamespace,
  readNode,
  readQuota,
} from './read-surroundings.ts';
import { type CachedReplicaSet, type CachedWorkload, readReplicaSet, readWorkload } from './read-workload.ts';
import { RESOURCES, type Resource, WORKLOAD_RESOURCES } from './resources.ts';
import { type WatchContext, type WatchProblem, WatchedResource } from './watched-resource.ts';

/** How often whole lists are repeated: an event may have been lost on the way (W1). */
export interface Resync {
  /** Aegis's own kinds. */
  readonly ownMs: number;
  readonly othersMs: number;
}

export interface CachedPolicy {
  readonly parsed: Parsed<HealingPolicy>;
  readonly status: PolicyStatus | undefined;
}

export interface CachedGuardrail {
  readonly parsed: Parsed<Guardrail>;
  readonly status: GuardrailStatus | 'has none' | undefined;
}

type Announce = (change: ClusterChange) => void;

/** Every watched resource and the indexes over them. Says what changed; judges nothing. */
export class ClusterCaches {
  readonly policies: WatchedResource<CachedPolicy>;
  readonly guardrails: WatchedResource<CachedGuardrail> | undefined;
  readonly actions: WatchedResource<StoredAction>;
  readonly workloads: Readonly<Record<WorkloadKind, WatchedResource<CachedWorkload>>>;
  readonly nodes: WatchedResource<NodeSnapshot> | undefined;
  readonly namespaces: WatchedResource<CachedNamespace> | undefined;
  readonly autoscalers: WatchedResource<CachedAutoscaler>;
  readonly scaledObjects: WatchedResource<CachedAutoscaler>;

  readonly podsByController = new CacheIndex<CachedPod>((pod) => pod.controllerUid);
  readonly replicaSetsByController = new CacheIndex<CachedReplicaSet>((set) => set.controllerUid);
  readonly workloadsByNamespace = new CacheIndex<CachedWorkload>(({ ref }) => `${ref.kind} ${ref.namespace}`);
  readonly autoscalersByNamespace = new CacheIndex<CachedAutoscaler>((each) => each.namespace);
  readonly budgetsByNamespace = new CacheIndex<CachedBudget>((budget) => budget.namespace);
  readonly quotasByNamespace = new CacheIndex<CachedQuota>((quota) => quota.namespace);
  readonly dnsPods = new DnsPodCache();
  readonly events = new EventRing();

  readonly #context: WatchContext;
  readonly #resync: Resync;
  readonly #announce: Announce;
  readonly #all: WatchedResource<unknown>[] = [];
  readonly #stamps = new Map<string, number>();
  readonly #unreadableActions = new Map<string, string>();

  constructor(context: WatchContext, resync: Resync, announce: Announce) {
    this.#context = context;
    this.#resync = resync;
    this.#announce = announce;
    const clusterWide = context.namespaces === undefined;
    this.policies = this.#watchPolicies();
    this.actions = this.#watchActions();
    this.guardrails = clusterWide ? this.#watchGuardrails() : this.#watchGuardrailConfigMap();
    this.nodes = clusterWide ? this.#watchNodes() : undefined;
    this.namespaces = clusterWide ? this.#watchNamespaces() : undefined;
    this.workloads = {
      Deployment: this.#watchWorkload('Deployment'),
      StatefulSet: this.#watchWorkload('StatefulSet'),
      DaemonSet: this.#watchWorkload('DaemonSet'),
      Rollout: this.#watchWorkload('Rollout'),
    };
    this.#watchPods();
    this.#watchReplicaSets();
    this.autoscalers = this.#watchAutoscaler(RESOURCES.autoscalers, 'HorizontalPodAutoscaler');
    this.scaledObjects = this.#watchAutoscaler(RESOURCES.scaledObjects, 'ScaledObject');
    this.#watchAutoscaler(RESOURCES.verticalAutoscalers, 'VerticalPodAutoscaler');
    this.#watchLimits();
    this.#watchEvents();
  }

  start(): void {
    for (const watched of this.#all) watched.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map((watched) => watched.stop()));
  }

  synced(): boolean {
    return this.#all.every((watched) => watched.synced());
  }

  /** Monotonic time of the least recent confirmation over all resources. */
  confirmedAtMs(): number {
    return Math.min(...this.#all.map((watched) => watched.confirmedAtMs() ?? Number.POSITIVE_INFINITY));
  }

  /** The same for each resource that was confirmed at all. */
  confirmed(): { readonly kind: string; readonly atMs: number }[] {
    return this.#all.flatMap((watched) => {
      const atMs = watched.confirmedAtMs();
      return atMs === undefined || !Number.isFinite(atMs) ? [] : [{ kind: watched.plural, atMs }];
    });
  }

  problems(): readonly WatchProblem[] {
    const unreadable = [...this.#unreadableActions].map(([name, message]): WatchProblem => {
      return { resource: `${RESOURCES.actions.plural} ${name}`, state: 'failing', message };
    });
    return [...this.#all.flatMap((watched) => watched.problems()), ...unreadable];
  }

  /** Changes whenever anything in the namespace did: what was put together before is still true while it stands. */
  stamp(namespace: string): number {
    return (this.#stamps.get(namespace) ?? 0) + (this.#stamps.get('') ?? 0);
  }

  // ------------------------------------------------------------------ one method for each resource

  #watchPolicies(): WatchedResource<CachedPolicy> {
    return this.#watch(RESOURCES.policies, {
      resyncMs: this.#resync.ownMs,
      transform: (object) => ({ parsed: parsePolicy(object), status: parsePolicyStatus(object) }),
      onChange: (change) => {
        if (statusOnly(change)) return;
        this.#announce({ kind: 'policy', ...nameOf(change.key) });
      },
    });
  }

  #watchActions(): WatchedResource<StoredAction> {
    return this.#watch(RESOURCES.actions, {
      resyncMs: this.#resync.ownMs,
      transform: (object) => this.#readAction(object),
      onChange: (change) => this.#announce({ kind: 'action', ...nameOf(change.key) }),
    });
  }

  #readAction(object: unknown): StoredAction | undefined {
    const parsed = parseAction(object);
    const key = keyOf(metaOf(object));
    if (parsed.ok) {
      this.#unreadableActions.delete(key);
      return parsed.value;
    }
    const message = parsed.error.map((problem) => `${problem.path}: ${problem.message}`).join('; ');
    // Somebody forged or broke it: it causes no effect, and its name still answers a second creator with 409.
    if (this.#unreadableActions.size < 100) this.#unreadableActions.set(key, message);
    this.#context.log.error('an action object cannot be read', { name: key, problems: message });
    return undefined;
  }

  #watchGuardrails(): WatchedResource<CachedGuardrail> {
    return this.#watch<CachedGuardrail>(RESOURCES.guardrails, {
      resyncMs: this.#resync.ownMs,
      transform: (object) => ({ parsed: parseGuardrail(object), status: parseGuardrailStatus(object) }),
      onChange: (change) => {
        if (statusOnly(change)) return;
        this.#announce({ kind: 'guardrail', ...nameOf(change.key) });
      },
    });
  }

  /** In one namespace, by one name: a Role can grant just that. Its absence is no guardrail; that it is denied holds. */
  #watchGuardrailConfigMap(): WatchedResource<CachedGuardrail> | undefined {
    const { guardrailConfigMap: where, ...context } = this.#context;
    if (where === undefined) return undefined;
    const watched = new WatchedResource<CachedGuardrail>(
      { ...context, namespaces: [where.namespace] },
      {
        resource: RESOURCES.configMaps,
        fieldSelector: `metadata.name=${where.name}`,
        resyncMs: this.#resync.ownMs,
        transform: (object) => ({ parsed: parseGuardrailConfigMap(object), status: 'has none' }),
        onChange: ({ value: { parsed } }) => {
          this.#announce({
            kind: 'guardrail',
            namespace: '',
            name: parsed.kind === 'valid' ? parsed.value.name : parsed.name,
          });
        },
      },
    );
    this.#all.push(watched as WatchedResource<unknown>);
    return watched;
  }

  #watchNodes(): WatchedResource<NodeSnapshot> {
    return this.#watch(RESOURCES.nodes, {
      resyncMs: this.#resync.othersMs,
      transform: readNode,
      onChange: (change) => {
        // Kubelets write their node every few minutes; only what is kept can matter.
        if (change.kind === 'set' && JSON.stringify(change.value) === JSON.stringify(change.previous)) return;
        this.#announce({ kind: 'node', ...nameOf(change.key) });
      },
    });
  }

  #watchNamespaces(): WatchedResource<CachedNamespace> {
    return this.#watch(RESOURCES.namespaces, {
      resyncMs: this.#resync.othersMs,
      transform: readNamespace,
      onChange: (change) => this.#touch(change.key),
    });
  }

  #watchWorkload(kind: WorkloadKind): WatchedResource<CachedWorkload> {
    return this.#watch(WORKLOAD_RESOURCES[kind], {
      resyncMs: this.#resync.othersMs,
      optional: kind === 'Rollout',
      transform: (object) => readWorkload(kind, object),
      onChange: (change) => {
        this.workloadsByNamespace.apply(change);
        this.#changed('workload', change.key);
      },
    });
  }

  #watchPods(): void {
    this.#watch(RESOURCES.pods, {
      resyncMs: this.#resync.othersMs,
      transform: readPod,
      onChange: (change) => {
        this.podsByController.apply(change);
        this.dnsPods.apply(change);
        this.#changed('pod', change.key);
      },
    });
  }

  #watchReplicaSets(): void {
    this.#watch(RESOURCES.replicaSets, {
      resyncMs: this.#resync.othersMs,
      transform: readReplicaSet,
      onChange: (change) => {
        this.replicaSetsByController.apply(change);
        this.#touch(nameOf(change.key).namespace);
      },
    });
  }

  #watchAutoscaler(resource: Resource, kind: CachedAutoscaler['snapshot']['kind']): WatchedResource<CachedAutoscaler> {
    return this.#watch(resource, {
      resyncMs: this.#resync.othersMs,
      optional: true,
      transform: (object) => readAutoscaler(kind, object),
      onChange: (change) => {
        // Two kinds may bear the same name.
        this.autoscalersByNamespace.apply({ ...change, key: `${kind} ${change.key}` });
        this.#touch(change.value.namespace);
        const name = change.value.targetName;
        if (name !== '') this.#announce({ kind: 'workload', namespace: change.value.namespace, name });
      },
    });
  }

  #watchLimits(): void {
    this.#watch(RESOURCES.disruptionBudgets, {
      resyncMs: this.#resync.othersMs,
      transform: readBudget,
      onChange: (change) => {
        this.budgetsByNamespace.apply(change);
        this.#touch(change.value.namespace);
      },
    });
    this.#watch(RESOURCES.quotas, {
      resyncMs: this.#resync.othersMs,
      transform: readQuota,
      onChange: (change) => {
        this.quotasByNamespace.apply(change);
        this.#touch(change.value.namespace);
      },
    });
  }

  #watchEvents(): void {
    this.#watch<never>(RESOURCES.coreEvents, {
      resyncMs: this.#resync.othersMs,
      // Events only add to the evidence: without the right to read them Aegis works on.
      optional: true,
      fieldSelector: 'type=Warning',
      transform: (object) => {
        const event = this.events.take(object);
        if (event !== undefined) this.#announce({ kind: 'event', namespace: event.namespace, name: event.name });
        return undefined;
      },
      onChange: () => undefined,
    });
  }

  #watch<T>(
    resource: Resource,
    recipe: Omit<ConstructorParameters<typeof WatchedResource<T>>[1], 'resource'>,
  ): WatchedResource<T> {
    const watched = new WatchedResource<T>(this.#context, { resource, ...recipe });
    this.#all.push(watched as WatchedResource<unknown>);
    return watched;
  }

  #changed(kind: 'workload' | 'pod', key: string): void {
    const { namespace, name } = nameOf(key);
    this.#touch(namespace);
    this.#announce({ kind, namespace, name });
  }

  #touch(namespace: string): void {
    this.#stamps.set(namespace, (this.#stamps.get(namespace) ?? 0) + 1);
  }
}

/** Aegis's own status writes come back as events; nothing about the object itself changed. */
function statusOnly({ kind, value, previous }: CacheChange<CachedPolicy | CachedGuardrail>): boolean {
  if (kind === 'gone' || previous === undefined) return false;
  const [now, before] = [identityOf(value.parsed), identityOf(previous.parsed)];
  return now.uid === before.uid && now.generation === before.generation;
}

const identityOf = (parsed: Parsed<HealingPolicy | Guardrail>): { uid: string; generation: number } =>
  parsed.kind === 'valid' ? parsed.value : parsed;

function nameOf(key: string): { namespace: string; name: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { namespace: '', name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
