import type { LogSource } from '../../src/controller/ports.ts';
import { ok } from '../../src/lib/result.ts';
import type { ContainerSnapshot, PodSnapshot, WorkloadSnapshot } from '../../src/lib/workload.ts';
import { list, record, text } from '../../src/kubernetes/json.ts';
import { aContainer, aNode } from '../../test/support/builders/workload.ts';
import { anOperator, type RunningProcess } from '../../test/support/fakes/an-operator.ts';
import { asReady } from '../../test/support/fakes/pod-states.ts';
import { World } from '../../test/support/fakes/world.ts';
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
  /** Names of the pods whose cache was cleared. */
  readonly clearedCaches = new Set<string>();
  readonly #podSpecs = new Map<string, unknown>();
  readonly #newborns = new Map<string, (pod: PodSnapshot) => PodSnapshot>();
  #running: RunningProcess | undefined;

  private constructor(world: World, loaded: LoadedScenario) {
    this.world = world;
    this.loaded = loaded;
    this.startMs = world.clock.nowMs();
    this.metrics = new MetricBook(loaded.scenario);
    this.metrics.admittedPerSecond = (workload) => admittedPerSecond(world, workload);
    this.source = new ScenarioSource(world.cluster, this.metrics);
    this.surroundings = new Surroundings(world, (name, namespace) => this.#podSpecs.get(`${namespace}/${name}`));
    // An answer that tells of a failure clears nothing.
    world.onCacheCleared = (pod) => {
      if (world.cacheAnswer === 'lost' || world.cacheAnswer < 300) this.clearedCaches.add(pod);
    };
    world.metricSource = this.source;
    world.cluster.newborn = (pod) =>
      [...this.#newborns].reduce((made, [name, make]) => (pod.name.startsWith(`${name}-`) ? make(made) : made), pod);
  }

  static async open(loaded: LoadedScenario): Promise<Stage> {
    const world = await World.create();
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

  addWorkload({ name, kind, namespace, pods, limits, set, podSpec }: ScenarioWorkload): void {
    const { cluster } = this.world;
    cluster.addWorkload({ name, kind, namespace, pods });
    this.#podSpecs.set(`${namespace}/${name}`, podSpec);
    const sidecars = sidecarsOf(podSpec);
    const born = (pod: PodSnapshot): PodSnapshot => ({
      ...pod,
      controllerKind: kind === 'Deployment' ? 'ReplicaSet' : kind,
      containers: [...pod.containers, ...sidecars],
    });
    this.#newborns.set(name, born);
    cluster.editWorkload(
      name,
      (workload) => ({
        ...merged(workload, atMoment(set, this.nowMs)),
        pods: workload.pods.map((pod) => limited(born(pod), limits)),
      }),
      namespace,
    );
    // The fake kubelet gives every pod that starts the usual limits; another limit must be put back.
  }

  /** What pods of the workload are like that are made from now on. */
  setNewborn(workload: string, make: (pod: PodSnapshot) => PodSnapshot): void {
    const before = this.#newborns.get(workload);
    this.#newborns.set(workload, (pod) => make(before?.(pod) ?? pod));
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
    const [before] = pod.containers;
    const ready = asReady(pod, this.nowMs);
    return { ...ready, containers: ready.containers.map((c) => ({ ...c, restartCount: before?.restartCount ?? 0 })) };
  }

  #logSource(): LogSource {
    // Pod names are unique in a scenario, whatever their namespace.
    return { read: (_, pods, sinceMs) => Promise.resolve(ok(this.logs.read(pods, sinceMs, this.nowMs))) };
  }
}

/** Containers of the template besides the one that is always there. */
const sidecarsOf = (podSpec: unknown): readonly ContainerSnapshot[] =>
  list(record(podSpec)['containers'])
    .map((container) => text(record(container)['name']))
    .filter((name) => name !== '' && name !== 'app')
    .map((name) => aContainer({ name }));

function limited(pod: PodSnapshot, limits: ScenarioWorkload['limits']): PodSnapshot {
  return {
    ...pod,
    containers: pod.containers.map(({ cpuLimit: _cpu, memoryLimit: _memory, ...container }, i): ContainerSnapshot => ({
      ...container,
      ...(limits !== null && i === 0 && { cpuLimit: limits.cpu, memoryLimit: limits.memory }),
    })),
  };
}
