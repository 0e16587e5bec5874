import type { MetricReading, Reading } from '../detection/sample.ts';
import type { ContainerSnapshot, PodSnapshot } from '../lib/workload.ts';
import type { PolledReading } from './ports.ts';

/** Restarts further back than this no longer count as recent. */
const RESTART_WINDOW_MS = 300_000;

/**
 * What the engine judges of a pod: the source's readings, cpu and memory as per cent of the pod's own limit where it
 * has one (no kube-state-metrics needed), and the restarts that its object tells of. Times are those of the source's clock.
 */
export function podReadings(
  polled: readonly PolledReading[],
  pod: PodSnapshot,
  recentRestarts: number,
  sourceNowMs: number,
) {
  const readings: MetricReading[] = polled.map(({ metric, reading, unit }) => ({
    metric,
    reading: unit === 'cores' || unit === 'bytes' ? asPercentOfLimit(metric, reading, pod) : reading,
  }));
  readings.push({ metric: 'restarts', reading: { kind: 'value', value: recentRestarts, atMs: sourceNowMs } });
  return readings;
}

function asPercentOfLimit(metric: string, reading: Reading, pod: PodSnapshot): Reading {
  const limit = podLimit(metric, pod);
  if (limit === undefined || reading.kind !== 'value') return reading;
  return { ...reading, value: (100 * reading.value) / limit };
}

/** Sum over the running containers; `undefined` unless each of them has a limit: one without makes the sum meaningless. */
export function podLimit(metric: string, pod: PodSnapshot): number | undefined {
  const limitOf: ((container: ContainerSnapshot) => number | undefined) | undefined =
    metric === 'cpu_usage'
      ? (container) => container.cpuLimit
      : metric === 'memory_usage'
        ? (container) => container.memoryLimit
        : undefined;
  if (limitOf === undefined) return undefined;
  let sum = 0;
  for (const container of pod.containers) {
    if (container.init) continue;
    const limit = limitOf(container);
    if (limit === undefined || limit <= 0) return undefined;
    sum += limit;
  }
  return sum > 0 ? sum : undefined;
}

/**
 * Restarts of each pod within the last five minutes. The object only counts them since its creation, and a pod that
 * restarted last week is not sick today. Told by the clock that never jumps.
 */
export class RestartWindow {
  readonly #seen = new Map<string, { atMs: number; count: number }[]>();

  recent(pod: PodSnapshot, monotonicMs: number): number {
    const count = pod.containers.reduce((sum, container) => sum + container.restartCount, 0);
    const seen = (this.#seen.get(pod.uid) ?? []).filter((entry) => entry.atMs > monotonicMs - RESTART_WINDOW_MS);
    if (seen.at(-1)?.count !== count) seen.push({ atMs: monotonicMs, count });
    this.#seen.set(pod.uid, seen);
    return Math.max(0, count - (seen[0]?.count ?? count));
  }

  forget(keep: ReadonlySet<string>): void {
    for (const uid of this.#seen.keys()) if (!keep.has(uid)) this.#seen.delete(uid);
  }
}

const byPod = new WeakMap<readonly PolledReading[], ReadonlyMap<string | undefined, readonly PolledReading[]>>();

/**
 * Readings by pod name; under `undefined` those of the workload as a whole. Policies share their lists of readings, and
 * each has many workloads, so that a list is taken apart once and not once for each of them.
 */
export function readingsByPod(
  readings: readonly PolledReading[],
): ReadonlyMap<string | undefined, readonly PolledReading[]> {
  const known = byPod.get(readings);
  if (known !== undefined) return known;
  const grouped = Map.groupBy(readings, ({ pod }) => pod);
  byPod.set(readings, grouped);
  return grouped;
}
