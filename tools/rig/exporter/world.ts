import { advance, freshCounters, type Counters } from './counters.ts';
import { faultsOf, type Moment } from './curves.ts';
import { Page } from './page.ts';
import type { Pod } from './pods.ts';
import type { Workload } from './workload.ts';

interface Life {
  readonly counters: Counters;
  readonly atSeconds: number;
  readonly restartCount: number;
}

/** All workloads, the pods that exist, and what each has counted so far. Time is an argument throughout. */
export class World {
  readonly workloads = new Map<string, Workload>();
  private lives = new Map<string, Life>();

  /** The page at this moment. Pods that do not run have no series: a gap is a gap, never a zero. */
  render(pods: readonly Pod[], nowMs: number): string {
    const page = new Page();
    for (const { pod, life } of this.advanceAll(pods, nowMs)) page.addPod(pod, life.counters);
    return page.toString();
  }

  private advanceAll(pods: readonly Pod[], nowMs: number): { readonly pod: Pod; readonly life: Life }[] {
    const lives = new Map<string, Life>();
    const shown: { readonly pod: Pod; readonly life: Life }[] = [];
    const readyPods = countReady(pods);
    for (const pod of pods) {
      const key = workloadKey(pod.namespace, pod.workload);
      const workload = this.workloads.get(key);
      if (workload === undefined || !pod.isRunning) continue;
      const id = `${pod.namespace}/${pod.name}`;
      const life = this.live(workload, pod, { nowMs, readyPods: readyPods.get(key) ?? 0, before: this.lives.get(id) });
      lives.set(id, life);
      if (!faultsOf(workload, pod.name).some((fault) => fault.kind === 'silent')) shown.push({ pod, life });
    }
    this.lives = lives; // pods that are gone, or wait for their restart, are forgotten: they begin anew
    return shown;
  }

  private live(
    workload: Workload,
    pod: Pod,
    {
      nowMs,
      readyPods,
      before,
    }: { readonly nowMs: number; readonly readyPods: number; readonly before: Life | undefined },
  ): Life {
    const atSeconds = nowMs / 1000;
    const moment: Moment = {
      ...{ atSeconds, readyPods, leakedBytes: 0, isReady: pod.isReady },
      podAgeSeconds: Math.max(0, (nowMs - pod.createdAtMs) / 1000),
    };
    const { restartCount, container } = pod;
    if (before === undefined || before.restartCount !== restartCount) {
      return { counters: freshCounters(workload, pod.name, container, moment), atSeconds, restartCount };
    }
    const seconds = Math.max(0, atSeconds - before.atSeconds);
    const counters = advance(before.counters, seconds, { workload, pod: pod.name, container, moment });
    return { counters, atSeconds, restartCount };
  }
}

export const workloadKey = (namespace: string, name: string): string => `${namespace}/${name}`;

function countReady(pods: readonly Pod[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const pod of pods.filter((each) => each.isReady)) {
    const key = workloadKey(pod.namespace, pod.workload);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
