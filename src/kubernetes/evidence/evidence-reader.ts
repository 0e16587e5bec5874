import type { ClusterEvidence, ClusterEvidenceSource, ServiceState } from '../../controller/evidence-ports.ts';
import type { Change, CredentialState, EndpointState } from '../../diagnosis/evidence.ts';
import type { Clock } from '../../lib/clock.ts';
import type { WorkloadSnapshot } from '../../lib/workload.ts';
import type { KubeClient } from '../client.ts';
import { RESOURCES, WORKLOAD_RESOURCES } from '../resources.ts';
import { lastChangeMs } from './last-change.ts';
import { type Looked, NamespaceLists } from './namespace-lists.ts';
import { type HeldCredential, readCertificate, readExternalSecret } from './read-credentials.ts';
import { bindsPods, readNetworkPolicy, readService, selectsPods, serviceStates } from './read-network.ts';
import { claimsOf, readTemplate, type Template } from './read-template.ts';

type Labels = Readonly<Record<string, string>>;

/** What was made within so long of the workload came with it: nobody changed anything. */
const BIRTH_MS = 60_000;
/** A pod template that names more ConfigMaps than this has only the first ones looked at. */
const MOST_CONFIG_MAPS = 20;

/** A part of the evidence, and what of it could not be read. */
interface Part<T> {
  readonly value?: T;
  readonly changes: readonly Change[];
  readonly missing: readonly string[];
}

const unread = (why: string): Part<never> => ({ changes: [], missing: [why] });

/**
 * What a workload stands on, asked of the API server while an incident is open: what its template names, the Services and
 * NetworkPolicies that select its pods, and the status of whoever renews its credentials. Of ConfigMaps only the metadata
 * is asked for; Secrets are never read. A change is told by the time at which the object was last written, so what was
 * deleted leaves no trace here.
 */
export class ClusterEvidenceReader implements ClusterEvidenceSource {
  readonly #lists: NamespaceLists;
  readonly #clock: Clock;

  constructor({ client, clock }: { readonly client: KubeClient; readonly clock: Clock }) {
    this.#lists = new NamespaceLists(client, clock);
    this.#clock = clock;
  }

  async look(workload: WorkloadSnapshot): Promise<ClusterEvidence> {
    const { kind, namespace, name } = workload.ref;
    const object = await this.#lists.get(WORKLOAD_RESOURCES[kind], namespace, name);
    const template = object.kind === 'known' ? readTemplate(kind, object.value) : undefined;
    const [network, policies, configuration, credentials] = await Promise.all([
      this.#network(workload, template),
      this.#policies(workload, template),
      this.#configuration(namespace, template),
      this.#credentials(namespace, template),
    ]);
    const parts = [network, policies, configuration, credentials];
    const born = workload.createdAtMs + BIRTH_MS;
    return {
      changes: parts.flatMap(({ changes }) => changes).filter(({ atMs }) => atMs > born),
      missing: [...new Set([...missingOf('the pod template', object), ...parts.flatMap(({ missing }) => missing)])],
      ...network.value,
      ...(credentials.value !== undefined && { credentials: credentials.value }),
      ...(template !== undefined && { claims: claimsOf(template, workload.pods) }),
    };
  }

  async #network(
    workload: WorkloadSnapshot,
    template: Template | undefined,
  ): Promise<Part<{ services: readonly ServiceState[]; endpoints: readonly EndpointState[] }>> {
    const { namespace, name } = workload.ref;
    const [services, slices] = await Promise.all([
      this.#lists.list(RESOURCES.services, namespace),
      this.#lists.list(RESOURCES.endpointSlices, namespace),
    ]);
    if (services.kind !== 'known') return unread(whyOf('services', services));
    const read = services.value.flatMap((object) => readService(object) ?? []);
    const labels = labelsOf(workload, template);
    // One whose selector was broken selects nothing any more: it is known by its name.
    const own = read.filter((service) => selectsPods(service, labels) || service.name === name);
    const changes = own.flatMap((service): Change[] =>
      service.changedAtMs === undefined ? [] : [{ kind: 'service', name: service.name, atMs: service.changedAtMs }],
    );
    if (slices.kind !== 'known') return { changes, missing: [whyOf('endpointslices', slices)] };
    const selecting = read.filter(({ selector }) => Object.keys(selector).length > 0);
    const states = serviceStates(selecting, slices.value);
    const endpoints = states
      .filter((state) => own.some((service) => service.name === state.name))
      .map(({ name: service, readyEndpoints }) => ({ service, readyEndpoints }));
    return { changes, missing: [], value: { services: states, endpoints } };
  }

  async #policies(workload: WorkloadSnapshot, template: Template | undefined): Promise<Part<never>> {
    const found = await this.#lists.list(RESOURCES.networkPolicies, workload.ref.namespace);
    if (found.kind !== 'known') return unread(whyOf('networkpolicies', found));
    const labels = labelsOf(workload, template);
    const binding = found.value.map(readNetworkPolicy).filter((policy) => bindsPods(policy, labels));
    const changes = binding.flatMap(({ name, changedAtMs }): Change[] =>
      changedAtMs === undefined ? [] : [{ kind: 'network-policy', name, atMs: changedAtMs }],
    );
    return { changes, missing: [] };
  }

  async #configuration(namespace: string, template: Template | undefined): Promise<Part<never>> {
    if (template === undefined) return { changes: [], missing: [] };
    const names = template.configMaps.slice(0, MOST_CONFIG_MAPS);
    const looked = await Promise.all(names.map((name) => this.#lists.get(RESOURCES.configMaps, namespace, name, true)));
    const changes = looked.flatMap((each, i): Change[] => {
      const atMs = each.kind === 'known' ? lastChangeMs(each.value) : undefined;
      return atMs === undefined ? [] : [{ kind: 'config', name: names[i] ?? '', atMs }];
    });
    return { changes, missing: looked.flatMap((each) => (each.kind === 'unknown' ? [each.why] : [])) };
  }

  /** Only the controllers of credentials are asked, and only if the template names a Secret. */
  async #credentials(namespace: string, template: Template | undefined): Promise<Part<readonly CredentialState[]>> {
    if (template === undefined) return { changes: [], missing: [] };
    if (template.secrets.length === 0) return { value: [], changes: [], missing: [] };
    const nowMs = this.#clock.nowMs();
    const [certificates, externalSecrets] = await Promise.all([
      this.#lists.list(RESOURCES.certificates, namespace),
      this.#externalSecrets(namespace),
    ]);
    const held = [
      ...valuesOf(certificates).map((object) => readCertificate(object, nowMs)),
      ...valuesOf(externalSecrets).map(readExternalSecret),
    ].filter(({ secret }) => template.secrets.includes(secret));
    const missing = [
      ...missingOf('certificates', certificates),
      ...missingOf('externalsecrets', externalSecrets),
      ...held.flatMap(({ secret, state }) =>
        state === undefined ? [`who renews secret ${secret} says nothing yet`] : [],
      ),
    ];
    const isKnown = certificates.kind !== 'unknown' || externalSecrets.kind !== 'unknown';
    return {
      missing,
      changes: held.flatMap(changeOf),
      ...(isKnown && { value: held.flatMap(({ state }) => state ?? []) }),
    };
  }

  async #externalSecrets(namespace: string): Promise<Looked<readonly unknown[]>> {
    const newest = await this.#lists.list(RESOURCES.externalSecrets, namespace);
    return newest.kind === 'absent' ? this.#lists.list(RESOURCES.externalSecretsBeta, namespace) : newest;
  }
}

/** A credential that was renewed is a change of the Secret that holds it. */
function changeOf({ secret, state }: HeldCredential): readonly Change[] {
  if (state?.renewedAtMs === undefined) return [];
  const kind = state.kind === 'certificate' ? 'certificate' : 'secret';
  return [{ kind, name: kind === 'secret' ? secret : state.name, atMs: state.renewedAtMs }];
}

/** Of a pod, where there is one: what admission added is on it. */
const labelsOf = (workload: WorkloadSnapshot, template: Template | undefined): Labels =>
  workload.pods[0]?.labels ?? template?.labels ?? {};

const valuesOf = (looked: Looked<readonly unknown[]>): readonly unknown[] =>
  looked.kind === 'known' ? looked.value : [];

const missingOf = (what: string, looked: Looked<unknown>): readonly string[] =>
  looked.kind === 'unknown' ? [whyOf(what, looked)] : [];

const whyOf = (what: string, looked: Looked<unknown>): string =>
  looked.kind === 'unknown' ? looked.why : `${what}: not in this cluster`;
