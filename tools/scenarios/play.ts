import { happen } from './events.ts';
import { foundOn } from './found.ts';
import { judge } from './judge.ts';
import type { LoadedScenario } from './load.ts';
import { noteReady, type Observations } from './outcome.ts';
import { Stage } from './stage.ts';

export interface Played {
  readonly name: string;
  readonly file: string;
  /** Empty: it went as it must. */
  readonly failures: readonly string[];
  /** What happened, for whoever looks into a failure. */
  readonly story: string;
}

const TICK_MS = 1_000;

/** Plays a scenario on the operator in this process, with a clock that does not wait, and judges it. */
export async function play(loaded: LoadedScenario): Promise<Played> {
  const { scenario, file } = loaded;
  const stage = await Stage.open(loaded);
  const seen: Observations = { atFirstEffect: new Map(), mostEvictedAtOnce: 0, readyPods: new Map() };
  try {
    await stage.startAegis();
    const events = scenario.events.toSorted((a, b) => a.at - b.at);
    let passed = 0;
    for (const event of events) {
      passed = await run(stage, seen, passed, event.at);
      await happen(stage, event);
    }
    await run(stage, seen, passed, scenario.lastsSeconds);
    const failures = judge(scenario, await foundOn(stage, seen));
    return { name: scenario.name, file, failures, story: stage.world.story() };
  } finally {
    await stage.close();
  }
}

async function run(stage: Stage, seen: Observations, from: number, to: number): Promise<number> {
  for (let at = from; at < to; at += TICK_MS / 1000) {
    await stage.world.run(Math.min(TICK_MS, (to - at) * 1000));
    observe(stage, seen, Math.min(at + TICK_MS / 1000, to));
  }
  return Math.max(from, to);
}

function observe(stage: Stage, seen: Observations, at: number): void {
  const { world, metrics } = stage;
  const { cluster } = world;
  if (seen.firstAlertAt === undefined && world.firing().length > 0) seen.firstAlertAt = at;
  const evictions = cluster.requests.filter(({ verb, applied, dryRun }) => verb === 'evict' && applied && !dryRun);
  const going = new Set(evictions.map(({ what }) => what));
  for (const { ref, pods, replicas } of cluster.view().workloads) {
    noteReady(seen, ref.name, { at, ready: replicas.ready });
    const down = pods.filter(({ name }) => going.has(name)).length;
    seen.mostEvictedAtOnce = Math.max(seen.mostEvictedAtOnce, down);
  }
  if (seen.firstEffectAt !== undefined || cluster.effects().length === 0) return;
  seen.firstEffectAt = at;
  for (const workload of cluster.view().workloads) {
    for (const pod of workload.pods) {
      for (const metric of ['cpu_usage', 'memory_usage', 'error_rate', 'response_time']) {
        const key = `${workload.ref.name}/${metric}`;
        const value = metrics.valueOf(metric, pod, workload, world.clock.nowMs() - TICK_MS);
        seen.atFirstEffect.set(key, Math.max(seen.atFirstEffect.get(key) ?? 0, value));
      }
    }
  }
}
