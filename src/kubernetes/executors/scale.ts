import type { Executor } from '../../controller/ports.ts';
import type { Outcome, Settlement } from '../../healing/decision.ts';
import { type Result, err, ok } from '../../lib/result.ts';
import type { WorkloadSnapshot } from '../../lib/workload.ts';
import type { ActionParameters, Intent } from '../../policy/action.ts';
import { type ApiRequest, FIELD_MANAGER } from '../client.ts';
import { type Json, at, count, metaOf } from '../json.ts';
import { RESOURCES, WORKLOAD_RESOURCES } from '../resources.ts';
import { EFFECT_DEADLINE_MS, faultOutcome } from './outcomes.ts';
import type { ExecutorContext } from './restart-pod.ts';

type ScaleParameters = ActionParameters & { readonly kind: 'scale' };

/** A number in the cluster with the version under which it was read. */
interface Field {
  readonly value: number;
  readonly object: Json;
}

/** One step: the field must hold `expected`, and gets `wanted`. */
interface Step {
  readonly expected: number;
  readonly wanted: number;
  readonly dryRun: boolean;
  /** An undo is not a new effect: the lease must be fresh enough to write, no more. */
  readonly undo: boolean;
}

/**
 * Writes replicas through the scale subresource, or the minimum of an HPA where the policy opted in. The version that
 * was just read is the precondition, so of two writers one gets a 409. A value that is neither the baseline nor ours
 * belongs to somebody else and is left alone.
 */
export class Scale implements Executor {
  readonly action: 'scale_up' | 'scale_down';
  readonly #context: ExecutorContext;

  constructor(action: 'scale_up' | 'scale_down', context: ExecutorContext) {
    this.action = action;
    this.#context = context;
  }

  dryRun(intent: Intent, live: WorkloadSnapshot): Promise<Outcome> {
    return this.#forward(intent, live, true);
  }

  perform(intent: Intent, live: WorkloadSnapshot): Promise<Outcome> {
    return this.#forward(intent, live, false);
  }

  /** At the new value: done; at the baseline: not sent; at a third: somebody else's. */
  settle(intent: Intent, live: WorkloadSnapshot): Settlement {
    const parameters = scaleOf(intent);
    if (parameters === undefined) return 'unprovable';
    const value = shown(parameters, live);
    if (value === undefined) return 'foreign';
    return value === parameters.to ? 'done' : value === parameters.from ? 'absent' : 'foreign';
  }

  isVisible(intent: Intent, live: WorkloadSnapshot): boolean {
    const parameters = scaleOf(intent);
    return parameters !== undefined && shown(parameters, live) === parameters.to;
  }

  /** Back to the baseline, only where the field still holds what Aegis wrote. */
  async undo(intent: Intent, live: WorkloadSnapshot | undefined): Promise<Outcome> {
    if (live === undefined) return { kind: 'refused', reason: 'TargetGone', message: 'the target is gone' };
    const parameters = scaleOf(intent);
    if (parameters === undefined) return wrongParameters(intent);
    const step = { expected: parameters.to, wanted: parameters.from, dryRun: false, undo: true };
    return this.#write(parameters, intent, live, step);
  }

  #forward(intent: Intent, live: WorkloadSnapshot, dryRun: boolean): Promise<Outcome> {
    const parameters = scaleOf(intent);
    if (parameters === undefined) return Promise.resolve(wrongParameters(intent));
    // The last wall before the write: the guards have judged it, and zero is never asked for (I23).
    if (!Number.isInteger(parameters.to) || parameters.to < 1) {
      return Promise.resolve({
        kind: 'refused',
        reason: 'AtMinimum',
        message: `${parameters.to} replicas are never set`,
      });
    }
    const step = { expected: parameters.from, wanted: parameters.to, dryRun, undo: false };
    return this.#write(parameters, intent, live, step);
  }

  async #write(parameters: ScaleParameters, intent: Intent, live: WorkloadSnapshot, step: Step): Promise<Outcome> {
    const deadlineMs = this.#context.clock.monotonicMs() + EFFECT_DEADLINE_MS;
    const field = await this.#read(parameters, intent, live);
    if (!field.ok) return field.error;
    const { value, object } = field.value;
    const what = parameters.autoscaler === undefined ? 'replicas' : `minimum of ${parameters.autoscaler}`;
    if (value === step.wanted) return { kind: 'already', detail: `${what} are ${value}` };
    if (value !== step.expected) {
      const message = `${what} are ${value}, neither ${step.expected} nor ${step.wanted}: somebody else changed them`;
      return { kind: 'refused', reason: 'TargetChanged', message };
    }
    const reply = await this.#context.client.call({
      ...this.#request(parameters, live, object, step),
      deadlineMs: deadlineMs - this.#context.clock.monotonicMs(),
      urgent: true,
      ...(step.dryRun || step.undo ? {} : { fence: this.#context.mayBeginEffect }),
    });
    if (!reply.ok) return faultOutcome(reply.error, `${what} of ${live.ref.name}`);
    return { kind: 'applied', detail: `${what} ${step.dryRun ? 'would go' : 'went'} from ${value} to ${step.wanted}` };
  }

  async #read(parameters: ScaleParameters, intent: Intent, live: WorkloadSnapshot): Promise<Result<Field, Outcome>> {
    const { autoscaler } = parameters;
    const { kind, namespace, name } = live.ref;
    const target =
      autoscaler === undefined
        ? ({ resource: WORKLOAD_RESOURCES[kind], namespace, name, subresource: 'scale' } as const)
        : { resource: RESOURCES.autoscalers, namespace, name: autoscaler };
    const reply = await this.#context.client.call({ method: 'GET', target, urgent: true });
    if (!reply.ok) {
      const gone = reply.error.kind === 'NotFound';
      return err(
        gone
          ? faultOutcome(reply.error, name)
          : { kind: 'blocked', reason: 'UnsafeToRead', message: `${name}: ${reply.error.message}` },
      );
    }
    const spec = at(reply.value, 'spec');
    if (autoscaler !== undefined) return ok({ value: count(spec.minReplicas, 1), object: reply.value });
    // The scale object bears the UID of its workload: one of the same name that was made since has another.
    if (metaOf(reply.value).uid !== intent.target.uid) {
      return err({ kind: 'refused', reason: 'TargetGone', message: `${kind} ${name} was replaced by another` });
    }
    return ok({ value: count(spec.replicas), object: reply.value });
  }

  #request(parameters: ScaleParameters, live: WorkloadSnapshot, object: Json, step: Step): ApiRequest {
    const { kind, namespace, name } = live.ref;
    const query = { fieldManager: FIELD_MANAGER, ...(step.dryRun ? { dryRun: 'All' } : {}) };
    const { resourceVersion, uid } = metaOf(object);
    if (parameters.autoscaler !== undefined) {
      const target = { resource: RESOURCES.autoscalers, namespace, name: parameters.autoscaler, query };
      const body = { metadata: { resourceVersion, uid }, spec: { minReplicas: step.wanted } };
      return { method: 'PATCH', patch: 'merge', target, body };
    }
    return {
      method: 'PUT',
      target: { resource: WORKLOAD_RESOURCES[kind], namespace, name, subresource: 'scale', query },
      body: {
        apiVersion: 'autoscaling/v1',
        kind: 'Scale',
        metadata: { name, namespace, resourceVersion, uid },
        spec: { replicas: step.wanted },
      },
    };
  }
}

const scaleOf = ({ parameters }: Intent): ScaleParameters | undefined =>
  parameters.kind === 'scale' ? parameters : undefined;

/** The value that the snapshot shows; `undefined`: the autoscaler is gone. */
function shown(parameters: ScaleParameters, live: WorkloadSnapshot): number | undefined {
  if (parameters.autoscaler === undefined) return live.replicas.desired;
  const autoscaler = live.autoscalers.find(
    (each) => each.kind === 'HorizontalPodAutoscaler' && each.name === parameters.autoscaler,
  );
  return autoscaler === undefined ? undefined : (autoscaler.minReplicas ?? 1);
}

const wrongParameters = (intent: Intent): Outcome => ({
  kind: 'failed',
  reason: 'Rejected',
  message: `${intent.action} with parameters of ${intent.parameters.kind}`,
});
