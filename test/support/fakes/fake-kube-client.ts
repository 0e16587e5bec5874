import type { ApiRequest, KubeClient } from '../../../src/kubernetes/client.ts';
import { answerFault, type CallFault } from '../../../src/kubernetes/errors.ts';
import { at, type Json, record, text } from '../../../src/kubernetes/json.ts';
import { err, ok, type Result } from '../../../src/lib/result.ts';
import type { FakeCluster } from './fake-cluster.ts';
import type { FakeProcess } from './fake-process.ts';

type Reply = Result<Json, CallFault>;

/** What a test makes of a write to somebody's workload: an answer in the server's place, before or after applying. */
export interface Trouble {
  readonly applies: boolean;
  readonly fault: CallFault;
}

const status = (code: number, message: string, causes: readonly string[] = []): CallFault =>
  answerFault(code, { message, details: { causes: causes.map((reason) => ({ reason })) } });

export const TROUBLE = {
  conflict: { applies: false, fault: status(409, 'the object has been modified') },
  forbidden: { applies: false, fault: status(403, 'User "aegis" cannot create resource "pods/eviction"') },
  rejected: { applies: false, fault: status(422, 'admission webhook denied the request') },
  /** The answer was lost, and so was the request. */
  lost: { applies: false, fault: { kind: 'Timeout', message: 'no answer within 10 s', sent: true, causes: [] } },
  /** The answer was lost, the request was not. */
  unanswered: { applies: true, fault: { kind: 'Timeout', message: 'no answer within 10 s', sent: true, causes: [] } },
} as const satisfies Record<string, Trouble>;

const OBJECTS = new Set(['services', 'httproutes', 'backendtrafficpolicies', 'envoyfilters', 'ingresses']);

const HPAS = 'horizontalpodautoscalers';
const VERBS: Readonly<Record<string, string>> = { eviction: 'evict', scale: 'scale', [HPAS]: 'minimum' };

/** The requests of the executors, answered as an API server does: preconditions, budgets, versions, dry runs. */
export class FakeKubeClient implements KubeClient {
  readonly namespace = 'aegis-system';
  readonly #cluster: FakeCluster;
  readonly #process: FakeProcess;

  constructor(cluster: FakeCluster, process: FakeProcess) {
    this.#cluster = cluster;
    this.#process = process;
  }

  async call(request: ApiRequest): Promise<Reply> {
    const { target, method } = request;
    const { namespace = '', name = '', subresource } = target;
    const isDryRun = target.query?.['dryRun'] === 'All';
    if (OBJECTS.has(target.resource.plural)) return this.#object(request, isDryRun);
    if (method === 'GET' && name === '') return this.#process.read(() => this.#proxies());
    if (method === 'GET')
      return this.#process.read(() => this.#get(target.resource.plural, namespace, name, subresource));
    if (!isDryRun && request.fence?.() === false) {
      return err({ kind: 'Unavailable', message: 'not the leader', sent: false, causes: ['NotLeader'] });
    }
    const verb = VERBS[subresource ?? target.resource.plural] ?? 'rollout';
    const write = () => this.#write(verb, namespace, name, { body: record(request.body), isDryRun });
    if (!isDryRun) return this.#process.mutate(`${verb} ${name}`, write);
    await this.#process.world.onDryRun();
    return this.#process.read(write);
  }

  /** Kinds that are not watched: made, read, listed and deleted with their preconditions. */
  async #object(request: ApiRequest, isDryRun: boolean): Promise<Reply> {
    const { target, method } = request;
    const { namespace = '', name = '' } = target;
    const { plural } = target.resource;
    const { objects } = this.#process.world;
    const known = () => objects.get(plural, namespace, name);
    const missing = err(status(404, `${plural} "${name}" not found`));
    if (method === 'GET' && name === '') {
      return this.#process.read(() => ok({ items: objects.list(plural, namespace), metadata: {} }));
    }
    if (method === 'GET') {
      return this.#process.read(() => {
        const object = known();
        return object === undefined ? missing : ok(object);
      });
    }
    if (!isDryRun && request.fence?.() === false) {
      return err({ kind: 'Unavailable', message: 'not the leader', sent: false, causes: ['NotLeader'] });
    }
    const body = record(request.body);
    if (method === 'POST' && isDryRun) return this.#process.read(() => ok(body));
    const verb = method === 'POST' ? 'limit' : 'unlimit';
    return this.#process.mutate(`${verb} ${plural}`, () => {
      const made = method === 'POST' ? objects.create(plural, body) : undefined;
      const isGone = method === 'DELETE' && objects.delete(plural, namespace, name, record(body['preconditions']));
      const applied = made !== undefined || isGone;
      this.#cluster.log({ by: this.#process.name, verb, what: plural, dryRun: false, applied });
      if (!applied) return err(status(method === 'POST' ? 409 : 404, `${plural}: ${method} is refused`));
      return ok(made ?? {});
    });
  }

  /** Pods of the gateway, each ready. */
  #proxies(): Reply {
    const proxy = { status: { conditions: [{ type: 'Ready', status: 'True' }] } };
    return ok({ items: Array.from({ length: this.#process.world.proxies }, () => proxy), metadata: {} });
  }

  #get(plural: string, namespace: string, name: string, subresource: string | undefined): Reply {
    if (plural === 'deployments' && subresource === undefined) {
      return ok({ spec: { selector: { matchLabels: { app: name } } } });
    }
    if (plural === HPAS) {
      const scaled = this.#cluster.scaledBy(namespace, name);
      const hpa = scaled?.autoscalers.find((each) => each.name === name);
      if (scaled === undefined) return err(status(404, `${plural} "${name}" not found`));
      const metadata = { name, namespace, uid: `uid-hpa-${name}`, resourceVersion: scaled.resourceVersion };
      return ok({ metadata, spec: { minReplicas: hpa?.minReplicas, maxReplicas: hpa?.maxReplicas } });
    }
    if (subresource === 'scale') {
      const workload = this.#cluster.find(namespace, name);
      if (workload === undefined) return err(status(404, `${name} not found`));
      const metadata = { name, namespace, uid: workload.ref.uid, resourceVersion: workload.resourceVersion };
      return ok({ metadata, spec: { replicas: workload.replicas.desired } });
    }
    const pod = this.#cluster.podNamed(namespace, name);
    return pod === undefined ? err(status(404, `pods "${name}" not found`)) : ok({ metadata: { name, uid: pod.uid } });
  }

  #write(verb: string, namespace: string, name: string, ask: { body: Json; isDryRun: boolean }): Reply {
    const trouble = this.#process.world.trouble(ask.isDryRun ? `dry-run ${verb}` : verb);
    const because = trouble?.applies === false ? trouble.fault : this.#refusal(verb, namespace, name, ask.body);
    const isApplied = because === undefined && (ask.isDryRun || this.#apply(verb, namespace, name, ask.body));
    const { replicas, minReplicas } = at(ask.body, 'spec');
    const wanted = verb === 'scale' ? replicas : minReplicas;
    const what = verb === 'scale' || verb === 'minimum' ? `${name} to ${Number(wanted)}` : name;
    this.#cluster.log({ by: this.#process.name, verb, what, dryRun: ask.isDryRun, applied: isApplied });
    if (because !== undefined) return err(because);
    return trouble === undefined ? ok({}) : err(trouble.fault);
  }

  #refusal(verb: string, namespace: string, name: string, body: Json): CallFault | undefined {
    if (verb === 'evict') {
      const pod = this.#cluster.podNamed(namespace, name);
      if (pod === undefined) return status(404, `pods "${name}" not found`);
      const wanted = text(at(body, 'deleteOptions', 'preconditions')['uid']);
      if (wanted !== pod.uid) return status(409, `the UID in the precondition (${wanted}) does not match ${pod.uid}`);
      const workload = this.#cluster.view().workloads.find(({ pods }) => pods.some(({ uid }) => uid === pod.uid));
      const budget = workload?.disruptionBudgets[0];
      if (budget === undefined || budget.disruptionsAllowed > 0) return undefined;
      return status(429, `Cannot evict pod as it would violate the budget ${budget.name}`, ['DisruptionBudget']);
    }
    const workload = verb === 'minimum' ? this.#cluster.scaledBy(namespace, name) : this.#cluster.find(namespace, name);
    if (workload === undefined) return status(404, `${name} not found`);
    return at(body, 'metadata')['resourceVersion'] === workload.resourceVersion
      ? undefined
      : status(409, 'the object has been modified');
  }

  #apply(verb: string, namespace: string, name: string, body: Json): boolean {
    if (verb === 'evict') return this.#cluster.evict(namespace, name);
    if (verb === 'minimum') this.#cluster.setMinimum(namespace, name, Number(at(body, 'spec')['minReplicas']));
    else if (verb === 'scale') this.#cluster.scale(namespace, name, Number(at(body, 'spec')['replicas']));
    else {
      const annotations = at(body, 'spec', 'template', 'metadata', 'annotations');
      this.#cluster.rollout(namespace, name, annotations as Readonly<Record<string, string>>);
    }
    return true;
  }

  exec(): ReturnType<KubeClient['exec']> {
    return Promise.resolve(err(status(404, 'nothing runs here')));
  }

  readText(): Promise<Result<string, CallFault>> {
    return Promise.resolve(err(status(404, 'there are no logs here')));
  }

  watch(): ReturnType<KubeClient['watch']> {
    return Promise.resolve({ kind: 'refused', fault: status(404, 'there are no watches here') });
  }

  groups(): Promise<Reply> {
    return Promise.resolve(ok({}));
  }

  fenceWrites(): void {
    // Every write here is an effect and bears its own fence.
  }

  close(): void {
    // Nothing is open.
  }
}
