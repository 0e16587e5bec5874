import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { list } from '../../../src/kubernetes/json.ts';
import { RESOURCES } from '../../../src/kubernetes/resources.ts';
import type { WorkloadSnapshot } from '../../../src/lib/workload.ts';
import { installOperator, type InstalledOperator } from '../../../test/support/installed-operator.ts';
import type { OperatorProcess } from '../../demo/operator-process.ts';
import { waitUntil } from '../../rig/wait.ts';
import { Declared } from '../declared.ts';
import type { LoadedScenario } from '../load.ts';
import { LogBook } from '../log-book.ts';
import { MetricBook } from '../metric-book.ts';
import type { ObjectKind, ScenarioObject, ScenarioWorkload } from '../schema.ts';
import type { Place } from '../shared-events.ts';
import { Administrator } from './administrator.ts';
import type { Ground } from './ground.ts';
import * as manifests from './manifests.ts';
import { claimLines, ScenarioPage } from './page.ts';
import { isClusterWide } from './playable.ts';
import { RigGateway } from './rig-gateway.ts';
import { RigNodes } from './rig-nodes.ts';
import { RigPods } from './rig-pods.ts';
import type { StandIn } from './stand-ins.ts';

const MINUTE = 60_000;
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
  readonly administrator: Administrator;
  readonly pods: RigPods;
  readonly declared: Declared;
  readonly gateway: RigGateway;
  /** Absent: the scenario touches nothing that belongs to the cluster as a whole. */
  readonly nodes: RigNodes | undefined;
  startMs = 0;
  #operator: OperatorProcess | undefined;
  #installed: InstalledOperator | undefined;
  readonly #stateDir: string;
  readonly #edges: { readonly namespace: string; readonly from: string; readonly to: string; calls: number }[] = [];

  constructor(ground: Ground, loaded: LoadedScenario) {
    this.ground = ground;
    this.loaded = loaded;
    this.#stateDir = mkdtempSync(join(tmpdir(), `aegis-scenario-${this.id}-`));
    this.metrics = new MetricBook(loaded.scenario, (namespace) => namespace.replace(`-${this.id}`, ''));
    this.declared = new Declared(loaded.scenario);
    this.administrator = new Administrator(ground);
    this.pods = new RigPods(this, this.administrator);
    this.gateway = new RigGateway(ground, this.administrator, loaded.scenario, this.real('shop'));
    this.nodes = isClusterWide(loaded)
      ? new RigNodes(ground.rig, this.administrator, loaded.scenario, this.id)
      : undefined;
    this.metrics.admittedPerSecond = (workload) => this.gateway.admitted(workload);
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
    const { cluster, policies, events } = this.loaded.scenario;
    const later = events.flatMap((event) => (event.do === 'add-policy' ? [event.policy] : []));
    const named = [
      ...cluster.workloads.map(({ namespace }) => this.real(namespace)),
      ...[...policies, ...later].map((policy) => this.realNamespaceOf(policy)),
    ];
    return [...new Set(named)];
  }

  find(workload: string, namespace: string): WorkloadSnapshot {
    const found = this.workloads().find(({ ref }) => ref.name === workload && ref.namespace === this.real(namespace));
    if (found === undefined) throw new Error(`there is no workload ${workload} in ${this.real(namespace)}`);
    // Places in the workload are counted as on fakes: by age.
    return { ...found, pods: this.pods.inOrder(found.pods) };
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
    await this.nodes?.make();
    const base = this.ground.standIns.add(this.id, this.standIn);
    ground.standIns.pages.set(this.id, (nowMs) => this.#page(nowMs));
    for (const object of scenario.cluster.objects) await this.putObject(object);
    for (const workload of scenario.cluster.workloads) await this.addWorkload(workload);
    const pods = scenario.cluster.workloads.reduce((sum, workload) => sum + workload.pods, 0);
    await waitUntil('the pods', MINUTE, () => {
      this.pods.notice();
      return this.workloads().reduce((sum, { replicas }) => sum + replicas.ready, 0) >= pods;
    });
    const items = scenario.policies.map((policy) => manifests.policyManifest(policy, this.realNamespaceOf(policy)));
    await this.administrator.apply(...items);
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
    await this.nodes?.remove();
    rmSync(this.#stateDir, { recursive: true, force: true });
  }

  async addWorkload(workload: ScenarioWorkload): Promise<void> {
    const namespace = this.real(workload.namespace);
    await this.administrator.apply(
      manifests.workloadManifest(workload, namespace, this.nodes?.first),
      ...manifests.companions(workload, workload.set, namespace),
    );
    // The fields whose owner somebody else claims are applied once more, in his name.
    for (const manager of list(workload.set['replicasManagers']).map(String)) {
      const own = { apiVersion: 'apps/v1', kind: workload.kind, metadata: { name: workload.name, namespace } };
      await this.administrator.applyAs(manager, { ...own, spec: { replicas: workload.pods } });
    }
  }

  async putObject(object: ScenarioObject): Promise<void> {
    const namespace = this.real(object.metadata.namespace);
    if (object.kind === 'HTTPRoute')
      await this.administrator.apply(...manifests.proxies(namespace, object, this.gateway.proxyCount()));
    await this.administrator.apply(manifests.objectManifest(object, namespace));
    const status = manifests.objectStatus(object, this.nowMs);
    const target = { resource: manifests.resourceOf(object.kind), namespace, name: object.metadata.name };
    if (status !== undefined) await this.administrator.patch(target, { status }, 'status');
  }

  async deleteObject(kind: ObjectKind, namespace: string, name: string): Promise<void> {
    const target = { resource: manifests.resourceOf(kind), namespace: this.real(namespace), name };
    await this.administrator.delete(target);
  }

  async putGuardrail(spec: unknown): Promise<void> {
    await this.administrator.apply(manifests.guardrailConfigMap(spec, this.system));
  }

  async deleteGuardrail(): Promise<void> {
    const resource = RESOURCES.configMaps;
    await this.administrator.delete({ resource, namespace: this.system, name: manifests.GUARDRAIL_CONFIG_MAP });
  }

  addCall(namespace: string, from: string, to: string): void {
    this.#edges.push({ namespace: this.real(namespace), from, to, calls: 0 });
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
    await this.administrator.patch({ resource: RESOURCES.actions, namespace, name }, { spec: { approval } });
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
      ...['actions.scaleUp.raiseAutoscalerMinimum=true', 'admissionPolicies.enabled=false'],
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

  realNamespaceOf({ metadata }: LoadedScenario['scenario']['policies'][number]): string {
    return this.real(typeof metadata['namespace'] === 'string' ? metadata['namespace'] : 'shop');
  }
}
