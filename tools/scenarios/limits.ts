import { at, type Json, list, record, stringMap, text } from '../../src/kubernetes/json.ts';
import type { WorkloadSnapshot } from '../../src/lib/workload.ts';

/** Limits on traffic, as whoever enforces them sees them. */
export interface LimitWorld {
  readonly objects: {
    readonly accepts: boolean | undefined;
    list(plural: string, namespace: string): readonly Json[];
    get(plural: string, namespace: string, name: string): Json | undefined;
  };
  /** Ready proxies of the gateway. */
  readonly proxies: number;
  /** Calls that a throttle hook took, by their keys. */
  readonly hookCalls: ReadonlyMap<string, number>;
}

/** Requests a second that all limits together let in to the workload's pods; absent: nothing limits it. */
export function admittedPerSecond(world: LimitWorld, workload: WorkloadSnapshot): number | undefined {
  const { namespace, name } = workload.ref;
  const { objects, proxies, hookCalls } = world;
  const gateway = objects
    .list('backendtrafficpolicies', namespace)
    .filter((policy) => objects.accepts !== false && routesOf(policy).some((route) => leadsTo(world, route, workload)))
    .flatMap((policy) => perSecond(at(list(at(policy, 'spec', 'rateLimit', 'local')['rules'])[0], 'limit')) ?? [])
    .map((each) => each * proxies);
  const mesh = objects
    .list('envoyfilters', namespace)
    .filter((filter) => stringMap(at(filter, 'spec', 'workloadSelector')['labels'])['app'] === name)
    .flatMap((filter) => bucketOf(filter) ?? [])
    .map((each) => each * workload.replicas.ready);
  const hook = [...hookCalls]
    .filter(([key]) => !key.endsWith('/remove') && !hookCalls.has(key.replace(/\/apply.*$/, '/remove')))
    .filter(([key]) => key.startsWith(`${name}-`))
    .map(([, limit]) => limit);
  const all = [...gateway, ...mesh, ...hook];
  return all.length === 0 ? undefined : Math.min(...all);
}

const routesOf = (policy: Json): readonly string[] =>
  list(at(policy, 'spec')['targetRefs']).map((ref) => text(record(ref)['name']));

function leadsTo(world: LimitWorld, route: string, { ref, pods }: WorkloadSnapshot): boolean {
  const object = world.objects.get('httproutes', ref.namespace, route);
  const backends = list(at(object, 'spec')['rules'])
    .flatMap((rule) => list(record(rule)['backendRefs']))
    .map((backend) => text(record(backend)['name']));
  return backends.some((service) => {
    const found = world.objects.get('services', ref.namespace, service);
    const selector = Object.entries(stringMap(at(found, 'spec')['selector']));
    return selector.length > 0 && pods.some(({ labels }) => selector.every(([key, value]) => labels[key] === value));
  });
}

function perSecond({ requests, unit }: Json): number | undefined {
  if (typeof requests !== 'number') return undefined;
  return unit === 'Second' ? requests : requests / 60;
}

/** Of the one filter that Aegis makes: tokens for each interval. */
function bucketOf(filter: Json): number | undefined {
  const patch = at(list(at(filter, 'spec')['configPatches'])[0], 'patch', 'value', 'typed_config', 'value');
  const { tokens_per_fill: tokens, fill_interval: interval } = at(patch, 'token_bucket');
  return typeof tokens === 'number' ? tokens / (interval === '60s' ? 60 : 1) : undefined;
}
