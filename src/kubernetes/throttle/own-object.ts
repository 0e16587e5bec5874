import type { LimitStanding } from '../../controller/ports.ts';
import type { Outcome, Settlement } from '../../healing/decision.ts';
import type { Intent } from '../../policy/action.ts';
import { throttleObjectName } from '../../policy/throttle-path.ts';
import { LABELS, labelValue } from '../../api/v1alpha1/labels.ts';
import { type ApiRequest, FIELD_MANAGER } from '../client.ts';
import type { ExecutorContext } from '../executors/restart-pod.ts';
import { EFFECT_DEADLINE_MS, faultOutcome } from '../executors/outcomes.ts';
import { type Json, at, count, metaOf, text } from '../json.ts';
import { type Resource, apiVersionOf } from '../resources.ts';

/**
 * What stands under the name of an action's object. `changed`: it is ours, but somebody wrote its spec since it was
 * made. `foreign`: somebody else's.
 */
type Found =
  | { readonly kind: 'ours' | 'changed'; readonly object: Json }
  | { readonly kind: 'absent' | 'foreign' }
  | { readonly kind: 'unseen'; readonly outcome: Outcome };

/**
 * An object that exists for one action: made under a name that only this action has, found by it after a crash, and
 * deleted by UID. Its generation counts the writes of its spec: anything but the first is somebody else's.
 */
export class OwnObject {
  readonly #context: ExecutorContext;
  readonly #resource: Resource;

  constructor(resource: Resource, context: ExecutorContext) {
    this.#resource = resource;
    this.#context = context;
  }

  /** The object as the server would store it, or stored it; an outcome where it was not made. */
  async create(intent: Intent, spec: Json, dryRun: boolean): Promise<{ readonly object: Json } | Outcome> {
    const name = throttleObjectName(intent.name);
    const reply = await this.#context.client.call({
      method: 'POST',
      target: {
        resource: this.#resource,
        namespace: intent.namespace,
        query: { fieldManager: FIELD_MANAGER, ...(dryRun ? { dryRun: 'All' } : {}) },
      },
      body: {
        apiVersion: apiVersionOf(this.#resource),
        kind: this.#resource.kind,
        metadata: {
          name,
          namespace: intent.namespace,
          labels: { [LABELS.managedBy]: 'aegis', [LABELS.action]: labelValue(intent.name) },
          annotations: { [LABELS.action]: intent.name },
        },
        spec,
      },
      deadlineMs: EFFECT_DEADLINE_MS,
      urgent: true,
      ...(dryRun ? {} : { fence: this.#context.mayBeginEffect }),
    } satisfies ApiRequest);
    if (reply.ok) return { object: reply.value };
    const what = `${this.#resource.kind} ${name}`;
    if (reply.error.kind !== 'Conflict') return missing(faultOutcome(reply.error, what), what);
    const found = await this.find(intent);
    if (found.kind === 'ours') return { kind: 'already', detail: `${what} is there` };
    if (found.kind === 'unseen') return found.outcome;
    return { kind: 'refused', reason: 'ThrottleConflict', message: `${what} is there, and not as Aegis made it` };
  }

  async find(intent: Intent): Promise<Found> {
    const name = throttleObjectName(intent.name);
    const target = { resource: this.#resource, namespace: intent.namespace, name };
    const reply = await this.#context.client.call({ method: 'GET', target, urgent: true });
    if (!reply.ok) {
      if (reply.error.kind === 'NotFound') return { kind: 'absent' };
      return { kind: 'unseen', outcome: faultOutcome(reply.error, `${this.#resource.kind} ${name}`) };
    }
    const object = reply.value;
    const meta = at(object, 'metadata');
    if (text(at(meta, 'annotations')[LABELS.action]) !== intent.name) return { kind: 'foreign' };
    return { kind: count(meta.generation, 1) <= 1 ? 'ours' : 'changed', object };
  }

  async settle(intent: Intent): Promise<Settlement> {
    const { kind } = await this.find(intent);
    switch (kind) {
      case 'ours':
      case 'changed':
        return 'done';
      case 'absent':
      case 'foreign':
      case 'unseen':
        return kind;
    }
  }

  /** `judge` reads what the gateway made of the object. */
  async standing(intent: Intent, judge: (object: Json) => LimitStanding): Promise<LimitStanding> {
    const found = await this.find(intent);
    if (found.kind === 'ours') return judge(found.object);
    if (found.kind === 'unseen') return { kind: 'unseen', message: 'it could not be looked at' };
    const name = throttleObjectName(intent.name);
    return { kind: 'gone', message: `somebody ${found.kind === 'absent' ? 'deleted' : 'changed'} ${name}` };
  }

  /** Deletes what is still as it was made, and looks whether it is gone. */
  async remove(intent: Intent): Promise<Outcome> {
    const what = `${this.#resource.kind} ${throttleObjectName(intent.name)}`;
    const found = await this.find(intent);
    if (found.kind === 'unseen') return found.outcome;
    if (found.kind === 'absent') return { kind: 'already', detail: `${what} is gone` };
    if (found.kind !== 'ours') {
      return { kind: 'refused', reason: 'TargetChanged', message: `${what} was changed by somebody else: left alone` };
    }
    const { name, namespace, uid, resourceVersion } = metaOf(found.object);
    const reply = await this.#context.client.call({
      method: 'DELETE',
      target: { resource: this.#resource, namespace, name },
      body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } },
      urgent: true,
    });
    if (!reply.ok && reply.error.kind !== 'NotFound') return faultOutcome(reply.error, what);
    const after = await this.find(intent);
    if (after.kind === 'absent') return { kind: 'applied', detail: `deleted ${what}; it is gone` };
    return { kind: 'ambiguous', message: `${what} was deleted, and is still there` };
  }
}

/** A 404 to a creation means that the kind is not defined here. */
function missing(outcome: Outcome, what: string): Outcome {
  if (outcome.kind !== 'refused' || outcome.reason !== 'TargetGone') return outcome;
  return { kind: 'refused', reason: 'UnsupportedByCluster', message: `${what}: the kind is not defined here` };
}
