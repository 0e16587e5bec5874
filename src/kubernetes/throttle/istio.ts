import type { LimitStanding } from '../../controller/ports.ts';
import type { Outcome, Settlement } from '../../healing/decision.ts';
import { type Result, ok } from '../../lib/result.ts';
import type { WorkloadSnapshot } from '../../lib/workload.ts';
import type { Intent } from '../../policy/action.ts';
import type { ThrottlePath } from '../../policy/throttle-path.ts';
import type { CallFault } from '../errors.ts';
import type { ExecutorContext } from '../executors/restart-pod.ts';
import { faultOutcome } from '../executors/outcomes.ts';
import { type Json, at, metaOf, stringMap } from '../json.ts';
import { isEmpty, readSelector, selects } from '../label-selector.ts';
import { RESOURCES, WORKLOAD_RESOURCES } from '../resources.ts';
import { listAll } from './backends.ts';
import { type WholeLimit, shareOf } from './limit.ts';
import { OwnObject } from './own-object.ts';
import { type LimitProvider, throttleOf } from './provider.ts';

const SIDECAR = 'istio-proxy';
const FILTER = 'envoy.filters.http.local_ratelimit';
/** Filters that limit as well, whoever configured them. */
const LIMITING = /envoy\.filters\.http\.(local_)?ratelimit/;

/** Limits what the sidecars of the workload's pods let in, by an EnvoyFilter. Each sidecar counts for itself. */
export class IstioLimit implements LimitProvider {
  readonly name = 'Istio';
  readonly leavesTrace = true;
  readonly #context: ExecutorContext;
  readonly #own: OwnObject;

  constructor(context: ExecutorContext) {
    this.#context = context;
    this.#own = new OwnObject(RESOURCES.envoyFilters, context);
  }

  async find(workload: WorkloadSnapshot): Promise<Result<ThrottlePath | undefined, CallFault>> {
    const living = workload.pods.filter(({ deletedAtMs }) => deletedAtMs === undefined);
    const isMeshed = living.every(({ containers }) => containers.some(({ name }) => name === SIDECAR));
    if (living.length === 0 || !isMeshed) return ok(undefined);
    const filters = await listAll(this.#context.client, RESOURCES.envoyFilters, workload.ref.namespace);
    if (!filters.ok) return filters;
    if (filters.value === undefined) return ok(undefined);
    const path = { provider: this.name, routes: [] } as const;
    const conflict = filters.value.find((filter) => limits(filter, living));
    if (conflict !== undefined) {
      const { name } = metaOf(conflict);
      const message = `EnvoyFilter ${name} limits these pods already`;
      return ok({ ...path, refused: { reason: 'ThrottleConflict', message, object: name } });
    }
    const labels = await this.#labels(workload);
    if (!labels.ok) return labels;
    if (labels.value !== undefined) return ok(path);
    return ok({ ...path, refused: { reason: 'UnsupportedByCluster', message: NO_LABELS } });
  }

  async apply(intent: Intent, live: WorkloadSnapshot, dryRun: boolean): Promise<Outcome> {
    const parameters = throttleOf(intent);
    if (parameters === undefined) return { kind: 'failed', reason: 'Rejected', message: 'no limit is asked' };
    const labels = await this.#labels(live);
    if (!labels.ok) return faultOutcome(labels.error, live.ref.name);
    if (labels.value === undefined) return { kind: 'refused', reason: 'UnsupportedByCluster', message: NO_LABELS };
    const { ready } = live.replicas;
    const limit = shareOf(parameters.limitPerSecond, ready);
    const made = await this.#own.create(intent, filterOf(labels.value, limit), dryRun);
    if ('kind' in made) return made;
    const each = `${limit.requests} a ${limit.unit.toLowerCase()} in each of ${ready} pods`;
    const verb = dryRun ? 'would make' : 'made';
    return { kind: 'applied', detail: `${verb} EnvoyFilter ${metaOf(made.object).name} (${each})` };
  }

  settle(intent: Intent): Promise<Settlement> {
    return this.#own.settle(intent);
  }

  /** Istio writes no verdict into the object: it stands, and the rate must tell. */
  standing(intent: Intent): Promise<LimitStanding> {
    return this.#own.standing(intent, () => ({ kind: 'holds', message: 'the EnvoyFilter stands' }));
  }

  remove(intent: Intent): Promise<Outcome> {
    return this.#own.remove(intent);
  }

  /** Labels that select the workload's pods and no others; `undefined`: its selector has more than labels. */
  async #labels({ ref }: WorkloadSnapshot): Promise<Result<Readonly<Record<string, string>> | undefined, CallFault>> {
    const { kind, namespace, name } = ref;
    const target = { resource: WORKLOAD_RESOURCES[kind], namespace, name };
    const reply = await this.#context.client.call({ method: 'GET', target, urgent: true });
    if (!reply.ok) return reply;
    const selector = readSelector(at(reply.value, 'spec').selector);
    if (selector === undefined || isEmpty(selector) || selector.matchExpressions.length > 0) return ok(undefined);
    return ok(selector.matchLabels);
  }
}

const NO_LABELS = 'the workload selects its pods by expressions, which an EnvoyFilter cannot';

/** A filter without a selector is for every pod of the namespace. */
function limits(filter: Json, pods: WorkloadSnapshot['pods']): boolean {
  if (!LIMITING.test(JSON.stringify(at(filter, 'spec').configPatches ?? []))) return false;
  const selector = { matchLabels: stringMap(at(filter, 'spec', 'workloadSelector').labels), matchExpressions: [] };
  return pods.some((pod) => selects(selector, pod.labels));
}

/** The local rate limit of Istio's documentation, for everything that comes in. */
function filterOf(labels: Readonly<Record<string, string>>, { requests, unit }: WholeLimit): Json {
  const always = { default_value: { numerator: 100, denominator: 'HUNDRED' } };
  return {
    workloadSelector: { labels },
    configPatches: [
      {
        applyTo: 'HTTP_FILTER',
        match: {
          context: 'SIDECAR_INBOUND',
          listener: { filterChain: { filter: { name: 'envoy.filters.network.http_connection_manager' } } },
        },
        patch: {
          operation: 'INSERT_BEFORE',
          value: {
            name: FILTER,
            typed_config: {
              '@type': 'type.googleapis.com/udpa.type.v1.TypedStruct',
              type_url: 'type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit',
              value: {
                stat_prefix: 'aegis_throttle',
                token_bucket: {
                  max_tokens: requests,
                  tokens_per_fill: requests,
                  fill_interval: unit === 'Second' ? '1s' : '60s',
                },
                filter_enabled: { runtime_key: 'local_rate_limit_enabled', ...always },
                filter_enforced: { runtime_key: 'local_rate_limit_enforced', ...always },
              },
            },
          },
        },
      },
    ],
  };
}
