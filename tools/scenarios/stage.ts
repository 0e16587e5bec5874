import type { LogSource } from '../../src/controller/ports.ts';
import { ok } from '../../src/lib/result.ts';
import type { ContainerSnapshot, PodSnapshot, WorkloadRef, WorkloadSnapshot } from '../../src/lib/workload.ts';
import { list, record, text } from '../../src/kubernetes/json.ts';
import { aContainer, aNode } from '../../test/support/builders/workload.ts';
import { anOperator, type RunningProcess } from '../../test/support/fakes/an-operator.ts';
import { asReady } from '../../test/support/fakes/pod-states.ts';
import { World } from '../../test/support/fakes/world.ts';
import { Declared } from './declared.ts';
import type { LoadedScenario } from './load.ts';
import { LogBook } from './log-book.ts';
import { MetricBook } from './metric-book.ts';
import { atMoment, merged } from './patch.ts';
import { chosenPods, type Place, type Where } from './shared-events.ts';
import { admittedPerSecond } from './limits.ts';
import type { ScenarioWorkload } from './schema.ts';
import { ScenarioSource } from './source.ts';
import { Surroundings } from './surroundings.ts';

/** The world of one scenario: a cluster, its metrics and logs, and the operator that is to look after it. */
export class Stage implements Place {
  readonly world: World;
  readonly source: ScenarioSource;
  readonly loaded: LoadedScenario;
  readonly startMs: number;
  readonly metrics: MetricBook;
  readonly logs = new LogBook();
  readonly surroundings: Surroundings;
  readonly declared: Declared;
  /** Names of the pods whose cache was cleared. */
  readonly clearedCaches = new Set<string>();
  readonly #podSpecs = new Map<string, unknown>();
  readonly #newborns = new Map<string, (pod: PodSnapshot) => PodSnapshot>();
  readonly #limits = new Map<string, ScenarioWorkload['limits']>();
  #running: RunningProcess | undefined;

  private constructor(world: World, loaded: LoadedScenario) {
    this.world = world;
    this.loaded = loaded;
    this.startMs = world.clock.nowMs();
    this.metrics = new MetricBook(loaded.scenario);
    this.declared = new Declared(loaded.scenario);
    this.metrics.admittedPerSecond = (workload) => admittedPerSecond(world, workload);
    this.source = new ScenarioSource(world.cluster, this.metrics);
    this.surroundings = new Surroundings(world, (name, namespace) => this.#podSpecs.get(`${namespace}/${name}`));
    // An answer that tells of a failure clears nothing.
    world.onCacheCleared = (pod) => {
      if (world.cacheAnswer === 'lost' || world.cacheAnswer < 300) this.clearedCaches.add(pod);
    };
    world.metricSource = this.source;
    world.cluster.started = (pod, ref) => limited(pod, this.#limitsOf(ref));
    world.cluster.newborn = (pod, { namespace, name }) => this.#newborns.get(`${namespace}/${name}`)?.(pod) ?? pod;
  }

  static async open(loaded: LoadedScenario): Promise<Stage> {
    const { startsAt } = loaded.scenario;
    const world = await World.create(startsAt === undefined ? undefined : Date.parse(startsAt));
    const stage = new Stage(world, loaded);
    const { scenario, policies, guardrails } = loaded;
    world.sinks = scenario.sinks;
    if (scenario.cluster.nodes.length > 0) {
      world.cluster.nodes.splice(
        0,
        1,
        ...scenario.cluster.nodes.map((set) => merged(aNode(), atMoment(set, stage.startMs))),
      );
    }
    for (const workload of scenario.cluster.workloads) stage.addWorkload(workload);
    for (const object of scenario.cluster.objects) stage.surroundings.put(object, true);
    for (const guardrail of guardrails) world.cluster.putGuardrail(guardrail);
    for (const policy of policies) world.cluster.putPolicy(policy);
    return stage;
  }

  get nowMs(): number {
    return this.world.clock.nowMs();
  }

  async startAegis(): Promise<void> {
    const { enabledActions } = this.loaded.scenario;
    this.#running = await anOperator(this.world, {
      logs: this.#logSource(),
      evidence: this.surroundings,
      ...(enabledActions !== undefined && { enabled: enabledActions }),
    });
  }

  killAegis(): void {
    this.#running?.kill();
  }

  async close(): Promise<void> {
    this.#running?.kill();
    await this.world.store.close();
  }

  addWorkload(workload: ScenarioWorkload, manner: { readonly isNew?: boolean } = {}): void {
    const { name, kind, namespace, pods, limits, set, podSpec } = workload;
    const { cluster } = this.world;
    cluster.addWorkload({ name, kind, namespace, pods, ...(manner.isNew === true && { bornAtMs: this.nowMs }) });
    this.#podSpecs.set(`${namespace}/${name}`, podSpec);
    this.#limits.set(`${namespace}/${name}`, limits);
    const others = [...containersOf(podSpec, 'containers'), ...containersOf(podSpec, 'initContainers')];
    const born = (pod: PodSnapshot): PodSnapshot => ({
      ...pod,
      controllerKind: kind === 'Deployment' ? 'ReplicaSet' : kind,
      containers: [...pod.containers, ...others],
    });
    this.#newborns.set(`${namespace}/${name}`, born);
    cluster.editWorkload(
      name,
      (each) => ({
        ...merged(each, atMoment(set, this.nowMs)),
        pods: each.pods.map((pod) => limited(born(pod), limits)),
      }),
      namespace,
    );
  }

  /** What pods of the workload are like that are made from now on. */
  setNewborn({ workload, namespace }: Omit<Where, 'pods'>, make: (pod: PodSnapshot) => PodSnapshot): void {
    const key = `${namespace}/${workload}`;
    const before = this.#newborns.get(key);
    this.#newborns.set(key, (pod) => make(before?.(pod) ?? pod));
  }

  find(name: string, namespace: string): WorkloadSnapshot {
    return this.world.cluster.workload(name, namespace);
  }

  editPods(where: Where, change: (pod: PodSnapshot) => PodSnapshot): void {
    const { workload, namespace } = where;
    const uids = new Set(chosenPods(this, where).map(({ uid }) => uid));
    this.world.cluster.editWorkload(
      workload,
      (each) => ({ ...each, pods: each.pods.map((pod) => (uids.has(pod.uid) ? change(pod) : pod)) }),
      namespace,
    );
  }

  /** A pod as it is when all is well. */
  asWell(pod: PodSnapshot): PodSnapshot {
    const ready = limited(asReady(pod, this.nowMs), limitsOf(pod));
    return {
      ...ready,
      containers: ready.containers.map((each, i) => ({ ...each, restartCount: pod.containers[i]?.restartCount ?? 0 })),
    };
  }

  /** The fake kubelet knows only the usual limits. */
  #limitsOf({ namespace, name }: WorkloadRef): ScenarioWorkload['limits'] {
    return this.#limits.get(`${namespace}/${name}`) ?? null;
  }

  #logSource(): LogSource {
    // Pod names are unique in a scenario, whatever their namespace.
    return { read: (_, pods, sinceMs) => Promise.resolve(ok(this.logs.read(pods, sinceMs, this.nowMs))) };
  }
}

/** Containers of the template besides the one that is always there. */
const containersOf = (podSpec: unknown, field: 'containers' | 'initContainers'): readonly ContainerSnapshot[] =>
  list(record(podSpec)[field])
    .map((container) => text(record(container)['name']))
    .filter((name) => name !== '' && name !== 'app')
    .map((name) => aContainer({ name, ...(field === 'initContainers' && { init: true, state: 'terminated' }) }));

function limited(pod: PodSnapshot, limits: ScenarioWorkload['limits']): PodSnapshot {
  return {
    ...pod,
    containers: pod.containers.map(({ cpuLimit: _cpu, memoryLimit: _memory, ...container }, i): ContainerSnapshot => ({
      ...container,
      ...(limits !== null && i === 0 && { cpuLimit: limits.cpu, memoryLimit: limits.memory }),
    })),
  };
}

function limitsOf({ containers: [own] }: PodSnapshot): ScenarioWorkload['limits'] {
  if (own?.cpuLimit === undefined || own.memoryLimit === undefined) return null;
  return { cpu: own.cpuLimit, memory: own.memoryLimit };
}
