import type { DnsPods, DnsSource } from '../controller/evidence-ports.ts';
import type { ClusterChange, ClusterReader } from '../controller/ports.ts';
import type { GuardrailStatus } from '../healing/guardrail-status.ts';
import type { PolicyStatus } from '../healing/policy-status.ts';
import type { StoredAction } from '../healing/stored-action.ts';
import type { Parsed } from '../lib/parsed.ts';
import { messageOf } from '../lib/thrown.ts';
import { type ClusterEvent, type NodeSnapshot, type WorkloadSnapshot, workloadKey } from '../lib/workload.ts';
import type { Guardrail, HealingPolicy, TargetSelection } from '../policy/healing-policy.ts';
import { assemble } from './assemble.ts';
import { ClusterCaches, type Resync } from './cluster-caches.ts';
import { isEmpty, selects } from './label-selector.ts';
import { NamespaceReader } from './namespace-reader.ts';
import type { CachedNamespace } from './read-surroundings.ts';
import type { CachedWorkload } from './read-workload.ts';
import type { WatchContext, WatchProblem } from './watched-resource.ts';

export interface ClusterReaderOptions extends WatchContext {
  readonly resync?: Partial<Resync>;
}

const RESYNC: Resync = { ownMs: 60_000, othersMs: 300_000 };

/** The cluster as the caches show it. Nothing here waits and nothing asks the API server. */
export class CachedClusterReader implements ClusterReader, DnsSource {
  readonly #options: ClusterReaderOptions;
  readonly #caches: ClusterCaches;
  readonly #namespaceReader: NamespaceReader | undefined;
  readonly #listeners: ((change: ClusterChange) => void)[] = [];
  /** Snapshots put together before, by workload, with the stamp of the namespace at that time. */
  readonly #assembled = new Map<string, { readonly stamp: number; readonly snapshot: WorkloadSnapshot }>();

  constructor(options: ClusterReaderOptions) {
    this.#options = options;
    const { resync, ...context } = options;
    this.#caches = new ClusterCaches(context, { ...RESYNC, ...resync }, (change) => this.#announce(change));
    const { client, clock, namespaces } = options;
    this.#namespaceReader = namespaces === undefined ? undefined : new NamespaceReader(client, clock, namespaces);
  }

  start(): void {
    this.#caches.start();
    void this.#namespaceReader?.start();
  }

  /** Resolves when no watch is open any more. */
  async stop(): Promise<void> {
    this.#namespaceReader?.stop();
    await this.#caches.stop();
  }

  policies(): readonly Parsed<HealingPolicy>[] {
    return this.#caches.policies.values().map((policy) => policy.parsed);
  }

  /**
   * `undefined` while they cannot be read. In single-namespace mode there is at most one, in a ConfigMap; where none is
   * named, the built-in defaults hold.
   */
  guardrails(): readonly Parsed<Guardrail>[] | undefined {
    const { guardrails } = this.#caches;
    if (guardrails === undefined) return [];
    return guardrails.readable() ? guardrails.values().map(({ parsed }) => parsed) : undefined;
  }

  guardrailStatus(name: string): GuardrailStatus | 'has none' | undefined {
    return this.#caches.guardrails
      ?.values()
      .find(({ parsed }) => (parsed.kind === 'valid' ? parsed.value.name : parsed.name) === name)?.status;
  }

  actions(): readonly StoredAction[] {
    return this.#caches.actions.values();
  }

  policyStatus(namespace: string, name: string): PolicyStatus | undefined {
    return this.#caches.policies.get(`${namespace}/${name}`)?.status;
  }

  workloads(namespace: string, target: TargetSelection): readonly WorkloadSnapshot[] {
    return this.#selected(namespace, target).map((workload) => this.#snapshot(workload));
  }

  nodes(): readonly NodeSnapshot[] {
    return this.#caches.nodes?.values() ?? [];
  }

  dnsPods(): DnsPods | undefined {
    return this.#caches.dnsPods.pods();
  }

  events(namespace: string, sinceMs: number): readonly ClusterEvent[] {
    return this.#caches.events.of(namespace, sinceMs);
  }

  namespaceLabels(namespace: string): Readonly<Record<string, string>> | undefined {
    return this.#namespace(namespace)?.labels;
  }

  synced(): boolean {
    return this.#caches.synced();
  }

  /** `Number.MAX_SAFE_INTEGER` before the first list: a number, so that inputs stay serialisable. */
  ageMs(): number {
    const age = this.#options.clock.monotonicMs() - this.#caches.confirmedAtMs();
    return Number.isFinite(age) ? Math.max(0, age) : Number.MAX_SAFE_INTEGER;
  }

  ages(): readonly { readonly kind: string; readonly ageMs: number }[] {
    const nowMs = this.#options.clock.monotonicMs();
    return this.#caches.confirmed().map(({ kind, atMs }) => ({ kind, ageMs: Math.max(0, nowMs - atMs) }));
  }

  onChange(listener: (change: ClusterChange) => void): void {
    this.#listeners.push(listener);
  }

  /** Which resources cannot be read, and why: for `/health`. Definitions that need not exist are none. */
  problems(): readonly WatchProblem[] {
    return this.#caches.problems();
  }

  #selected(namespace: string, { kind, name, selector }: TargetSelection): readonly CachedWorkload[] {
    if (name !== undefined) {
      const workload = this.#caches.workloads[kind].get(`${namespace}/${name}`);
      return workload === undefined ? [] : [workload];
    }
    // An empty selector never means "all" (I5); the schema refuses it, and so does this.
    if (selector === undefined || isEmpty(selector)) return [];
    return this.#caches.workloadsByNamespace
      .of(`${kind} ${namespace}`)
      .filter((workload) => selects(selector, workload.labels));
  }

  #snapshot(workload: CachedWorkload): WorkloadSnapshot {
    const { namespace } = workload.ref;
    const key = workloadKey(workload.ref);
    const stamp = this.#caches.stamp(namespace);
    const known = this.#assembled.get(key);
    if (known?.stamp === stamp) return known.snapshot;
    const snapshot = this.#assemble(workload);
    // Workloads come and go; what is not asked for any more need not stay.
    if (this.#assembled.size > 5_000) this.#assembled.clear();
    this.#assembled.set(key, { stamp, snapshot });
    return snapshot;
  }

  #assemble(workload: CachedWorkload): WorkloadSnapshot {
    const caches = this.#caches;
    const { namespace, uid } = workload.ref;
    const replicaSets = caches.replicaSetsByController.of(uid);
    const owners = replicaSets.length > 0 ? replicaSets.map((set) => set.uid) : [uid];
    const known = caches.autoscalers.readable() && caches.scaledObjects.readable();
    return assemble({
      workload,
      replicaSets,
      pods: owners.flatMap((owner) => caches.podsByController.of(owner)),
      autoscalers: known ? caches.autoscalersByNamespace.of(namespace) : undefined,
      budgets: caches.budgetsByNamespace.of(namespace),
      quotas: caches.quotasByNamespace.of(namespace),
      namespace: this.#namespace(namespace),
    });
  }

  #namespace(name: string): CachedNamespace | undefined {
    return this.#caches.namespaces?.get(name) ?? this.#namespaceReader?.get(name);
  }

  #announce(change: ClusterChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (fault) {
        this.#options.log.error('a listener failed on a change', { ...change, error: messageOf(fault) });
      }
    }
  }
}
