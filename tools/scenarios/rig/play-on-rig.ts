import { judge } from '../judge.ts';
import type { LoadedScenario } from '../load.ts';
import { noteReady, type Observations } from '../outcome.ts';
import { writesOf } from './audit.ts';
import type { Ground } from './ground.ts';
import { foundOnRig } from './rig-found.ts';
import { happenOnRig } from './rig-events.ts';
import { RigStage } from './rig-stage.ts';

const TICK_MS = 1_000;
const METRICS = ['cpu_usage', 'memory_usage', 'error_rate', 'response_time'];

/** What was to be seen at one moment. */
interface Tick {
  readonly at: number;
  readonly highest: ReadonlyMap<string, number>;
  /** Pods that should run and are not ready, by workload. */
  readonly missing: ReadonlyMap<string, number>;
  readonly ready: ReadonlyMap<string, number>;
}

export interface PlayedOnRig {
  /** Empty: it went as it must. */
  readonly failures: readonly string[];
  /** For whoever looks into a failure: what was done and why not. */
  readonly story: string;
}

/** Plays a scenario in real time and judges it by what the API server, the store and the sinks hold afterwards. */
export async function playOnRig(ground: Ground, loaded: LoadedScenario): Promise<PlayedOnRig> {
  const { scenario } = loaded;
  const stage = new RigStage(ground, loaded);
  const ticks: Tick[] = [];
  try {
    await stage.open();
    const events = scenario.events.toSorted((a, b) => a.at - b.at);
    for (const event of events) {
      await run(stage, ticks, event.at);
      await happenOnRig(stage, event);
    }
    await run(stage, ticks, scenario.lastsSeconds);
    const outcome = await foundOnRig(stage, observationsOf(stage, ticks));
    const story = JSON.stringify(
      { ...outcome, failureTypes: [...outcome.failureTypes], incidents: undefined },
      null,
      2,
    );
    return { failures: judge(scenario, outcome), story };
  } catch (error) {
    return {
      failures: [`it could not be played: ${error instanceof Error ? error.message : String(error)}`],
      story: '',
    };
  } finally {
    await stage.close();
  }
}

/** Lets real time pass until that second of the scenario. */
async function run(stage: RigStage, ticks: Tick[], to: number): Promise<void> {
  for (;;) {
    const leftMs = stage.startMs + to * 1000 - stage.nowMs;
    if (leftMs <= 0) return;
    await new Promise((resolve) => setTimeout(resolve, Math.min(leftMs, TICK_MS)));
    stage.pods.notice();
    for (const { pod, change } of stage.pods.born()) await stage.pods.write(pod, change(pod));
    if (stage.gateway.isThere) await stage.gateway.play();
    ticks.push(tick(stage));
  }
}

function tick(stage: RigStage): Tick {
  const highest = new Map<string, number>();
  const workloads = stage.workloads();
  for (const workload of workloads) {
    for (const metric of METRICS) {
      const values = workload.pods.map((pod) => stage.metrics.valueOf(metric, pod, workload, stage.nowMs));
      highest.set(`${workload.ref.name}/${metric}`, Math.max(0, ...values));
    }
  }
  const missing = workloads.map(({ ref, replicas }) => [ref.name, replicas.desired - replicas.ready] as const);
  const ready = workloads.map(({ ref, replicas }) => [ref.name, replicas.ready] as const);
  return { at: (stage.nowMs - stage.startMs) / 1000, highest, missing: new Map(missing), ready: new Map(ready) };
}

function observationsOf(stage: RigStage, ticks: readonly Tick[]): Observations {
  const since = (atMs: number): number => (atMs - stage.startMs) / 1000;
  const applied = writesOf(stage.ground.auditFile, stage.account).filter((write) => write.applied);
  const [first] = applied;
  const firstAlert = stage.standIn.sent.find(({ message }) => message.status === 'firing');
  const before = first && ticks.findLast(({ at }) => at <= since(first.atMs));
  const readyPods: Observations['readyPods'] = new Map();
  const seen: Observations = {
    ...(first !== undefined && { firstEffectAt: since(first.atMs) }),
    ...(firstAlert !== undefined && { firstAlertAt: since(firstAlert.atMs) }),
    atFirstEffect: new Map(before?.highest ?? []),
    mostEvictedAtOnce: mostEvictedAtOnce(
      applied
        .filter(({ what }) => what.startsWith('evict '))
        .map(({ atMs, what }) => ({ at: since(atMs), what: stage.pods.inScenario(what) })),
      ticks,
    ),
    readyPods,
  };
  for (const { at, ready } of ticks) for (const [name, count] of ready) noteReady(seen, name, { at, ready: count });
  return seen;
}

/** Evictions since the workload was last whole, as far as its pods are missing. */
function mostEvictedAtOnce(
  evictions: readonly { readonly at: number; readonly what: string }[],
  ticks: readonly Tick[],
): number {
  let [most, previousAt] = [0, 0];
  const open = new Map<string, number>();
  for (const { at, missing } of ticks) {
    for (const { what } of evictions.filter((each) => each.at > previousAt && each.at <= at)) {
      const workload = what.slice('evict '.length).replace(/-\d+$/, '');
      open.set(workload, (open.get(workload) ?? 0) + 1);
      most = Math.max(most, open.get(workload) ?? 0);
    }
    for (const [workload, count] of missing) if (count <= 0) open.delete(workload);
    previousAt = at;
  }
  return most;
}
