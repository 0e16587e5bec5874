import type { LimitStanding } from '../../controller/ports.ts';
import type { Outcome, Settlement } from '../../healing/decision.ts';
import { type Result, ok } from '../../lib/result.ts';
import type { WorkloadSnapshot } from '../../lib/workload.ts';
import type { Intent } from '../../policy/action.ts';
import type { ThrottlePath } from '../../policy/throttle-path.ts';
import type { CallFault } from '../errors.ts';
import type { ExecutorContext } from '../executors/restart-pod.ts';
import { faultOutcome } from '../executors/outcomes.ts';
import { type Json, at, list, metaOf, record, stringMap, text } from '../json.ts';
import { isEmpty, readSelector, selects } from '../label-selector.ts';
import { RESOURCES } from '../resources.ts';
import { Backends, listAll } from './backends.ts';
import { type GatewayRef, envoyGatewaysOf, servicesOf } from './http-route.ts';
import { shareOf } from './limit.ts';
import { OwnObject } from './own-object.ts';
import { type LimitProvider, throttleOf } from './provider.ts';

const ROUTE = { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute' } as const;
const OWNING_NAME = 'gateway.envoyproxy.io/owning-gateway-name';
const OWNING_NAMESPACE = 'gateway.envoyproxy.io/owning-gateway-namespace';

/** What a policy attaches to. */
interface Attachable {
  readonly kind: 'HTTPRoute' | 'Gateway';
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Where a limit goes: its gateways, and how many proxies count apart from each other. */
interface Way {
  readonly gateways: readonly GatewayRef[];
  readonly proxies: number;
}

/**
 * Limits an HTTPRoute by a BackendTrafficPolicy of Envoy Gateway. A local limit is counted by each proxy for itself, so
 * each gets its share. A policy on a route replaces that of its gateway, unless it says that it is to be merged.
 */
export class EnvoyGatewayLimit implements LimitProvider {
  readonly name = 'EnvoyGateway';
  readonly leavesTrace = true;
  readonly #context: ExecutorContext;
  readonly #own: OwnObject;

  constructor(context: ExecutorContext) {
    this.#context = context;
    this.#own = new OwnObject(RESOURCES.backendTrafficPolicies, context);
  }

  async find(workload: WorkloadSnapshot): Promise<Result<ThrottlePath | undefined, CallFault>> {
    const { client } = this.#context;
    const { namespace } = workload.ref;
    const routes = await listAll(client, RESOURCES.httpRoutes, namespace);
    if (!routes.ok) return routes;
    const backends = new Backends(client, workload);
    const carrying: Json[] = [];
    let sharing: string | undefined;
    for (const route of routes.value ?? []) {
      if (envoyGatewaysOf(route).length === 0) continue;
      const lead = await backends.lead(servicesOf(route));
      if (!lead.ok) return lead;
      if (lead.value === 'none') continue;
      carrying.push(route);
      if (lead.value === 'some') sharing = metaOf(route).name;
    }
    if (carrying.length === 0) return ok(undefined);
    const policies = await listAll(client, RESOURCES.backendTrafficPolicies, namespace);
    if (!policies.ok) return policies;
    if (policies.value === undefined) return ok(undefined);
    const path = { provider: this.name, routes: carrying.map((route) => metaOf(route).name) } as const;
    if (sharing !== undefined) {
      return ok(refused(path, `HTTPRoute ${sharing} carries other services as well, which would be limited too`));
    }
    const conflict = conflictOf(carrying, policies.value);
    if (conflict !== undefined) {
      const message = `BackendTrafficPolicy ${conflict} is on the route already`;
      return ok({ ...path, refused: { reason: 'ThrottleConflict', message, object: conflict } });
    }
    const way = await this.#way(namespace, carrying);
    if (!way.ok) return way;
    return ok(way.value.proxies > 0 ? path : refused(path, noProxy(way.value)));
  }

  async apply(intent: Intent, _live: WorkloadSnapshot, dryRun: boolean): Promise<Outcome> {
    const parameters = throttleOf(intent);
    if (parameters === undefined) return { kind: 'failed', reason: 'Rejected', message: 'no limit is asked' };
    const { namespace } = intent;
    const routes: Json[] = [];
    for (const name of parameters.routes) {
      const target = { resource: RESOURCES.httpRoutes, namespace, name };
      const reply = await this.#context.client.call({ method: 'GET', target, urgent: true });
      if (!reply.ok) return faultOutcome(reply.error, `HTTPRoute ${name}`);
      routes.push(reply.value);
    }
    const way = await this.#way(namespace, routes);
    if (!way.ok) return faultOutcome(way.error, 'the proxies');
    if (way.value.proxies === 0) {
      return { kind: 'refused', reason: 'UnsupportedByCluster', message: noProxy(way.value) };
    }
    const merges = await this.#mustMerge(namespace, way.value.gateways);
    if (!merges.ok) return faultOutcome(merges.error, 'the policies of the gateway');
    const limit = shareOf(parameters.limitPerSecond, way.value.proxies);
    const made = await this.#own.create(
      intent,
      {
        targetRefs: parameters.routes.map((name) => ({ ...ROUTE, name })),
        ...(merges.value && { mergeType: 'StrategicMerge' }),
        rateLimit: { type: 'Local', local: { rules: [{ limit }] } },
      },
      dryRun,
    );
    if ('kind' in made) return made;
    if (merges.value && at(made.object, 'spec').mergeType === undefined) return this.#tooOld(intent, dryRun);
    const each = `${limit.requests} a ${limit.unit.toLowerCase()} in each of ${way.value.proxies} proxies`;
    const what = `BackendTrafficPolicy ${metaOf(made.object).name} (${each})`;
    return { kind: 'applied', detail: `${dryRun ? 'would make' : 'made'} ${what}` };
  }

  settle(intent: Intent): Promise<Settlement> {
    return this.#own.settle(intent);
  }

  standing(intent: Intent): Promise<LimitStanding> {
    return this.#own.standing(intent, standingOf);
  }

  remove(intent: Intent): Promise<Outcome> {
    return this.#own.remove(intent);
  }

  /** An API server that does not know the field drops it: the gateway's own policy would be replaced. */
  async #tooOld(intent: Intent, dryRun: boolean): Promise<Outcome> {
    if (!dryRun) await this.#own.remove(intent);
    const message = 'the definition of BackendTrafficPolicy knows no mergeType: the gateway’s own policy would be lost';
    return { kind: 'refused', reason: 'UnsupportedByCluster', message };
  }

  async #way(namespace: string, routes: readonly Json[]): Promise<Result<Way, CallFault>> {
    const all = routes.flatMap(envoyGatewaysOf);
    const gateways = [...new Map(all.map((each) => [`${each.namespace}/${each.name}`, each])).values()];
    let proxies = 0;
    for (const gateway of gateways) {
      const counted = await this.#proxiesOf(gateway, namespace);
      if (!counted.ok) return counted;
      proxies += counted.value;
    }
    return ok({ gateways, proxies });
  }

  /**
   * Ready proxies of a gateway. They run where Envoy Gateway put them, so they are looked for by its labels in the whole
   * cluster, or in the workload's namespace where Aegis watches some alone. Only their number is taken from there.
   */
  async #proxiesOf({ namespace, name }: GatewayRef, own: string): Promise<Result<number, CallFault>> {
    const query = { labelSelector: `${OWNING_NAME}=${name},${OWNING_NAMESPACE}=${namespace}`, limit: 500 };
    const { client } = this.#context;
    const everywhere = await client.call({ method: 'GET', target: { resource: RESOURCES.pods, query } });
    const isOutOfReach = !everywhere.ok && (!everywhere.error.sent || everywhere.error.kind === 'Forbidden');
    const target = { resource: RESOURCES.pods, namespace: own, query };
    const reply = isOutOfReach ? await client.call({ method: 'GET', target }) : everywhere;
    if (!reply.ok) return reply;
    const isReady = (pod: unknown): boolean =>
      list(at(pod, 'status').conditions).some(
        (condition) => record(condition).type === 'Ready' && record(condition).status === 'True',
      );
    return ok(list(reply.value.items).filter(isReady).length);
  }

  /** Where a policy on a gateway may be lost. One in another namespace is not looked at, but reckoned with. */
  async #mustMerge(namespace: string, gateways: readonly GatewayRef[]): Promise<Result<boolean, CallFault>> {
    if (gateways.some((gateway) => gateway.namespace !== namespace)) return ok(true);
    const policies = await listAll(this.#context.client, RESOURCES.backendTrafficPolicies, namespace);
    if (!policies.ok) return policies;
    const attached = gateways.map(({ name }): Attachable => ({ kind: 'Gateway', name, labels: {} }));
    return ok((policies.value ?? []).some((policy) => attached.some((each) => attaches(policy, each))));
  }
}

const refused = (path: ThrottlePath, message: string): ThrottlePath => ({
  ...path,
  refused: { reason: 'UnsupportedByCluster', message },
});

const noProxy = ({ gateways }: Way): string =>
  `no ready proxy of gateway ${gateways.map(({ namespace, name }) => `${namespace}/${name}`).join(', ')} can be seen`;

/** Name of a policy that is on one of the routes. */
function conflictOf(routes: readonly Json[], policies: readonly Json[]): string | undefined {
  const attached = routes.map((route): Attachable => {
    const meta = at(route, 'metadata');
    return { kind: 'HTTPRoute', name: text(meta.name), labels: stringMap(meta.labels) };
  });
  const policy = policies.find((each) => attached.some((one) => attaches(each, one)));
  return policy === undefined ? undefined : metaOf(policy).name;
}

/** By name, in the old and the new form, or by labels. */
function attaches(policy: Json, { kind, name, labels }: Attachable): boolean {
  const { targetRef, targetRefs, targetSelectors } = at(policy, 'spec');
  const byName = [targetRef, ...list(targetRefs)].some((ref) => record(ref).kind === kind && record(ref).name === name);
  const byLabels = list(targetSelectors).some((entry) => {
    const selector = readSelector(entry);
    return record(entry).kind === kind && selector !== undefined && !isEmpty(selector) && selects(selector, labels);
  });
  return byName || byLabels;
}

/** What the gateways made of the policy: each ancestor says whether it accepted it. */
function standingOf(object: Json): LimitStanding {
  const accepted = list(at(object, 'status').ancestors).flatMap((ancestor) =>
    list(record(ancestor).conditions)
      .map((condition) => record(condition))
      .filter(({ type }) => type === 'Accepted'),
  );
  const no = accepted.find(({ status }) => status === 'False');
  if (no !== undefined) return { kind: 'refused', message: `${text(no.reason)}: ${text(no.message)}` };
  if (accepted.some(({ status }) => status === 'True')) return { kind: 'holds', message: 'the gateway accepted it' };
  return { kind: 'pending', message: 'the gateway has not said yet whether it accepts it' };
}
