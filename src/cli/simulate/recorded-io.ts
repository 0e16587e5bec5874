import type { ApiFault, ClusterReader, ClusterWriter, Executor, Parsed } from '../../controller/ports.ts';
import type { ActionStatus, Outcome } from '../../healing/decision.ts';
import type { PolicyStatus } from '../../healing/policy-status.ts';
import type { StoredAction } from '../../healing/stored-action.ts';
import type { Clock } from '../../lib/clock.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import type { WorkloadRef, WorkloadSnapshot } from '../../lib/workload.ts';
import { EFFECTS, type EffectName, type Intent } from '../../policy/action.ts';
import type { Guardrail, HealingPolicy } from '../../policy/healing-policy.ts';
import type { RecordedCluster } from './recorded-cluster.ts';

type ChangeListener = Parameters<ClusterReader['onChange']>[0];

/** Aegis's own objects during a replay, over the workloads of the record: reads and writes of one process that leads. */
export class RecordedIo implements ClusterReader, ClusterWriter {
  readonly #cluster: RecordedCluster;
  readonly #policies: readonly HealingPolicy[];
  readonly #guardrails: readonly Guardrail[];
  readonly #clock: Clock;
  readonly #actions = new Map<string, StoredAction>();
  readonly #statuses = new Map<string, PolicyStatus>();
  readonly #listeners: ChangeListener[] = [];
  #version = 1;

  constructor(deps: {
    readonly cluster: RecordedCluster;
    readonly policies: readonly HealingPolicy[];
    readonly guardrails: readonly Guardrail[];
    readonly clock: Clock;
  }) {
    this.#cluster = deps.cluster;
    this.#policies = deps.policies;
    this.#guardrails = deps.guardrails;
    this.#clock = deps.clock;
  }

  policies(): readonly Parsed<HealingPolicy>[] {
    return this.#policies.map((value) => ({ kind: 'valid', value }));
  }

  guardrails(): readonly Parsed<Guardrail>[] {
    return this.#guardrails.map((value) => ({ kind: 'valid', value }));
  }

  actions(): readonly StoredAction[] {
    return [...this.#actions.values()];
  }

  policyStatus(namespace: string, name: string): PolicyStatus | undefined {
    return this.#statuses.get(`${namespace}/${name}`);
  }

  guardrailStatus(): 'has none' {
    return 'has none';
  }

  workloads(namespace: string, target: HealingPolicy['target']): readonly WorkloadSnapshot[] {
    return this.#cluster.select(namespace, target, this.#clock.nowMs());
  }

  nodes(): readonly [] {
    return [];
  }

  events(): readonly [] {
    return [];
  }

  namespaceLabels(name: string): Readonly<Record<string, string>> {
    return { 'kubernetes.io/metadata.name': name };
  }

  synced(): boolean {
    return true;
  }

  ageMs(): number {
    return 0;
  }

  ages(): readonly [] {
    return [];
  }

  onChange(listener: ChangeListener): void {
    this.#listeners.push(listener);
  }

  // ------------------------------------------------------------ writes

  readWorkload(ref: Pick<WorkloadRef, 'kind' | 'namespace' | 'name'>): Promise<Result<WorkloadSnapshot, ApiFault>> {
    const found = this.#cluster.find(ref, this.#clock.nowMs());
    return Promise.resolve(found === undefined ? absent(ref.name) : ok(found));
  }

  readAction(namespace: string, name: string): Promise<Result<StoredAction, ApiFault>> {
    const found = this.#actions.get(`${namespace}/${name}`);
    return Promise.resolve(found === undefined ? absent(name) : ok(found));
  }

  createAction(intent: Intent): Promise<Result<StoredAction, ApiFault>> {
    if (this.#actions.has(`${intent.namespace}/${intent.name}`)) {
      return Promise.resolve(err({ kind: 'Conflict', message: `${intent.name} exists already` }));
    }
    const createdAtMs = this.#clock.nowMs();
    const made = {
      intent,
      status: { attempts: [] },
      uid: intent.name,
      createdAtMs,
      finalizers: [],
      resourceVersion: '0',
    };
    return Promise.resolve(ok(this.#put({ ...made, isStatusShown: false })));
  }

  writeActionStatus(action: StoredAction, status: ActionStatus): Promise<Result<StoredAction, ApiFault>> {
    return Promise.resolve(ok(this.#put({ ...action, status, isStatusShown: true })));
  }

  answerApproval(action: StoredAction): Promise<Result<StoredAction, ApiFault>> {
    return Promise.resolve(ok(action));
  }

  setActionFinalizer(action: StoredAction): Promise<Result<StoredAction, ApiFault>> {
    return Promise.resolve(ok(action));
  }

  deleteAction({ intent }: StoredAction): Promise<Result<void, ApiFault>> {
    this.#actions.delete(`${intent.namespace}/${intent.name}`);
    return Promise.resolve(ok(undefined));
  }

  writeGuardrailStatus(): Promise<Result<void, ApiFault>> {
    return Promise.resolve(ok(undefined));
  }

  writePolicyStatus(
    { namespace, name }: { readonly namespace: string; readonly name: string },
    status: PolicyStatus,
  ): Promise<Result<void, ApiFault>> {
    this.#statuses.set(`${namespace}/${name}`, status);
    return Promise.resolve(ok(undefined));
  }

  #put(action: StoredAction): StoredAction {
    const { namespace, name } = action.intent;
    const stored = { ...action, resourceVersion: String(++this.#version) };
    this.#actions.set(`${namespace}/${name}`, stored);
    for (const listener of this.#listeners) listener({ kind: 'action', namespace, name });
    return stored;
  }
}

const absent = (name: string): Result<never, ApiFault> =>
  err({ kind: 'NotFound', message: `${name} is not in the record` });

const applied = (detail: string): Promise<Outcome> => Promise.resolve({ kind: 'applied', detail });

/** Every effect is taken to have been carried out. Only what was scaled shows it: the pods of a record do as they did. */
export function recordedExecutors(cluster: RecordedCluster): ReadonlyMap<EffectName, Executor> {
  const executor = (action: EffectName): Executor => ({
    action,
    dryRun: () => applied('not asked: a replay has no server'),
    perform({ target, parameters }) {
      if (parameters.kind === 'scale') cluster.scale(target.uid, parameters.to);
      return applied('taken to have been done');
    },
    settle: () => 'done',
    isVisible: () => true,
    undo({ target, parameters }) {
      if (parameters.kind === 'scale') cluster.scale(target.uid, parameters.from);
      return applied('taken to have been taken back');
    },
  });
  return new Map(EFFECTS.map((action) => [action, executor(action)]));
}
