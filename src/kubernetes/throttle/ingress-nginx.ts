import type { LimitStanding } from '../../controller/ports.ts';
import type { Outcome, Settlement } from '../../healing/decision.ts';
import { type Result, err, ok } from '../../lib/result.ts';
import type { WorkloadSnapshot } from '../../lib/workload.ts';
import type { Intent } from '../../policy/action.ts';
import { type ThrottlePath, throttleObjectName } from '../../policy/throttle-path.ts';
import { LABELS } from '../../api/v1alpha1/labels.ts';
import { FIELD_MANAGER } from '../client.ts';
import type { CallFault } from '../errors.ts';
import type { ExecutorContext } from '../executors/restart-pod.ts';
import { EFFECT_DEADLINE_MS, faultOutcome } from '../executors/outcomes.ts';
import { type Json, at, list, metaOf, optionalText, record, stringMap, text } from '../json.ts';
import { RESOURCES } from '../resources.ts';
import { Backends, listAll } from './backends.ts';
import { type LimitProvider, throttleOf } from './provider.ts';

const LIMIT = 'nginx.ingress.kubernetes.io/limit-rps';
const BURST = 'nginx.ingress.kubernetes.io/limit-burst-multiplier';
const WRITTEN = [LIMIT, BURST] as const;
/** `nginx`, `nginx-internal`, `public-nginx`: the class is a name, and only its object, cluster-wide, would tell. */
const CLASS = /(^|[-.])nginx($|[-.])/;

type Annotations = Readonly<Record<string, string>>;

/** Why an Ingress was not found fit: an outcome. */
interface Field {
  readonly object: Json;
  readonly annotations: Annotations;
}

/**
 * Limits an Ingress of ingress-nginx, which is at the end of its life: two annotations, restored to what they were. The
 * controller counts for each client address, so the limit is one address's, and the rate must tell whether it helped.
 */
export class IngressNginxLimit implements LimitProvider {
  readonly name = 'IngressNginx';
  readonly leavesTrace = true;
  readonly #context: ExecutorContext;

  constructor(context: ExecutorContext) {
    this.#context = context;
  }

  async find(workload: WorkloadSnapshot): Promise<Result<ThrottlePath | undefined, CallFault>> {
    const { client } = this.#context;
    const ingresses = await listAll(client, RESOURCES.ingresses, workload.ref.namespace);
    if (!ingresses.ok) return ingresses;
    const backends = new Backends(client, workload);
    const carrying: { readonly object: Json; readonly isShared: boolean }[] = [];
    for (const object of ingresses.value ?? []) {
      if (!isNginx(object)) continue;
      const lead = await backends.lead(servicesOf(object));
      if (!lead.ok) return lead;
      if (lead.value !== 'none') carrying.push({ object, isShared: lead.value === 'some' });
    }
    const [first, second] = carrying;
    if (first === undefined) return ok(undefined);
    const annotations = annotationsOf(first.object);
    const path: ThrottlePath = {
      provider: this.name,
      routes: [metaOf(first.object).name],
      annotations: Object.fromEntries(WRITTEN.map((key) => [key, annotations[key] ?? null])),
    };
    const because = second !== undefined || first.isShared ? sharedBecause(carrying) : undefined;
    if (because !== undefined) return ok({ ...path, refused: { reason: 'UnsupportedByCluster', message: because } });
    const owner = annotations[LABELS.action];
    if (owner === undefined) return ok(path);
    const message = `Ingress ${path.routes.join()} is limited by ${owner}`;
    return ok({ ...path, refused: { reason: 'ThrottleConflict', message, object: throttleObjectName(owner) } });
  }

  async apply(intent: Intent, _live: WorkloadSnapshot, dryRun: boolean): Promise<Outcome> {
    const field = await this.#read(intent);
    if (!field.ok) return field.error;
    const { annotations } = field.value;
    const wanted = wantedOf(intent);
    if (isOurs(intent, annotations)) return { kind: 'already', detail: 'the annotations are there' };
    const earlier = intent.baseline.annotations ?? {};
    const changed = WRITTEN.find((key) => (annotations[key] ?? null) !== (earlier[key] ?? null));
    if (changed !== undefined || annotations[LABELS.action] !== undefined) {
      const message = `${changed ?? LABELS.action} is not what it was when this was decided`;
      return { kind: 'refused', reason: 'TargetChanged', message };
    }
    const stricter = Number(annotations[LIMIT]);
    if (Number.isFinite(stricter) && stricter > 0 && stricter <= Number(wanted[LIMIT])) {
      const message = `its own limit of ${stricter} a second is stricter than ${wanted[LIMIT]}`;
      return { kind: 'refused', reason: 'ThrottleConflict', message };
    }
    const outcome = await this.#patch(field.value.object, { ...wanted, [LABELS.action]: intent.name }, dryRun);
    return outcome ?? { kind: 'applied', detail: `${dryRun ? 'would set' : 'set'} ${LIMIT} to ${wanted[LIMIT]}` };
  }

  async settle(intent: Intent): Promise<Settlement> {
    const field = await this.#read(intent);
    if (!field.ok) return field.error.kind === 'refused' ? 'foreign' : 'unseen';
    const owner = field.value.annotations[LABELS.action];
    if (owner === intent.name) return 'done';
    return owner === undefined ? 'absent' : 'foreign';
  }

  async standing(intent: Intent): Promise<LimitStanding> {
    const field = await this.#read(intent);
    if (!field.ok && field.error.kind !== 'refused') return { kind: 'unseen', message: 'it could not be looked at' };
    if (field.ok && isOurs(intent, field.value.annotations)) return { kind: 'holds', message: 'the annotations stand' };
    return { kind: 'gone', message: 'somebody changed the annotations of the Ingress' };
  }

  /** Each annotation goes back to what it was, in one write, where all of them still are ours. */
  async remove(intent: Intent): Promise<Outcome> {
    const field = await this.#read(intent);
    if (!field.ok) return field.error;
    const { annotations, object } = field.value;
    const earlier = intent.baseline.annotations ?? {};
    const isRestored = (now: Annotations): boolean =>
      now[LABELS.action] === undefined && WRITTEN.every((key) => (now[key] ?? null) === (earlier[key] ?? null));
    if (isRestored(annotations)) return { kind: 'already', detail: 'the annotations are as they were' };
    if (!isOurs(intent, annotations)) {
      const message = 'somebody else changed the annotations of the Ingress: left alone';
      return { kind: 'refused', reason: 'TargetChanged', message };
    }
    const before = Object.fromEntries(WRITTEN.map((key) => [key, earlier[key] ?? null]));
    const outcome = await this.#patch(object, { ...before, [LABELS.action]: null }, undefined);
    if (outcome !== undefined) return outcome;
    const after = await this.#read(intent);
    if (after.ok && isRestored(after.value.annotations)) {
      return { kind: 'applied', detail: 'the annotations are restored, as read back' };
    }
    return { kind: 'ambiguous', message: 'the annotations were restored, which could not be read back' };
  }

  async #read(intent: Intent): Promise<Result<Field, Outcome & { kind: Outcome['kind'] }>> {
    const [name = ''] = throttleOf(intent)?.routes ?? [];
    const target = { resource: RESOURCES.ingresses, namespace: intent.namespace, name };
    const reply = await this.#context.client.call({ method: 'GET', target, urgent: true });
    if (!reply.ok) return err(faultOutcome(reply.error, `Ingress ${name}`));
    return ok({ object: reply.value, annotations: annotationsOf(reply.value) });
  }

  /** `undefined`: written. An inverse (`dryRun` undefined) is no new effect and needs no fresh lease. */
  async #patch(
    object: Json,
    annotations: Readonly<Record<string, string | null | undefined>>,
    dryRun: boolean | undefined,
  ): Promise<Outcome | undefined> {
    const { name, namespace, uid, resourceVersion } = metaOf(object);
    const reply = await this.#context.client.call({
      method: 'PATCH',
      patch: 'merge',
      target: {
        resource: RESOURCES.ingresses,
        namespace,
        name,
        query: { fieldManager: FIELD_MANAGER, ...(dryRun === true ? { dryRun: 'All' } : {}) },
      },
      body: { metadata: { uid, resourceVersion, annotations } },
      deadlineMs: EFFECT_DEADLINE_MS,
      urgent: true,
      ...(dryRun === false ? { fence: this.#context.mayBeginEffect } : {}),
    });
    return reply.ok ? undefined : faultOutcome(reply.error, `Ingress ${name}`);
  }
}

const annotationsOf = (object: Json): Annotations => stringMap(at(object, 'metadata').annotations);

function isNginx(object: Json): boolean {
  const named = optionalText(at(object, 'spec').ingressClassName);
  return CLASS.test(named ?? annotationsOf(object)['kubernetes.io/ingress.class'] ?? '');
}

function servicesOf(object: Json): readonly (string | undefined)[] {
  const spec = at(object, 'spec');
  const paths = list(spec.rules).flatMap((rule) => list(at(rule, 'http').paths));
  const all = [...paths.map((path) => record(path).backend), spec.defaultBackend].filter((each) => each !== undefined);
  return all.map((backend) => text(at(backend, 'service').name) || undefined);
}

function sharedBecause(carrying: readonly { readonly object: Json }[]): string {
  const names = carrying.map(({ object }) => metaOf(object).name).join(', ');
  return carrying.length > 1
    ? `Ingresses ${names} carry its traffic, and each would be limited apart`
    : `Ingress ${names} carries other services as well, which would be limited too`;
}

function wantedOf(intent: Intent): Readonly<Record<(typeof WRITTEN)[number], string>> {
  const limit = throttleOf(intent)?.limitPerSecond ?? 1;
  return { [LIMIT]: String(Math.max(1, Math.round(limit))), [BURST]: '1' };
}

function isOurs(intent: Intent, annotations: Annotations): boolean {
  const wanted = wantedOf(intent);
  return annotations[LABELS.action] === intent.name && WRITTEN.every((key) => annotations[key] === wanted[key]);
}
