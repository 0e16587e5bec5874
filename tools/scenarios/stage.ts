import type { LogSource } from '../../src/controller/ports.ts';
import type { LogLine } from '../../src/diagnosis/diagnosis.ts';
import { ok } from '../../src/lib/result.ts';
import type { ContainerSnapshot, PodSnapshot, WorkloadSnapshot } from '../../src/lib/workload.ts';
import { aNode } from '../../test/support/builders/workload.ts';
import { anOperator, type RunningProcess } from '../../test/support/fakes/an-operator.ts';
import { asReady } from '../../test/support/fakes/fake-cluster.ts';
import { World } from '../../test/support/fakes/world.ts';
import type { LoadedScenario } from './load.ts';
import { atMoment, merged } from './patch.ts';
import type { ScenarioWorkload } from './schema.ts';
import { ScenarioSource } from './source.ts';

export type PodChoice = 'all' | readonly number[];

interface LogSpec {
  readonly namespace: string;
  readonly pods: readonly string[];
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly everyMs: number;
  readonly level: LogLine['level'];
  readonly message: string;
}

/** The world of one scenario: a cluster, its metrics and logs, and the operator that is to look after it. */
export class Stage {
  readonly world: World;
  readonly source: ScenarioSource;
  readonly loaded: LoadedScenario;
  readonly startMs: number;
  readonly logs: LogSpec[] = [];
  readonly #newborns = new Map<string, (pod: PodSnapshot) => PodSnapshot>();
  #running: RunningProcess | undefined;

  private constructor(world: World, loaded: LoadedScenario) {
    this.world = world;
    this.loaded = loaded;
    this.startMs = world.clock.nowMs();
    const usual = new Map(loaded.scenario.cluster.workloads.map(({ name, metrics }) => [name, metrics]));
    this.source = new ScenarioSource(world.cluster, loaded.scenario.seed, (name) => usual.get(name));
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

  addWorkload({ name, kind, namespace, pods, limits, set }: ScenarioWorkload): void {
    const { cluster } = this.world;
    cluster.addWorkload({ name, kind, namespace, pods });
    if (kind !== 'Deployment') this.#newborns.set(name, (pod) => ({ ...pod, controllerKind: kind }));
    cluster.editWorkload(
      name,
      (workload) => ({
        ...merged(workload, atMoment(set, this.nowMs)),
        pods: workload.pods.map((pod) =>
          limited({ ...pod, controllerKind: kind === 'Deployment' ? 'ReplicaSet' : kind }, limits),
        ),
      }),
      namespace,
    );
    // The fake kubelet gives every pod that starts the usual limits; another limit must be put back.
  }

  /** What pods of the workload are like that are made from now on. */
  setNewborn(workload: string, make: (pod: PodSnapshot) => PodSnapshot): void {
    this.#newborns.set(workload, make);
  }

  find(name: string, namespace: string): WorkloadSnapshot {
    return this.world.cluster.workload(name, namespace);
  }

  chosen(name: string, namespace: string, pods: PodChoice): readonly PodSnapshot[] {
    const all = this.find(name, namespace).pods;
    return pods === 'all' ? all : pods.flatMap((index) => all[index] ?? []);
  }

  editPods(
    { workload, namespace, pods }: { readonly workload: string; readonly namespace: string; readonly pods: PodChoice },
    change: (pod: PodSnapshot) => PodSnapshot,
  ): void {
    const uids = new Set(this.chosen(workload, namespace, pods).map(({ uid }) => uid));
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
    return {
      read: (namespace, pods, sinceMs) => {
        const lines = this.logs.flatMap((spec) =>
          spec.namespace === namespace ? this.#linesOf(spec, pods, sinceMs) : [],
        );
        return Promise.resolve(ok(lines.sort((a, b) => a.atMs - b.atMs)));
      },
    };
  }

  #linesOf(spec: LogSpec, pods: readonly string[], sinceMs: number): readonly LogLine[] {
    const untilMs = Math.min(this.nowMs, spec.untilMs);
    const first = Math.max(0, Math.ceil((sinceMs - spec.sinceMs) / spec.everyMs));
    const count = Math.max(0, Math.floor((untilMs - spec.sinceMs) / spec.everyMs) + 1 - first);
    const times = Array.from({ length: Math.min(count, 200) }, (_, i) => spec.sinceMs + (first + i) * spec.everyMs);
    return spec.pods
      .filter((pod) => pods.includes(pod))
      .flatMap((pod) =>
        times.map((atMs): LogLine => ({ atMs, level: spec.level, message: spec.message, service: pod, pod })),
      );
  }
}

function limited(pod: PodSnapshot, limits: ScenarioWorkload['limits']): PodSnapshot {
  return {
    ...pod,
    containers: pod.containers.map(({ cpuLimit: _cpu, memoryLimit: _memory, ...container }): ContainerSnapshot => ({
      ...container,
      ...(limits !== null && { cpuLimit: limits.cpu, memoryLimit: limits.memory }),
    })),
  };
}
