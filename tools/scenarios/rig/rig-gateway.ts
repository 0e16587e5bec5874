import type { KubeClient } from '../../../src/kubernetes/client.ts';
import { at, list, metaOf, type Json } from '../../../src/kubernetes/json.ts';
import { RESOURCES } from '../../../src/kubernetes/resources.ts';
import type { WorkloadSnapshot } from '../../../src/lib/workload.ts';
import { admittedPerSecond } from '../limits.ts';
import type { Scenario } from '../schema.ts';
import type { Administrator } from './administrator.ts';
import * as manifests from './manifests.ts';

/** The gateway and the sidecars of one scenario: no controller of theirs runs on the rig. */
export class RigGateway {
  readonly #ground: { readonly client: KubeClient };
  readonly #administrator: Administrator;
  readonly #scenario: Scenario;
  readonly #namespace: string;
  accepts = true;
  #limiting: readonly Json[] = [];

  constructor(
    ground: { readonly client: KubeClient },
    administrator: Administrator,
    scenario: Scenario,
    namespace: string,
  ) {
    this.#ground = ground;
    this.#administrator = administrator;
    this.#scenario = scenario;
    this.#namespace = namespace;
  }

  /** As a gateway does: says of each limit whether it accepts it, and lets in what it allows. */
  async play(): Promise<void> {
    const all = await Promise.all(
      [RESOURCES.backendTrafficPolicies, RESOURCES.envoyFilters].map(async (resource) => {
        const target = { resource, namespace: this.#namespace };
        const reply = await this.#ground.client.call({ method: 'GET', target });
        return reply.ok ? list(reply.value['items']).map((item) => ({ ...at(item), kind: resource.kind })) : [];
      }),
    );
    this.#limiting = all.flat();
    for (const object of this.#limiting.filter((each) => each['kind'] === 'BackendTrafficPolicy')) {
      if (list(at(object, 'status')['ancestors']).length > 0) continue;
      const { namespace, name } = metaOf(object);
      const target = { resource: RESOURCES.backendTrafficPolicies, namespace, name };
      await this.#administrator.patch(target, { status: { ancestors: [ancestor(this.accepts)] } }, 'status');
    }
  }

  get isThere(): boolean {
    const { cluster, events } = this.#scenario;
    const objects = [...cluster.objects, ...events.flatMap((event) => (event.do === 'object' ? [event.object] : []))];
    const isMeshed = JSON.stringify(cluster.workloads).includes('istio-proxy');
    return isMeshed || objects.some(({ kind }) => kind === 'HTTPRoute');
  }

  admitted(workload: WorkloadSnapshot): number | undefined {
    const known = [...this.#scenario.cluster.objects];
    const listed = (kinds: readonly string[]): readonly Json[] =>
      this.#limiting.filter((each) => kinds.includes(String(each['kind'])));
    const objects = {
      accepts: this.accepts,
      list: (plural: string): readonly Json[] =>
        plural === 'envoyfilters' ? listed(['EnvoyFilter']) : listed(['BackendTrafficPolicy']),
      get: (plural: string, _namespace: string, name: string): Json | undefined =>
        known.find((each) => manifests.resourceOf(each.kind).plural === plural && each.metadata.name === name),
    };
    return admittedPerSecond({ objects, proxies: this.proxyCount(), hookCalls: new Map() }, workload);
  }

  proxyCount(): number {
    const gateway = this.#scenario.events.find((event) => event.do === 'gateway');
    return gateway?.do === 'gateway' ? gateway.proxies : 2;
  }
}

function ancestor(accepts: boolean): object {
  const condition = {
    ...{ type: 'Accepted', status: accepts ? 'True' : 'False', reason: accepts ? 'Accepted' : 'Invalid' },
    ...{ message: 'as the scenario says', observedGeneration: 1, lastTransitionTime: new Date().toISOString() },
  };
  const ancestorRef = { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'public' };
  const controllerName = 'gateway.envoyproxy.io/gatewayclass-controller';
  return { ancestorRef, controllerName, conditions: [condition] };
}
