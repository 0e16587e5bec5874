import { type Result, ok } from '../../lib/result.ts';
import type { WorkloadSnapshot } from '../../lib/workload.ts';
import { isName } from '../api-path.ts';
import type { KubeClient } from '../client.ts';
import type { CallFault } from '../errors.ts';
import { type Json, at, list, stringMap, text } from '../json.ts';
import { isEmpty, selects } from '../label-selector.ts';
import { RESOURCES, type Resource } from '../resources.ts';

/** Which of some Services lead to the workload's pods. Each Service is read once. */
export class Backends {
  readonly #client: KubeClient;
  readonly #workload: WorkloadSnapshot;
  readonly #known = new Map<string, boolean>();

  constructor(client: KubeClient, workload: WorkloadSnapshot) {
    this.#client = client;
    this.#workload = workload;
  }

  /** `all`: every one leads there; `some`: others as well; `none`. Whatever is no Service of the namespace is another. */
  async lead(services: readonly (string | undefined)[]): Promise<Result<'all' | 'some' | 'none', CallFault>> {
    let own = 0;
    for (const service of services) {
      const leads = service === undefined ? ok(false) : await this.#leads(service);
      if (!leads.ok) return leads;
      if (leads.value) own += 1;
    }
    return ok(own === 0 ? 'none' : own === services.length ? 'all' : 'some');
  }

  async #leads(service: string): Promise<Result<boolean, CallFault>> {
    const known = this.#known.get(service);
    if (known !== undefined) return ok(known);
    const { namespace } = this.#workload.ref;
    if (!isName(service)) return ok(false);
    const reply = await this.#client.call({
      method: 'GET',
      target: { resource: RESOURCES.services, namespace, name: service },
    });
    if (!reply.ok && reply.error.kind !== 'NotFound') return reply;
    const selector = { matchLabels: stringMap(reply.ok ? at(reply.value, 'spec').selector : {}), matchExpressions: [] };
    const leads = !isEmpty(selector) && this.#workload.pods.some((pod) => selects(selector, pod.labels));
    this.#known.set(service, leads);
    return ok(leads);
  }
}

/** All objects of a kind in the namespace; `undefined`: the kind is not defined here, or may not be read. */
export async function listAll(
  client: KubeClient,
  resource: Resource,
  namespace: string,
): Promise<Result<readonly Json[] | undefined, CallFault>> {
  const items: Json[] = [];
  let next = '';
  do {
    const reply = await client.call({
      method: 'GET',
      target: { resource, namespace, query: { limit: 500, continue: next } },
    });
    if (!reply.ok) return reply.error.kind === 'NotFound' || reply.error.kind === 'Forbidden' ? ok(undefined) : reply;
    items.push(...list(reply.value.items).map((item) => at(item)));
    next = text(at(reply.value, 'metadata').continue);
  } while (next !== '');
  return ok(items);
}
