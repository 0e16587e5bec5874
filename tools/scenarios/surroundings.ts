import type { EvidenceAdapters } from '../../src/controller/evidence-desk.ts';
import type { CallEdge, ClaimRoom, DnsPods } from '../../src/controller/evidence-ports.ts';
import type { ApiRequest } from '../../src/kubernetes/client.ts';
import { answerFault, type CallFault } from '../../src/kubernetes/errors.ts';
import { ClusterEvidenceReader } from '../../src/kubernetes/evidence/evidence-reader.ts';
import { at, type Json, metaOf, record, stringMap } from '../../src/kubernetes/json.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { ok } from '../../src/lib/result.ts';
import type { WorkloadSnapshot } from '../../src/lib/workload.ts';
import { fakeClient } from '../../test/support/builders/kubernetes.ts';
import type { World } from '../../test/support/fakes/world.ts';
import { asObserved, statusTimes } from './patch.ts';
import type { ObjectKind, ScenarioObject } from './schema.ts';

const PLURALS: Readonly<Record<ObjectKind, string>> = {
  Service: 'services',
  NetworkPolicy: 'networkpolicies',
  ConfigMap: 'configmaps',
  Certificate: 'certificates',
  ExternalSecret: 'externalsecrets',
  HTTPRoute: 'httproutes',
  Ingress: 'ingresses',
  BackendTrafficPolicy: 'backendtrafficpolicies',
  EnvoyFilter: 'envoyfilters',
};
const WORKLOADS = ['deployments', 'statefulsets', 'daemonsets', 'rollouts'];
/** What stood before the scenario began has stood for a day: nobody changed it lately. */
const LONG_MS = 86_400_000;

/**
 * What stands around the workloads of a scenario on fakes: objects as an API server keeps them, who calls whom, claims and
 * DNS. Aegis's own reader reads the objects; endpoints follow from the Services' selectors and the pods as they are.
 */
export class Surroundings {
  readonly #world: World;
  readonly #podSpecOf: (workload: string, namespace: string) => unknown;
  readonly edges: CallEdge[] = [];
  readonly claims = new Map<string, ClaimRoom>();
  dns: DnsPods = { name: 'kube-system/kube-dns', ready: 2, total: 2 };

  constructor(world: World, podSpecOf: (workload: string, namespace: string) => unknown) {
    this.#world = world;
    this.#podSpecOf = podSpecOf;
  }

  /** As `kubectl apply` does. */
  put(object: ScenarioObject, isOld = false): void {
    const nowMs = this.#world.clock.nowMs();
    const { kind, metadata } = object;
    const known = this.#world.objects.get(PLURALS[kind], metadata.namespace, metadata.name);
    const writtenAt = new Date(isOld ? nowMs - LONG_MS : nowMs).toISOString();
    const createdAt = known === undefined ? writtenAt : String(at(known, 'metadata')['creationTimestamp']);
    this.#world.objects.put(PLURALS[kind], {
      ...statusTimes(asObserved(object), nowMs),
      metadata: {
        ...metadata,
        creationTimestamp: createdAt,
        managedFields: [{ manager: 'kubectl', operation: 'Apply', time: writtenAt }],
      },
    });
  }

  delete(kind: ObjectKind, namespace: string, name: string): void {
    this.#world.objects.delete(PLURALS[kind], namespace, name);
  }

  adapters(clock: Clock): EvidenceAdapters {
    const reply = (request: ApiRequest): Json | CallFault => this.#reply(request);
    return {
      cluster: new ClusterEvidenceReader({ client: fakeClient(reply), clock }),
      metrics: {
        claims: (_, names) =>
          Promise.resolve(ok([...this.claims.values()].filter(({ claim }) => names.includes(claim)))),
        calls: (namespaces) => {
          const known = this.edges.filter(({ caller }) => namespaces.includes(caller.namespace));
          return Promise.resolve(ok(known.length === 0 ? undefined : known));
        },
      },
      dns: { dnsPods: () => this.dns },
    };
  }

  #reply({ target, as }: ApiRequest): Json | CallFault {
    const { resource, namespace = '', name } = target;
    const { plural } = resource;
    if (name === undefined) {
      const items = plural === 'endpointslices' ? this.#slices(namespace) : this.#world.objects.list(plural, namespace);
      return { metadata: {}, items };
    }
    const workload = WORKLOADS.includes(plural) ? this.#world.cluster.find(namespace, name) : undefined;
    const found = workload === undefined ? this.#world.objects.get(plural, namespace, name) : this.#templated(workload);
    if (found === undefined) return answerFault(404, { message: `${plural} "${name}" not found` });
    return as === 'metadata' ? { metadata: found['metadata'] } : found;
  }

  #templated({ ref, labels, createdAtMs }: WorkloadSnapshot): Json {
    const { name, namespace } = ref;
    const spec = { containers: [], ...record(this.#podSpecOf(name, namespace)) };
    const creationTimestamp = new Date(createdAtMs).toISOString();
    return { metadata: { name, namespace, creationTimestamp }, spec: { template: { metadata: { labels }, spec } } };
  }

  #slices(namespace: string): readonly Json[] {
    const pods = this.#world.cluster
      .view()
      .workloads.filter(({ ref }) => ref.namespace === namespace)
      .flatMap((workload) => workload.pods)
      .filter(({ deletedAtMs }) => deletedAtMs === undefined);
    return this.#world.objects.list('services', namespace).map((service) => {
      const { name } = metaOf(service);
      const selector = Object.entries(stringMap(at(service, 'spec')['selector']));
      const behind =
        selector.length === 0 ? [] : pods.filter(({ labels }) => selector.every(([k, v]) => labels[k] === v));
      return {
        metadata: { name: `${name}-x`, namespace, labels: { 'kubernetes.io/service-name': name } },
        endpoints: behind.map((pod) => ({
          addresses: [pod.podIP ?? ''],
          conditions: { ready: pod.ready },
          targetRef: { kind: 'Pod', name: pod.name },
        })),
      };
    });
  }
}
