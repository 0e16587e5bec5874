import { actionStatusObject } from '../../../src/api/v1alpha1/convert-action.ts';
import { REVERSAL_FINALIZER } from '../../../src/api/v1alpha1/labels.ts';
import { guardrailStatusObject } from '../../../src/api/v1alpha1/guardrail-status.ts';
import { policyStatusObject } from '../../../src/api/v1alpha1/policy-status.ts';
import type {
  ApiFault,
  ClusterChange,
  ClusterReader,
  ClusterWriter,
  Parsed,
  StoredAction,
} from '../../../src/controller/ports.ts';
import type { ActionStatus } from '../../../src/healing/decision.ts';
import type { GuardrailStatus } from '../../../src/healing/guardrail-status.ts';
import type { PolicyStatus } from '../../../src/healing/policy-status.ts';
import { err, ok, type Result } from '../../../src/lib/result.ts';
import type { ClusterEvent, NodeSnapshot, WorkloadRef, WorkloadSnapshot } from '../../../src/lib/workload.ts';
import type { Intent } from '../../../src/policy/action.ts';
import type { Guardrail, HealingPolicy } from '../../../src/policy/healing-policy.ts';
import { selectsTarget } from '../../../src/policy/match.ts';
import type { FakeCluster, View } from './fake-cluster.ts';
import type { FakeProcess } from './fake-process.ts';

/** How one replica's watches behave. */
export interface WatchManner {
  /** A change is seen so much later. */
  readonly lagMs: number;
  /** Each change is told so often. */
  readonly repeats: number;
}

/** The caches of one process: what its watches have shown so far. */
export class FakeClusterReader implements ClusterReader {
  readonly #cluster: FakeCluster;
  readonly #listeners: ((change: ClusterChange) => void)[] = [];
  #view: View;
  /** Milliseconds without a word from the watches. */
  silentMs = 0;
  isSynced = true;

  constructor(cluster: FakeCluster, process: FakeProcess, manner: WatchManner) {
    this.#cluster = cluster;
    this.#view = cluster.view();
    const stop = cluster.watch((change) => {
      if (manner.lagMs === 0) this.#show(cluster.view(), change, manner.repeats);
      else {
        const then = cluster.view();
        process.clock.after(manner.lagMs, () => this.#show(then, change, manner.repeats));
      }
    });
    process.onDeath(stop);
  }

  #show(view: View, change: ClusterChange, repeats: number): void {
    this.#view = view;
    for (let time = 0; time < repeats; time++) for (const listener of this.#listeners) listener(change);
  }

  policies(): readonly Parsed<HealingPolicy>[] {
    return this.#view.policies;
  }

  guardrails(): readonly Parsed<Guardrail>[] | undefined {
    return this.#view.guardrails;
  }

  guardrailStatus(name: string): GuardrailStatus | undefined {
    return this.#view.guardrailStatuses.get(name);
  }

  actions(): readonly StoredAction[] {
    return this.#view.actions;
  }

  policyStatus(namespace: string, name: string): PolicyStatus | undefined {
    return this.#view.statuses.get(`${namespace}/${name}`);
  }

  workloads(namespace: string, { kind, name, selector }: HealingPolicy['target']): readonly WorkloadSnapshot[] {
    return this.#view.workloads.filter(
      ({ ref, labels }) =>
        ref.namespace === namespace &&
        ref.kind === kind &&
        (name === undefined ? selector !== undefined && selectsTarget(selector, labels) : ref.name === name),
    );
  }

  nodes(): readonly NodeSnapshot[] {
    return this.#cluster.nodes;
  }

  events(namespace: string, sinceMs: number): readonly ClusterEvent[] {
    return this.#cluster.events.filter((event) => event.namespace === namespace && event.lastAtMs >= sinceMs);
  }

  namespaceLabels(namespace: string): Readonly<Record<string, string>> | undefined {
    return this.#view.workloads.some(({ ref }) => ref.namespace === namespace) ? { name: namespace } : undefined;
  }

  synced(): boolean {
    return this.isSynced;
  }

  ageMs(): number {
    return this.silentMs;
  }

  ages(): readonly { readonly kind: string; readonly ageMs: number }[] {
    return [{ kind: 'pods', ageMs: this.silentMs }];
  }

  onChange(listener: (change: ClusterChange) => void): void {
    this.#listeners.push(listener);
  }
}

const fault = (kind: ApiFault['kind'], message: string): Result<never, ApiFault> => err({ kind, message });

/** Live reads, and the writes on Aegis's own kinds, of one process: fenced, counted, and cut off where it dies. */
export class FakeClusterWriter implements ClusterWriter {
  readonly #cluster: FakeCluster;
  readonly #process: FakeProcess;
  readonly #mayWrite: () => boolean;

  constructor(cluster: FakeCluster, process: FakeProcess, mayWrite: () => boolean) {
    this.#cluster = cluster;
    this.#process = process;
    this.#mayWrite = mayWrite;
  }

  readWorkload({
    namespace,
    name,
  }: Pick<WorkloadRef, 'kind' | 'namespace' | 'name'>): Promise<Result<WorkloadSnapshot, ApiFault>> {
    return this.#process.read(() => {
      if (this.#process.world.isApiDown) return fault('Unavailable', 'the API server does not answer');
      const workload = this.#cluster.find(namespace, name);
      return workload === undefined ? fault('NotFound', `${name} not found`) : ok(workload);
    });
  }

  readAction(namespace: string, name: string): Promise<Result<StoredAction, ApiFault>> {
    return this.#process.read(() => {
      if (this.#process.world.isApiDown) return fault('Unavailable', 'the API server does not answer');
      const action = this.#cluster.action(namespace, name);
      return action === undefined ? fault('NotFound', `${name} not found`) : ok(action);
    });
  }

  createAction(intent: Intent): Promise<Result<StoredAction, ApiFault>> {
    return this.#write('create', intent.name, () => this.#cluster.create(intent));
  }

  writeActionStatus(action: StoredAction, status: ActionStatus): Promise<Result<StoredAction, ApiFault>> {
    const before = JSON.stringify(actionStatusObject(action.intent, action.status));
    const after = actionStatusObject(action.intent, status);
    if (action.isStatusShown !== false && JSON.stringify(after) === before) return Promise.resolve(ok(action));
    return this.#write('status', action.intent.name, () => this.#cluster.update(action, { status: after }));
  }

  answerApproval(
    action: StoredAction,
    { decision, by, reason }: NonNullable<StoredAction['approval']>,
  ): Promise<Result<StoredAction, ApiFault>> {
    return this.#write('approve', action.intent.name, () => {
      if (!this.#cluster.isAsRead(action)) return undefined;
      this.#cluster.answerApproval(action.intent.name, decision, action.intent.namespace, { by, reason });
      return this.#cluster.action(action.intent.namespace, action.intent.name);
    });
  }

  setActionFinalizer(action: StoredAction, present: boolean): Promise<Result<StoredAction, ApiFault>> {
    if (action.finalizers.includes(REVERSAL_FINALIZER) === present) return Promise.resolve(ok(action));
    const finalizers = present ? [REVERSAL_FINALIZER] : [];
    return this.#write('finalizer', action.intent.name, () => this.#cluster.update(action, { finalizers }));
  }

  async deleteAction(action: StoredAction): Promise<Result<void, ApiFault>> {
    const { namespace, name } = action.intent;
    const done = await this.#write('delete', name, () => {
      if (this.#cluster.action(namespace, name) === undefined) return action;
      this.#cluster.requestDeletion(name, namespace);
      return action;
    });
    return done.ok ? ok(undefined) : done;
  }

  async writePolicyStatus(
    { namespace, name }: { readonly namespace: string; readonly name: string },
    status: PolicyStatus,
  ): Promise<Result<void, ApiFault>> {
    const wire = policyStatusObject(status);
    const done = await this.#write('policy-status', name, () =>
      this.#cluster.putPolicyStatus(namespace, name, wire) ? 'written' : undefined,
    );
    if (done.ok) return ok(undefined);
    return done.error.kind === 'Conflict' ? fault('NotFound', `${name} not found`) : done;
  }

  async writeGuardrailStatus(name: string, status: GuardrailStatus): Promise<Result<void, ApiFault>> {
    const wire = guardrailStatusObject(status);
    const done = await this.#write('guardrail-status', name, () =>
      this.#cluster.putGuardrailStatus(name, wire) ? 'written' : undefined,
    );
    if (done.ok) return ok(undefined);
    return done.error.kind === 'Conflict' ? fault('NotFound', `${name} not found`) : done;
  }

  async #write<T>(verb: string, what: string, apply: () => T | undefined): Promise<Result<T, ApiFault>> {
    if (!this.#mayWrite()) return fault('Unavailable', 'not the leader: nothing was sent');
    return this.#process.mutate(`${verb} ${what}`, () => {
      const { world, name } = this.#process;
      const isRefused = world.isApiDown || world.refusesOwn(verb);
      const written = isRefused ? undefined : apply();
      this.#cluster.log({ by: name, verb, what, dryRun: false, applied: written !== undefined });
      if (isRefused) return fault('Unavailable', 'the API server does not answer');
      return written === undefined ? fault('Conflict', `${what} was changed, or exists already`) : ok(written);
    });
  }
}
