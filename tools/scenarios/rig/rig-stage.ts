import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, list, type Json, metaOf } from '../../../src/kubernetes/json.ts';
import { RESOURCES, type Resource } from '../../../src/kubernetes/resources.ts';
import type { PodSnapshot, WorkloadSnapshot } from '../../../src/lib/workload.ts';
import { installOperator, type InstalledOperator } from '../../../test/support/installed-operator.ts';
import type { OperatorProcess } from '../../demo/operator-process.ts';
import { waitUntil } from '../../rig/wait.ts';
import { admittedPerSecond } from '../limits.ts';
import type { LoadedScenario } from '../load.ts';
import { LogBook } from '../log-book.ts';
import { MetricBook } from '../metric-book.ts';
import type { ObjectKind, ScenarioObject, ScenarioWorkload } from '../schema.ts';
import { chosenPods, type Place, type Where } from '../shared-events.ts';
import type { Ground } from './ground.ts';
import * as manifests from './manifests.ts';
import { claimLines, ScenarioPage } from './page.ts';
import { isClusterWide } from './playable.ts';
import { rawStatus } from './raw-pod.ts';
import type { StandIn } from './stand-ins.ts';

const MINUTE = 60_000;
/** The rig's own stages let a pod or a node with it alone. */
const FROZEN = { metadata: { labels: { 'aegis.test/frozen': 'true' } } };

/** One scenario on the rig: namespaces, an installation and an operator of its own. */
export class RigStage implements Place {
  readonly ground: Ground;
  readonly loaded: LoadedScenario;
  readonly id = randomBytes(3).toString('hex');
  readonly metrics: MetricBook;
  readonly logs = new LogBook();
  readonly clearedCaches: ReadonlySet<string> = new Set();
  readonly standIn: StandIn;
  readonly claims = new Map<string, { readonly claim: string; readonly freeRatio: number }>();
  /** What pods of a workload are made into as soon as they are seen. */
  readonly newborns = new Map<string, (pod: PodSnapshot) => PodSnapshot>();
  accepts = true;
  startMs = 0;
  #operator: OperatorProcess | undefined;
  #installed: InstalledOperator | undefined;
  readonly #stateDir: string;
  readonly #edges: { readonly namespace: string; readonly from: string; readonly to: string; calls: number }[] = [];
  readonly #seen = new Set<string>();
  #limiting: readonly Json[] = [];

  constructor(ground: Ground, loaded: LoadedScenario) {
    this.ground = ground;
    this.loaded = loaded;
    this.#stateDir = mkdtempSync(join(tmpdir(), `aegis-scenario-${this.id}-`));
    this.metrics = new MetricBook(loaded.scenario);
    this.metrics.admittedPerSecond = (workload) => this.#admitted(workload);
    this.standIn = {
      ...{ prometheusUrl: ground.rig.prometheusUrl, namespace: this.real('shop'), alerts: [], sent: [] },
      ...{ answers: 'well', areSinksDown: false },
      logs: (isAsked, sinceMs) => this.logs.read(this.podNames().filter(isAsked), sinceMs, this.nowMs),
    };
  }

  get nowMs(): number {
    return Date.now();
  }

  /** Namespace of the operator. */
  get system(): string {
    return `aegis-${this.id}`;
  }

  get account(): string {
    return `system:serviceaccount:${this.system}:aegis`;
  }

  get dataDir(): string | undefined {
    return this.#operator === undefined ? undefined : join(this.#operator.logFile, '..', 'data');
  }

  get logFile(): string | undefined {
    return this.#operator?.logFile;
  }

  /** Namespace on the rig of one in the scenario. */
  real(namespace: string): string {
    return `${namespace}-${this.id}`;
  }

  get namespaces(): readonly string[] {
    const { cluster, policies } = this.loaded.scenario;
    const named = [
      ...cluster.workloads.map(({ namespace }) => namespace),
      ...policies.map(({ metadata }) => (typeof metadata['namespace'] === 'string' ? metadata['namespace'] : 'shop')),
    ];
    return [...new Set(named)].map((namespace) => this.real(namespace));
  }

  find(workload: string, namespace: string): WorkloadSnapshot {
    const found = this.workloads().find(({ ref }) => ref.name === workload && ref.namespace === this.real(namespace));
    if (found === undefined) throw new Error(`there is no workload ${workload} in ${this.real(namespace)}`);
    return found;
  }

  /** All workloads of the scenario that exist now. */
  workloads(): readonly WorkloadSnapshot[] {
    const { cluster, events } = this.loaded.scenario;
    const added = events.flatMap((event) => (event.do === 'add-workload' ? [event.workload] : []));
    return [...cluster.workloads, ...added].flatMap(({ name, kind, namespace }) =>
      this.ground.reader.workloads(this.real(namespace), { kind, name }),
    );
  }

  podNames(): readonly string[] {
    return this.workloads().flatMap(({ pods }) => pods.map(({ name }) => name));
  }

  /** Makes the world of the scenario, and starts the operator in it. The time of the scenario begins when it answers. */
  async open(): Promise<void> {
    const { ground, loaded, namespaces } = this;
    const { scenario } = loaded;
    for (const namespace of namespaces) await ground.rig.kubectl(['create', 'namespace', namespace]);
    await this.#makeNodes();
    const base = this.ground.standIns.add(this.id, this.standIn);
    ground.standIns.pages.set(this.id, (nowMs) => this.#page(nowMs));
    for (const object of scenario.cluster.objects) await this.putObject(object);
    for (const workload of scenario.cluster.workloads) await this.addWorkload(workload);
    const pods = scenario.cluster.workloads.reduce((sum, workload) => sum + workload.pods, 0);
    await waitUntil('the pods', MINUTE, () => {
      this.noticePods();
      return this.workloads().reduce((sum, { replicas }) => sum + replicas.ready, 0) >= pods;
    });
    const items = scenario.policies.map((policy) => manifests.policyManifest(policy, this.#namespaceOf(policy)));
    await this.apply(...items);
    await this.#install(base);
    for (const guardrail of scenario.guardrails) await this.putGuardrail(guardrail.spec);
    await this.startAegis();
    this.startMs = this.nowMs;
  }

  async startAegis(): Promise<void> {
    this.#operator = await this.#installed?.start();
  }

  async killAegis(): Promise<void> {
    this.#operator?.signal('SIGKILL');
    await this.#operator?.ended;
  }

  /** Ends the operator in good order, so that its store is whole. */
  async stopAegis(): Promise<void> {
    await this.#operator?.stop();
  }

  async close(): Promise<void> {
    this.ground.standIns.remove(this.id);
    await this.#installed?.remove(...this.namespaces);
    await this.#removeNodes();
    rmSync(this.#stateDir, { recursive: true, force: true });
  }

  apply(...items: readonly object[]): Promise<string> {
    if (items.length === 0) return Promise.resolve('');
    return this.ground.rig.kubectl(['apply', '-f', '-'], { stdin: { apiVersion: 'v1', kind: 'List', items } });
  }

  /** Writes a part of an object, or of its status, as the administrator. */
  async patch(
    target: { readonly resource: Resource; readonly namespace?: string; readonly name: string },
    body: object,
    subresource?: 'status',
  ): Promise<void> {
    const path = subresource === undefined ? target : { ...target, subresource };
    const reply = await this.ground.client.call({ method: 'PATCH', target: path, body, patch: 'merge' });
    if (!reply.ok && reply.error.kind !== 'NotFound') {
      throw new Error(`${target.resource.plural} ${target.name}: ${reply.error.message}`);
    }
  }

  async addWorkload(workload: ScenarioWorkload): Promise<void> {
    const namespace = this.real(workload.namespace);
    const node = isClusterWide(this.loaded) ? this.#realNode(this.#nodeNames()[0] ?? 'node-a') : undefined;
    await this.apply(
      manifests.workloadManifest(workload, namespace, node),
      ...manifests.companions(workload, workload.set, namespace),
    );
    // The fields whose owner somebody else claims are applied once more, in his name.
    for (const manager of list(workload.set['replicasManagers']).map(String)) {
      const own = { apiVersion: 'apps/v1', kind: workload.kind, metadata: { name: workload.name, namespace } };
      const apply = ['apply', '--server-side', '--force-conflicts', `--field-manager=${manager}`, '-f', '-'];
      await this.ground.rig.kubectl(apply, { stdin: { ...own, spec: { replicas: workload.pods } } });
    }
  }

  async putObject(object: ScenarioObject): Promise<void> {
    const namespace = this.real(object.metadata.namespace);
    if (object.kind === 'HTTPRoute') await this.apply(...manifests.proxies(namespace, object, this.#proxyCount()));
    await this.apply(manifests.objectManifest(object, namespace));
    const status = manifests.objectStatus(object, this.nowMs);
    const target = { resource: manifests.resourceOf(object.kind), namespace, name: object.metadata.name };
    if (status !== undefined) await this.patch(target, { status }, 'status');
  }

  async deleteObject(kind: ObjectKind, namespace: string, name: string): Promise<void> {
    const target = { resource: manifests.resourceOf(kind), namespace: this.real(namespace), name };
    await this.ground.client.call({ method: 'DELETE', target });
  }

  async putGuardrail(spec: unknown): Promise<void> {
    await this.apply(manifests.guardrailConfigMap(spec, this.system));
  }

  addCall(namespace: string, from: string, to: string): void {
    this.#edges.push({ namespace: this.real(namespace), from, to, calls: 0 });
  }

  /** Makes these pods what the change makes of them, and keeps the simulated kubelet from changing it back. */
  async editPods(where: Where, change: (pod: PodSnapshot) => PodSnapshot): Promise<void> {
    for (const pod of chosenPods(this, where)) await this.writePod(pod, change(pod));
  }

  async writePod(before: PodSnapshot, after: PodSnapshot): Promise<void> {
    const target = { resource: RESOURCES.pods, namespace: before.namespace, name: before.name };
    const { labels, annotations } = after;
    await this.patch(target, { metadata: { labels: { ...labels, ...FROZEN.metadata.labels }, annotations } });
    await this.patch(target, { status: rawStatus(after, this.nowMs) }, 'status');
  }

  /** The simulated kubelet looks after these pods again: they are well. */
  async thawPods(where: Where): Promise<void> {
    await this.editPods(where, (pod) => ({
      ...pod,
      ...{ phase: 'Running', ready: true, conditions: [{ type: 'Ready', status: 'True', changedAtMs: this.nowMs }] },
      containers: pod.containers.map(({ name, image, init, restartCount, ...limits }) => ({
        ...{ name, image, init, restartCount, ready: true, state: 'running', startedAtMs: this.nowMs },
        ...(limits.lastTermination !== undefined && { lastTermination: limits.lastTermination }),
      })),
    }));
    for (const { namespace, name } of chosenPods(this, where)) {
      await this.patch(
        { resource: RESOURCES.pods, namespace, name },
        { metadata: { labels: { 'aegis.test/frozen': null } } },
      );
    }
  }

  async editNode(name: string, set: Readonly<Record<string, unknown>>): Promise<void> {
    const target = { resource: RESOURCES.nodes, name: this.#realNode(name) };
    await this.patch(target, { metadata: { labels: FROZEN.metadata.labels } });
    if (set['unschedulable'] !== undefined) await this.patch(target, { spec: { unschedulable: set['unschedulable'] } });
    const lastTransitionTime = new Date(this.nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
    const pressures = list(set['pressures']).map(String);
    const conditions = ['MemoryPressure', 'DiskPressure', 'PIDPressure'].map((type) => ({
      ...{ type, status: pressures.includes(type) ? 'True' : 'False', reason: 'Scenario', message: '' },
      ...{ lastTransitionTime, lastHeartbeatTime: lastTransitionTime },
    }));
    const ready = { ...conditions[0], type: 'Ready', status: set['ready'] ?? 'True' };
    await this.patch(target, { status: { conditions: [...conditions, ready] } }, 'status');
  }

  /** Pods where a cluster's DNS runs, so many of them ready. */
  async setDns(ready: number, total: number): Promise<void> {
    const labels = { 'k8s-app': 'kube-dns' };
    const pods = Array.from({ length: total }, (_, i) => ({
      ...{ apiVersion: 'v1', kind: 'Pod' },
      metadata: {
        ...{ name: `dns-${this.id}-${i}`, namespace: 'kube-system' },
        labels: { ...labels, ...(i >= ready && { 'aegis.test/never-ready': 'true' }) },
      },
      spec: { nodeSelector: { type: 'kwok' }, containers: [{ name: 'dns', image: 'example.invalid/dns:1' }] },
    }));
    await this.apply(...pods);
    await this.ground.rig.kubectl([
      'label',
      'pods',
      '-n',
      'kube-system',
      '-l',
      'k8s-app=kube-dns',
      '--overwrite',
      `scenario=${this.id}`,
    ]);
  }

  /** As a person does, with kubectl. */
  async answerApproval(decision: 'Approved' | 'Denied'): Promise<void> {
    const waiting = this.ground.reader
      .actions()
      .find(
        ({ intent, status }) =>
          this.namespaces.includes(intent.namespace) && intent.approvalRequired && status.closed === undefined,
      );
    if (waiting === undefined) throw new Error('nothing waits for an answer');
    const { namespace, name } = waiting.intent;
    const approval = { decision, by: 'rig-admin', reason: 'looked at it', time: new Date(this.nowMs).toISOString() };
    await this.patch({ resource: RESOURCES.actions, namespace, name }, { spec: { approval } });
  }

  /** Gives every pod that is new its name in the scenario. */
  noticePods(): void {
    for (const { ref, pods } of this.workloads()) {
      const fresh = pods.filter(({ uid }) => !this.#seen.has(uid));
      for (const { uid, name } of fresh.toSorted(
        (a, b) => a.createdAtMs - b.createdAtMs || (a.name < b.name ? -1 : 1),
      )) {
        this.#seen.add(uid);
        this.#names.set(name, `${ref.name}-${this.#seen.size}`);
      }
    }
  }

  /** Pods that are to be made into something else, once the simulated kubelet has started them: before, it would go on. */
  bornPods(): readonly { readonly pod: PodSnapshot; readonly change: (pod: PodSnapshot) => PodSnapshot }[] {
    return this.workloads().flatMap(({ ref, pods }) => {
      const change = this.newborns.get(ref.name);
      if (change === undefined) return [];
      const started = pods.filter(
        ({ uid, containers }) => !this.#made.has(uid) && containers.some(({ state }) => state === 'running'),
      );
      for (const { uid } of started) this.#made.add(uid);
      return started.map((pod) => ({ pod, change }));
    });
  }

  /** Only pods that come later are newborn. */
  setNewborn(workload: string, change: (pod: PodSnapshot) => PodSnapshot): void {
    for (const { pods } of this.workloads()) for (const { uid } of pods) this.#made.add(uid);
    this.newborns.set(workload, change);
  }

  readonly #made = new Set<string>();
  readonly #names = new Map<string, string>();

  /** `evict checkout-7d9-x2k` with the pod's name in the scenario. */
  inScenario(write: string): string {
    const [verb = '', what = '', ...rest] = write.split(' ');
    return [verb, this.#names.get(what) ?? what, ...rest].join(' ');
  }

  /** As a gateway does: says of each limit whether it accepts it, and lets in what it allows. */
  async playGateway(): Promise<void> {
    const all = await Promise.all(
      [RESOURCES.backendTrafficPolicies, RESOURCES.envoyFilters].map(async (resource) => {
        const target = { resource, namespace: this.real('shop') };
        const reply = await this.ground.client.call({ method: 'GET', target });
        return reply.ok ? list(reply.value['items']).map((item) => ({ ...at(item), kind: resource.kind })) : [];
      }),
    );
    this.#limiting = all.flat();
    for (const object of this.#limiting.filter((each) => each['kind'] === 'BackendTrafficPolicy')) {
      if (list(at(object, 'status')['ancestors']).length > 0) continue;
      const { namespace, name } = metaOf(object);
      const target = { resource: RESOURCES.backendTrafficPolicies, namespace, name };
      await this.patch(target, { status: { ancestors: [ancestor(this.accepts)] } }, 'status');
    }
  }

  get hasGateway(): boolean {
    const { cluster, events } = this.loaded.scenario;
    const objects = [...cluster.objects, ...events.flatMap((event) => (event.do === 'object' ? [event.object] : []))];
    const isMeshed = JSON.stringify(cluster.workloads).includes('istio-proxy');
    return isMeshed || objects.some(({ kind }) => kind === 'HTTPRoute');
  }

  #admitted(workload: WorkloadSnapshot): number | undefined {
    const known = [...this.loaded.scenario.cluster.objects];
    const listed = (kinds: readonly string[]): readonly Json[] =>
      this.#limiting.filter((each) => kinds.includes(String(each['kind'])));
    const objects = {
      accepts: this.accepts,
      list: (plural: string): readonly Json[] =>
        plural === 'envoyfilters' ? listed(['EnvoyFilter']) : listed(['BackendTrafficPolicy']),
      get: (plural: string, _namespace: string, name: string): Json | undefined =>
        known.find((each) => manifests.resourceOf(each.kind).plural === plural && each.metadata.name === name),
    };
    return admittedPerSecond({ objects, proxies: this.#proxyCount(), hookCalls: new Map() }, workload);
  }

  #proxyCount(): number {
    const gateway = this.loaded.scenario.events.find((event) => event.do === 'gateway');
    return gateway?.do === 'gateway' ? gateway.proxies : 2;
  }

  #page(nowMs: number): readonly string[] {
    const calls = this.#edges.map((edge) => {
      edge.calls += 1;
      const labels = `reporter="source",source_workload="${edge.from}",source_workload_namespace="${edge.namespace}"`;
      const callee = `destination_service_name="${edge.to}",destination_service_namespace="${edge.namespace}"`;
      return `istio_requests_total{${labels},${callee},response_code="200"} ${edge.calls}`;
    });
    const claims = [...this.claims.values()].flatMap((claim) => claimLines(this.real('shop'), claim));
    return [...this.#pages.lines(this.workloads(), nowMs), ...calls, ...claims];
  }

  get #pages(): ScenarioPage {
    return (this.#madePage ??= new ScenarioPage(this.metrics));
  }

  #madePage: ScenarioPage | undefined;

  async #install(base: string): Promise<void> {
    const { scenario } = this.loaded;
    const wide = isClusterWide(this.loaded);
    const sinks = scenario.sinks.map((name) => ({
      ...{ name, type: 'Webhook', url: `${base}/sink/${name}`, secretFile: join(this.#stateDir, 'secret') },
    }));
    writeFileSync(join(this.#stateDir, 'secret'), 'a key that nobody checks');
    writeFileSync(join(this.#stateDir, 'sinks.json'), JSON.stringify({ sinks }));
    const values = [
      ...(wide ? [] : [`watchNamespaces={${this.namespaces.join(',')}}`, 'crds.install=false']),
      ...['actions.throttleApi.envoyGateway=true', 'actions.throttleApi.istio=true', 'evidence.configMaps=true'],
      'admissionPolicies.enabled=false',
    ];
    this.#installed = await installOperator(
      { ...this.ground.rig, prometheusUrl: `${base}/prometheus` },
      {
        ...{ helmBinary: this.ground.helmBinary, system: this.system, values },
        env: {
          ...(wide ? {} : { WATCH_NAMESPACES: this.namespaces.join(',') }),
          ...{ LOKI_URL: `${base}/loki`, SINKS_FILE: join(this.#stateDir, 'sinks.json') },
          ...{ THROTTLE_PROVIDERS: 'EnvoyGateway,Istio', POD_NAMESPACE: this.system },
          ...(scenario.enabledActions !== undefined && {
            ENABLED_ACTIONS: scenario.enabledActions.join(',') || 'none',
          }),
        },
      },
    );
  }

  #namespaceOf({ metadata }: LoadedScenario['scenario']['policies'][number]): string {
    return this.real(typeof metadata['namespace'] === 'string' ? metadata['namespace'] : 'shop');
  }

  #nodeNames(): readonly string[] {
    const { nodes } = this.loaded.scenario.cluster;
    return nodes.length === 0 ? ['node-a'] : nodes.map(({ name }) => (typeof name === 'string' ? name : 'node-a'));
  }

  #realNode(name: string): string {
    return `${name}-${this.id}`;
  }

  async #makeNodes(): Promise<void> {
    if (!isClusterWide(this.loaded)) return;
    const { nodeManifest } = await import('../../rig/kwok.ts');
    const names = this.#nodeNames().map((name) => this.#realNode(name));
    await this.apply(...names.map((name) => nodeManifest(name, 'zone-a')));
    const wait = ['wait', '--for=condition=Ready', '--timeout=30s', ...names.map((name) => `node/${name}`)];
    await this.ground.rig.kubectl(wait, { timeoutMs: 40_000 });
  }

  async #removeNodes(): Promise<void> {
    if (!isClusterWide(this.loaded)) return;
    const names = this.#nodeNames().map((name) => this.#realNode(name));
    await this.ground.rig.kubectl(['delete', 'node', '--ignore-not-found', ...names]);
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
