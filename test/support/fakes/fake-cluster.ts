import { actionObject } from '../../../src/api/v1alpha1/convert-action.ts';
import type { ClusterChange, Parsed } from '../../../src/controller/ports.ts';
import type { GuardrailStatus } from '../../../src/healing/guardrail-status.ts';
import type { PolicyStatus } from '../../../src/healing/policy-status.ts';
import type { StoredAction } from '../../../src/healing/stored-action.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import type {
  ClusterEvent,
  NodeSnapshot,
  PodSnapshot,
  WorkloadKind,
  WorkloadRef,
  WorkloadSnapshot,
} from '../../../src/lib/workload.ts';
import type { Intent } from '../../../src/policy/action.ts';
import type { Guardrail, HealingPolicy } from '../../../src/policy/healing-policy.ts';
import { aContainer, aNode, aPod, aWorkload, DAY } from '../builders/workload.ts';
import { asReady } from './pod-states.ts';
import { guardrailStatusOf, parsed, policyStatusOf, type WireAction } from './wire-objects.ts';

/** One request that would change something, as the API server's audit log has it. */
export interface Request {
  readonly by: string;
  readonly verb: string;
  readonly what: string;
  readonly dryRun: boolean;
  /** The cluster was changed by it. */
  readonly applied: boolean;
  readonly atMs: number;
}

/** All that a watch shows at one moment. */
export interface View {
  readonly policies: readonly Parsed<HealingPolicy>[];
  readonly guardrails: readonly Parsed<Guardrail>[] | undefined;
  readonly guardrailStatuses: ReadonlyMap<string, GuardrailStatus>;
  readonly statuses: ReadonlyMap<string, PolicyStatus>;
  readonly actions: readonly StoredAction[];
  readonly workloads: readonly WorkloadSnapshot[];
}

export interface WorkloadSpec {
  readonly name: string;
  readonly kind?: WorkloadKind;
  readonly namespace?: string;
  readonly pods: number;
  /** When the pods were made; by default a day before the cluster. */
  readonly bornAtMs?: number;
  readonly over?: Partial<WorkloadSnapshot>;
}

const EFFECT_VERBS = new Set(['evict', 'scale', 'minimum', 'rollout', 'limit', 'unlimit', 'cache', 'hook']);

/** How long the kubelet and the workload's controller take. */
const GRACE_MS = 2_000;
const START_MS = 5_000;

/**
 * An API server with the controllers that evictions and Deployments need: versions that conflict, names that exist
 * once, finalizers that hold deletion, pods that end after their grace period and are replaced.
 */
export class FakeCluster {
  readonly clock: Clock;
  readonly requests: Request[] = [];
  readonly nodes: NodeSnapshot[] = [aNode()];
  /** Kubernetes Events, as somebody else wrote them. */
  readonly events: ClusterEvent[] = [];
  guardrailsReadable = true;
  /** What a pod of this workload becomes when it is made: a template that crashes, an image that does not exist. */
  newborn: (pod: PodSnapshot, workload: WorkloadRef) => PodSnapshot = (pod) => pod;
  /** What it becomes when its containers have started. */
  started: (pod: PodSnapshot, workload: WorkloadRef) => PodSnapshot = (pod) => pod;
  readonly #policies = new Map<string, Parsed<HealingPolicy>>();
  readonly #statuses = new Map<string, object>();
  readonly #guardrails = new Map<string, Parsed<Guardrail>>();
  readonly #guardrailStatuses = new Map<string, object>();
  readonly #actions = new Map<string, WireAction>();
  readonly #workloads = new Map<string, WorkloadSnapshot>();
  readonly #watchers = new Set<(change: ClusterChange) => void>();
  /** The template that a rollout brings: pods of another one are not updated. */
  readonly #templates = new Map<string, string>();
  readonly #dayBeforeMs: number;
  #version = 100;
  #serial = 0;

  constructor(clock: Clock) {
    this.clock = clock;
    this.#dayBeforeMs = clock.nowMs() - DAY;
  }

  // ------------------------------------------------------------ people

  putPolicy(policy: HealingPolicy): void {
    this.#policies.set(`${policy.namespace}/${policy.name}`, { kind: 'valid', value: policy });
    this.#announce('policy', policy.namespace, policy.name);
  }

  /** As `kubectl apply` of a changed spec does. */
  editPolicy(name: string, change: (policy: HealingPolicy) => HealingPolicy, namespace = 'shop'): void {
    const known = this.#policies.get(`${namespace}/${name}`);
    if (known?.kind !== 'valid') throw new Error(`there is no policy ${name}`);
    const generation = known.value.generation + 1;
    this.putPolicy({ ...change(known.value), generation, hash: `hash-${generation}` });
  }

  putInvalidPolicy(parsed: Parsed<HealingPolicy> & { readonly kind: 'invalid' }): void {
    this.#policies.set(`${parsed.namespace}/${parsed.name}`, parsed);
    this.#announce('policy', parsed.namespace, parsed.name);
  }

  deletePolicy(name: string, namespace = 'shop'): void {
    this.#policies.delete(`${namespace}/${name}`);
    this.#announce('policy', namespace, name);
  }

  deleteGuardrail(name: string): void {
    this.#guardrails.delete(name);
    this.#announce('guardrail', '', name);
  }

  putGuardrail(guardrail: Guardrail): void {
    this.#guardrails.set(guardrail.name, { kind: 'valid', value: guardrail });
    this.#announce('guardrail', '', guardrail.name);
  }

  putInvalidGuardrail(parsed: Parsed<Guardrail> & { readonly kind: 'invalid' }): void {
    this.#guardrails.set(parsed.name, parsed);
    this.#announce('guardrail', '', parsed.name);
  }

  guardrailStatus(name: string): GuardrailStatus | undefined {
    return this.view().guardrailStatuses.get(name);
  }

  addWorkload(spec: WorkloadSpec): WorkloadRef {
    const { name, kind = 'Deployment', namespace = 'shop', pods, bornAtMs = this.#dayBeforeMs, over = {} } = spec;
    const uid = namespace === 'shop' ? `w-${name}` : `w-${namespace}-${name}`;
    const ref: WorkloadRef = { apiVersion: 'apps/v1', kind, namespace, name, uid };
    const made = Array.from({ length: pods }, () => this.#makePod(ref, bornAtMs));
    const ready = made.map((pod) => asReady(pod, bornAtMs));
    this.#put(aWorkload({ labels: { app: name }, ...over, ref, pods: ready }));
    return ref;
  }

  deleteWorkload(name: string, namespace = 'shop'): void {
    this.#workloads.delete(`${namespace}/${name}`);
    this.#announce('workload', namespace, name);
  }

  /** Changes the workload, as its owner or another controller does. */
  editWorkload(name: string, change: (workload: WorkloadSnapshot) => WorkloadSnapshot, namespace = 'shop'): void {
    this.#put(change(this.workload(name, namespace)));
  }

  editPod(name: string, change: (pod: PodSnapshot) => PodSnapshot, namespace = 'shop'): void {
    const owner = [...this.#workloads.values()].find(
      ({ ref, pods }) => ref.namespace === namespace && pods.some((pod) => pod.name === name),
    );
    if (owner === undefined) throw new Error(`there is no pod ${name}`);
    this.#put({ ...owner, pods: owner.pods.map((pod) => (pod.name === name ? change(pod) : pod)) });
  }

  /** `kubectl aegis approve`: the answer stands in the spec. */
  answerApproval(
    name: string,
    decision: 'Approved' | 'Denied',
    namespace = 'shop',
    from = { by: 'ada', reason: 'looked at it' },
  ): void {
    const action = this.#wire(namespace, name);
    const time = new Date(this.clock.nowMs()).toISOString();
    const approval = { decision, ...from, time };
    this.#store({ ...action, spec: { ...action.spec, approval } });
  }

  requestDeletion(name: string, namespace = 'shop'): void {
    const action = this.#wire(namespace, name);
    if (action.metadata.finalizers.length === 0) return this.#drop(action);
    const deletionTimestamp = new Date(this.clock.nowMs()).toISOString();
    this.#store({ ...action, metadata: { ...action.metadata, deletionTimestamp } });
  }

  /** Somebody else writes another state over the one that the object shows. */
  forgeState(name: string, state: string, namespace = 'shop'): void {
    const wire = this.#wire(namespace, name);
    this.#store({ ...wire, status: { ...wire.status, state } });
  }

  // ------------------------------------------------------------ reads

  workload(name: string, namespace = 'shop'): WorkloadSnapshot {
    const workload = this.#workloads.get(`${namespace}/${name}`);
    if (workload === undefined) throw new Error(`there is no workload ${name}`);
    return workload;
  }

  find(namespace: string, name: string): WorkloadSnapshot | undefined {
    return this.#workloads.get(`${namespace}/${name}`);
  }

  workloads(): readonly WorkloadSnapshot[] {
    return [...this.#workloads.values()];
  }

  actions(): readonly StoredAction[] {
    return [...this.#actions.values()].map(parsed);
  }

  action(namespace: string, name: string): StoredAction | undefined {
    const wire = this.#actions.get(`${namespace}/${name}`);
    return wire === undefined ? undefined : parsed(wire);
  }

  /** `status.state` as people see it; empty before the first status was written. */
  shownState(name: string, namespace = 'shop'): string {
    const { status } = this.#wire(namespace, name);
    return status !== undefined && 'state' in status ? String(status.state) : '';
  }

  policyStatus(name: string, namespace = 'shop'): PolicyStatus | undefined {
    return policyStatusOf(this.#statuses.get(`${namespace}/${name}`));
  }

  view(): View {
    const names = [...this.#statuses.keys()];
    return {
      policies: [...this.#policies.values()],
      guardrails: this.guardrailsReadable ? [...this.#guardrails.values()] : undefined,
      guardrailStatuses: new Map(
        [...this.#guardrailStatuses].flatMap(([name, wire]) => {
          const status = guardrailStatusOf(wire);
          return status === undefined ? [] : [[name, status] as const];
        }),
      ),
      statuses: new Map(
        names.flatMap((key) => {
          const status = policyStatusOf(this.#statuses.get(key));
          return status === undefined ? [] : [[key, status] as const];
        }),
      ),
      actions: this.actions(),
      workloads: this.workloads(),
    };
  }

  watch(listener: (change: ClusterChange) => void): () => void {
    this.#watchers.add(listener);
    return () => void this.#watchers.delete(listener);
  }

  /** Everything that was really done to workloads: evictions, rollouts, scale writes, limits, caches cleared. */
  effects(): readonly string[] {
    const isEffect = ({ verb, applied, dryRun }: Request): boolean => applied && !dryRun && EFFECT_VERBS.has(verb);
    return this.requests.filter(isEffect).map(({ verb, what }) => `${verb} ${what}`);
  }

  /** Requests that changed something that is none of Aegis's own, or tried to without a dry run. */
  foreignWrites(): readonly Request[] {
    return this.requests.filter(({ verb, dryRun }) => !dryRun && EFFECT_VERBS.has(verb));
  }

  log(request: Omit<Request, 'atMs'>): void {
    this.requests.push({ ...request, atMs: this.clock.nowMs() });
  }

  // ------------------------------------------------------------ Aegis's own kinds

  /** `undefined`: the name is taken. */
  create(intent: Intent): StoredAction | undefined {
    const key = `${intent.namespace}/${intent.name}`;
    if (this.#actions.has(key)) return undefined;
    const made = JSON.parse(JSON.stringify(actionObject(intent))) as Pick<WireAction, 'metadata' | 'spec'>;
    const creationTimestamp = new Date(Math.floor(this.clock.nowMs() / 1000) * 1000).toISOString();
    const metadata = { ...made.metadata, uid: `a-${++this.#serial}`, creationTimestamp, finalizers: [] };
    return parsed(this.#store({ ...made, metadata }));
  }

  /** Nobody has written it since. */
  isAsRead({ intent, uid, resourceVersion }: Pick<StoredAction, 'uid' | 'resourceVersion' | 'intent'>): boolean {
    const known = this.#actions.get(`${intent.namespace}/${intent.name}`);
    return known?.metadata.resourceVersion === resourceVersion && known.metadata.uid === uid;
  }

  /** Replaces status or finalizers under the version that was read; `undefined`: it is another by now, or gone. */
  update(
    read: Pick<StoredAction, 'uid' | 'resourceVersion' | 'intent'>,
    change: { readonly status?: object; readonly finalizers?: readonly string[] },
  ): StoredAction | undefined {
    const { namespace, name } = read.intent;
    const known = this.#actions.get(`${namespace}/${name}`);
    if (known?.metadata.resourceVersion !== read.resourceVersion || known.metadata.uid !== read.uid) return undefined;
    const { status = known.status, finalizers = known.metadata.finalizers } = change;
    const next: WireAction = {
      ...known,
      metadata: { ...known.metadata, finalizers },
      ...(status !== undefined && { status: JSON.parse(JSON.stringify(status)) as object }),
    };
    if (next.metadata.deletionTimestamp !== undefined && finalizers.length === 0) {
      this.#drop(next);
      return parsed(next);
    }
    return parsed(this.#store(next));
  }

  putPolicyStatus(namespace: string, name: string, status: object): boolean {
    const key = `${namespace}/${name}`;
    if (!this.#policies.has(key)) return false;
    this.#statuses.set(key, JSON.parse(JSON.stringify(status)) as object);
    this.#announce('policy', namespace, name);
    return true;
  }

  putGuardrailStatus(name: string, status: object): boolean {
    if (!this.#guardrails.has(name)) return false;
    this.#guardrailStatuses.set(name, JSON.parse(JSON.stringify(status)) as object);
    this.#announce('guardrail', '', name);
    return true;
  }

  // ------------------------------------------------------------ workloads

  /** Begins the end of a pod; its controller makes another. False: it was on its way out already. */
  evict(namespace: string, name: string): boolean {
    const pod = this.podNamed(namespace, name);
    if (pod === undefined || pod.deletedAtMs !== undefined) return false;
    this.editPod(name, (each) => ({ ...each, deletedAtMs: this.clock.nowMs() + GRACE_MS }), namespace);
    this.clock.after(GRACE_MS, () => this.#removePod(namespace, pod.uid));
    this.#converge(namespace, pod.uid);
    return true;
  }

  scale(namespace: string, name: string, replicas: number): void {
    const workload = this.workload(name, namespace);
    const generation = workload.generation + 1;
    const counts = { ...workload.replicas, desired: replicas };
    this.#put({ ...workload, generation, observedGeneration: generation, replicas: counts });
    this.#fill(workload.ref);
  }

  rollout(namespace: string, name: string, annotations: Readonly<Record<string, string>>): void {
    const workload = this.workload(name, namespace);
    const generation = workload.generation + 1;
    this.#put({ ...workload, generation, observedGeneration: generation, templateAnnotations: annotations });
    for (const pod of workload.pods) this.evict(namespace, pod.name);
  }

  /** The workload whose replicas an autoscaler of this name holds. */
  scaledBy(namespace: string, autoscaler: string): WorkloadSnapshot | undefined {
    return this.workloads().find(
      ({ ref, autoscalers }) => ref.namespace === namespace && autoscalers.some(({ name }) => name === autoscaler),
    );
  }

  /** Another minimum of an autoscaler, which scales to it as its controller does. */
  setMinimum(namespace: string, autoscaler: string, minReplicas: number): void {
    const scaled = this.scaledBy(namespace, autoscaler);
    if (scaled === undefined) throw new Error(`there is no autoscaler ${autoscaler}`);
    const autoscalers = scaled.autoscalers.map((each) => (each.name === autoscaler ? { ...each, minReplicas } : each));
    this.#put({ ...scaled, autoscalers });
    if (scaled.replicas.desired < minReplicas) this.scale(namespace, scaled.ref.name, minReplicas);
  }

  /** A new template: from now on only pods of this hash count as updated. */
  setTemplate(namespace: string, name: string, hash: string): void {
    this.#templates.set(`${namespace}/${name}`, hash);
    const { generation, ...workload } = this.workload(name, namespace);
    this.#put({ ...workload, generation: generation + 1, observedGeneration: generation + 1 });
  }

  /** A pod more than are desired, as a rolling update makes one before it lets an old one go. */
  surge({ namespace, name }: Pick<WorkloadRef, 'namespace' | 'name'>): void {
    const workload = this.workload(name, namespace);
    this.#put({ ...workload, pods: [...workload.pods, ...this.#makePods(workload.ref, 1)] });
  }

  podNamed(namespace: string, name: string): PodSnapshot | undefined {
    return [...this.#workloads.values()]
      .filter(({ ref }) => ref.namespace === namespace)
      .flatMap(({ pods }) => pods)
      .find((pod) => pod.name === name);
  }

  #converge(namespace: string, podUid: string): void {
    for (const { ref, pods } of this.#workloads.values()) {
      if (ref.namespace === namespace && pods.some(({ uid }) => uid === podUid)) this.#fill(ref);
    }
  }

  /** As many living pods as are desired: new ones start, the newest go. */
  #fill({ namespace, name }: WorkloadRef): void {
    const workload = this.#workloads.get(`${namespace}/${name}`);
    if (workload === undefined) return;
    const living = workload.pods.filter(({ deletedAtMs }) => deletedAtMs === undefined);
    const missing = workload.replicas.desired - living.length;
    if (missing > 0) {
      this.#put({ ...workload, pods: [...workload.pods, ...this.#makePods(workload.ref, missing)] });
      return;
    }
    for (const pod of living.slice(workload.replicas.desired)) this.evict(namespace, pod.name);
  }

  /** Pods that begin to start now. */
  #makePods(ref: WorkloadRef, count: number): readonly PodSnapshot[] {
    const nowMs = this.clock.nowMs();
    const made = Array.from({ length: count }, () => this.newborn(this.#makePod(ref, nowMs), ref));
    for (const { uid } of made) this.clock.after(START_MS, () => this.#startPod(ref, uid));
    return made;
  }

  #makePod({ namespace, name }: WorkloadRef, createdAtMs: number): PodSnapshot {
    const serial = ++this.#serial;
    return aPod(0, {
      ...{ name: `${name}-${serial}`, uid: `uid-${serial}`, namespace, createdAtMs, phase: 'Pending', ready: false },
      ...{ labels: { app: name }, podIP: `10.1.0.${serial % 250}` },
      conditions: [{ type: 'Ready', status: 'False', changedAtMs: createdAtMs }],
      containers: [aContainer({ ready: false, state: 'waiting', waitingReason: 'ContainerCreating' })],
    });
  }

  #startPod(ref: WorkloadRef, uid: string): void {
    const pod = [...this.#workloads.values()].flatMap(({ pods }) => pods).find((each) => each.uid === uid);
    const isBound = pod?.conditions.every(({ type, status }) => type !== 'PodScheduled' || status === 'True') ?? false;
    const isStarting = pod?.containers[0]?.waitingReason === 'ContainerCreating';
    if (pod === undefined || pod.deletedAtMs !== undefined || !isBound || !isStarting) return;
    this.editPod(pod.name, (each) => this.started(asReady(each, this.clock.nowMs()), ref), ref.namespace);
  }

  #removePod(namespace: string, uid: string): void {
    for (const workload of this.#workloads.values()) {
      if (workload.ref.namespace !== namespace || !workload.pods.some((pod) => pod.uid === uid)) continue;
      this.#put({ ...workload, pods: workload.pods.filter((pod) => pod.uid !== uid) });
    }
  }

  /** Stores the workload with the counts that its pods give it, under a new version. */
  #put(workload: WorkloadSnapshot): void {
    const { ref, pods, replicas } = workload;
    const ready = pods.filter((pod) => pod.ready && pod.deletedAtMs === undefined).length;
    // A pod on its way out is no replica of its controller any more.
    const living = pods.filter((pod) => pod.deletedAtMs === undefined);
    const current = living.length;
    const hash = this.#templates.get(`${ref.namespace}/${ref.name}`);
    const updated = hash === undefined ? current : living.filter(({ templateHash }) => templateHash === hash).length;
    this.#workloads.set(`${ref.namespace}/${ref.name}`, {
      ...workload,
      resourceVersion: String(++this.#version),
      replicas: { ...replicas, current, updated, ready, available: ready },
    });
    this.#announce('pod', ref.namespace, ref.name);
  }

  #wire(namespace: string, name: string): WireAction {
    const action = this.#actions.get(`${namespace}/${name}`);
    if (action === undefined) throw new Error(`there is no action ${name}`);
    return action;
  }

  #store(action: WireAction): WireAction {
    const { namespace, name } = action.metadata;
    const next = { ...action, metadata: { ...action.metadata, resourceVersion: String(++this.#version) } };
    this.#actions.set(`${namespace}/${name}`, next);
    this.#announce('action', namespace, name);
    return next;
  }

  #drop({ metadata: { namespace, name } }: WireAction): void {
    this.#actions.delete(`${namespace}/${name}`);
    this.#announce('action', namespace, name);
  }

  #announce(kind: ClusterChange['kind'], namespace: string, name: string): void {
    for (const watcher of this.#watchers) watcher({ kind, namespace, name });
  }
}
