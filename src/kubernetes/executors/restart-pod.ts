import type { Executor } from '../../controller/ports.ts';
import type { Outcome, Settlement } from '../../healing/decision.ts';
import type { Clock } from '../../lib/clock.ts';
import type { PodRef, PodSnapshot, WorkloadSnapshot } from '../../lib/workload.ts';
import type { Intent } from '../../policy/action.ts';
import { LABELS } from '../../api/v1alpha1/labels.ts';
import { FIELD_MANAGER, type ApiRequest, type KubeClient } from '../client.ts';
import { RESOURCES, WORKLOAD_RESOURCES } from '../resources.ts';
import { EFFECT_DEADLINE_MS, faultOutcome } from './outcomes.ts';

/** What every executor is given. */
export interface ExecutorContext {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Asked in the moment of sending: the lease was renewed under 4 s ago. */
  readonly mayBeginEffect: () => boolean;
}

const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt';

/**
 * Restarts single pods by eviction, or a whole workload by a rollout restart. A pod is never deleted: eviction keeps
 * the disruption budgets, and the UID in the precondition keeps a pod of the same name that was made since.
 */
export class RestartPod implements Executor {
  readonly action = 'restart_pod';
  readonly #context: ExecutorContext;

  constructor(context: ExecutorContext) {
    this.#context = context;
  }

  dryRun(intent: Intent, live: WorkloadSnapshot): Promise<Outcome> {
    return this.#restart(intent, live, true);
  }

  perform(intent: Intent, live: WorkloadSnapshot): Promise<Outcome> {
    return this.#restart(intent, live, false);
  }

  /** Evictions: done once every pod is gone or going, else what remains is redone. Rollout: the annotation tells. */
  settle(intent: Intent, live: WorkloadSnapshot): Settlement {
    if (isRollout(intent)) return carriesAction(intent, live) ? 'done' : 'absent';
    return intent.pods.every((pod) => standing(pod, live) === undefined) ? 'done' : 'absent';
  }

  /** Of several pods one that goes is enough to see: the others may have been held back by a budget. */
  isVisible(intent: Intent, live: WorkloadSnapshot): boolean {
    if (isRollout(intent)) return carriesAction(intent, live);
    return intent.pods.some((pod) => standing(pod, live) === undefined);
  }

  #restart(intent: Intent, live: WorkloadSnapshot, dryRun: boolean): Promise<Outcome> {
    if (live.ref.uid !== intent.target.uid) {
      const message = `${live.ref.kind} ${live.ref.name} was replaced by another of the same name`;
      return Promise.resolve({ kind: 'refused', reason: 'TargetGone', message });
    }
    return isRollout(intent) ? this.#rollout(intent, live, dryRun) : this.#evictAll(intent, live, dryRun);
  }

  /**
   * One after the other. Once a pod was evicted the answer is `applied`, whatever held back the rest: an effect that
   * happened must be counted and verified, and the next decision sees the pods that remain.
   */
  async #evictAll(intent: Intent, live: WorkloadSnapshot, dryRun: boolean): Promise<Outcome> {
    const evicted: string[] = [];
    const deadlineMs = this.#context.clock.monotonicMs() + EFFECT_DEADLINE_MS;
    const present = intent.pods.filter((pod) => standing(pod, live) !== undefined);
    for (const pod of present) {
      const outcome = await this.#evict(intent, pod, dryRun, deadlineMs - this.#context.clock.monotonicMs());
      if (outcome.kind === 'applied') evicted.push(pod.name);
      else if (outcome.kind === 'refused') continue;
      else if (evicted.length === 0 || outcome.kind === 'ambiguous') return outcome;
      else return { kind: 'applied', detail: `evicted ${evicted.join(', ')}; then ${messageOf(outcome)}` };
    }
    // A pod that went by itself is no reason to spare the next one.
    if (evicted.length === 0) return { kind: 'refused', reason: 'TargetGone', message: 'every pod is gone already' };
    return { kind: 'applied', detail: `${dryRun ? 'would evict' : 'evicted'} ${evicted.join(', ')}` };
  }

  async #evict(intent: Intent, pod: PodRef, dryRun: boolean, deadlineMs: number): Promise<Outcome> {
    const reply = await this.#context.client.call({
      ...this.#effect(dryRun, deadlineMs),
      method: 'POST',
      target: {
        resource: RESOURCES.pods,
        namespace: intent.namespace,
        name: pod.name,
        subresource: 'eviction',
        query: query(dryRun),
      },
      body: {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name: pod.name, namespace: intent.namespace },
        deleteOptions: { preconditions: { uid: pod.uid }, ...(dryRun ? { dryRun: ['All'] } : {}) },
      },
    });
    if (reply.ok) return { kind: 'applied', detail: pod.name };
    if (reply.error.kind === 'Conflict') return this.#afterConflict(intent, pod, reply.error.message);
    return faultOutcome(reply.error, `eviction of ${pod.name}`);
  }

  /** A conflict is either the precondition (another pod bears the name now) or a race that may be judged again. */
  async #afterConflict(intent: Intent, pod: PodRef, why: string): Promise<Outcome> {
    const target = { resource: RESOURCES.pods, namespace: intent.namespace, name: pod.name };
    const reply = await this.#context.client.call({ method: 'GET', target, urgent: true });
    const uid = reply.ok ? (reply.value.metadata as { uid?: unknown } | undefined)?.uid : undefined;
    if (reply.ok && uid !== pod.uid) {
      return { kind: 'refused', reason: 'TargetGone', message: `${pod.name} was replaced by another pod of that name` };
    }
    if (!reply.ok) return faultOutcome(reply.error, `eviction of ${pod.name}`);
    return { kind: 'blocked', reason: 'TargetChanged', message: `eviction of ${pod.name}: ${why}`, retryAfterMs: 0 };
  }

  /** The time of the decision, not of the write, stands in the template: the same patch twice is one rollout. */
  async #rollout(intent: Intent, live: WorkloadSnapshot, dryRun: boolean): Promise<Outcome> {
    const { kind, namespace, name } = live.ref;
    const at = new Date(intent.decidedAtMs).toISOString();
    const marks = { [LABELS.action]: intent.name };
    const metadata = { resourceVersion: live.resourceVersion, uid: live.ref.uid };
    const body =
      kind === 'Rollout'
        ? { metadata: { ...metadata, annotations: marks }, spec: { restartAt: at } }
        : { metadata, spec: { template: { metadata: { annotations: { ...marks, [RESTARTED_AT]: at } } } } };
    const reply = await this.#context.client.call({
      ...this.#effect(dryRun, EFFECT_DEADLINE_MS),
      method: 'PATCH',
      patch: 'merge',
      target: { resource: WORKLOAD_RESOURCES[kind], namespace, name, query: query(dryRun) },
      body,
    });
    if (!reply.ok) return faultOutcome(reply.error, `rollout restart of ${name}`);
    return { kind: 'applied', detail: `${dryRun ? 'would restart' : 'restarted'} ${kind} ${name}` };
  }

  #effect(dryRun: boolean, deadlineMs: number): Pick<ApiRequest, 'deadlineMs' | 'urgent' | 'fence'> {
    return { deadlineMs, urgent: true, ...(dryRun ? {} : { fence: this.#context.mayBeginEffect }) };
  }
}

const query = (dryRun: boolean) => ({ fieldManager: FIELD_MANAGER, ...(dryRun ? { dryRun: 'All' } : {}) });

const isRollout = ({ parameters }: Intent): boolean => parameters.kind === 'restart' && parameters.how === 'rollout';

/** The pod while it is there and not going; another pod of its name does not count. */
const standing = (pod: PodRef, live: WorkloadSnapshot): PodSnapshot | undefined =>
  live.pods.find((each) => each.uid === pod.uid && each.deletedAtMs === undefined);

function carriesAction(intent: Intent, live: WorkloadSnapshot): boolean {
  const marks = live.ref.kind === 'Rollout' ? live.annotations : (live.templateAnnotations ?? {});
  return marks[LABELS.action] === intent.name;
}

const messageOf = (outcome: Outcome): string =>
  outcome.kind === 'applied' || outcome.kind === 'already' ? outcome.detail : outcome.message;
