import type {
  MetricSource,
  MetricWish,
  PolledPolicy,
  PolledReading,
  PollReply,
  RangeSeries,
} from '../../../src/controller/ports.ts';
import { PRESETS } from '../../../src/detection/presets.ts';
import type { PresetName } from '../../../src/detection/presets.ts';
import type { Reading } from '../../../src/detection/sample.ts';
import { err, ok } from '../../../src/lib/result.ts';
import type { PodSnapshot, WorkloadSnapshot } from '../../../src/lib/workload.ts';
import type { FakeCluster } from './fake-cluster.ts';

export type Vitals = Record<string, number>;
/** A fault as the metrics show it. */
export type Disturbance = (vitals: Vitals, pod: PodSnapshot, workload: WorkloadSnapshot, atMs: number) => void;

/** What the source answers with. `stale`: samples ten minutes old. */
export type Manner = 'well' | 'unreachable' | 'empty' | 'partial' | 'stale';

const METRICS: readonly PresetName[] = ['cpu_usage', 'memory_usage', 'request_rate', 'response_time'];
const USUAL: Readonly<Record<string, readonly [level: number, noise: number]>> = {
  cpu_usage: [40, 2],
  memory_usage: [50, 1],
  request_rate: [100, 5],
  response_time: [50, 4],
};
const SCRAPED_AGO_MS = 1_000;

/** The pods of a namespace that can be scraped: those whose containers run. */
export function scraped(
  cluster: FakeCluster,
  namespace: string,
): { readonly pod: PodSnapshot; readonly workload: WorkloadSnapshot }[] {
  return cluster
    .workloads()
    .filter(({ ref }) => ref.namespace === namespace)
    .flatMap((workload) => workload.pods.map((pod) => ({ pod, workload })))
    .filter(({ pod }) => pod.containers.every(({ state }) => state === 'running'));
}

/** A Prometheus that scrapes the pods of the fake cluster: steady, a little noisy, and disturbed as a test says. */
export class FakeMetricSource implements MetricSource {
  manner: Manner = 'well';
  alerts: readonly string[] | undefined = [];
  readonly disturbances: Disturbance[] = [];
  /** Metrics whose series are gone. */
  readonly missing = new Set<string>();
  /** Queries that the server refuses, and with which words. */
  readonly refusals = new Map<string, string>();
  /** False: nothing is known of the time before now. */
  hasPast = true;
  polls = 0;
  readonly #cluster: FakeCluster;
  readonly #startedMs: number;
  /** How far its clock is ahead of the true time. */
  aheadMs = 0;
  readonly #seeds = new Map<string, readonly Seeded[]>();

  constructor(cluster: FakeCluster) {
    this.#cluster = cluster;
    const { clock } = cluster;
    this.#startedMs = clock.nowMs() - clock.monotonicMs();
  }

  /** Its own clock: it does not jump with that of the operator's node. */
  nowMs(): number {
    return this.#startedMs + this.#cluster.clock.monotonicMs() + this.aheadMs;
  }

  poll(wishes: readonly MetricWish[]): Promise<PollReply> {
    this.polls += 1;
    const nowMs = this.nowMs();
    return Promise.resolve({
      atMs: nowMs,
      queries: METRICS.length,
      policies: wishes.map((wish) => ({
        policyUid: wish.policyUid,
        readings: this.#readings(wish, nowMs),
        problems: this.#problems(wish),
      })),
    });
  }

  #problems({ metrics }: MetricWish): PolledPolicy['problems'] {
    const kind = this.manner === 'unreachable' ? 'Unreachable' : this.manner === 'partial' ? 'Partial' : undefined;
    const refused = metrics.flatMap(({ name, query = '' }) => {
      const message = this.refusals.get(query);
      return message === undefined ? [] : [{ metric: name, error: { kind: 'QueryInvalid' as const, message } }];
    });
    if (kind === undefined) return refused;
    const all = new Set<string>([...METRICS, ...metrics.map(({ name }) => name)]);
    return [...all].map((metric) => ({ metric, error: { kind, message: `the source is ${this.manner}` } }));
  }

  #readings({ namespace }: MetricWish, nowMs: number): readonly PolledReading[] {
    if (this.manner === 'unreachable') return shared({ kind: 'unknown', reason: 'SourceError' });
    if (this.manner === 'empty') return shared({ kind: 'unknown', reason: 'Absent' });
    const atMs = nowMs - (this.manner === 'stale' ? 600_000 : SCRAPED_AGO_MS);
    return scraped(this.#cluster, namespace).flatMap(({ pod, workload }) => {
      const vitals = this.#vitals(pod, workload, atMs);
      return METRICS.filter((metric) => !this.missing.has(metric)).map((metric): PolledReading => {
        const reading: Reading =
          this.manner === 'partial'
            ? { kind: 'unknown', reason: 'Partial' }
            : { kind: 'value', value: vitals[metric] ?? 0, atMs };
        return { metric, pod: pod.name, unit: PRESETS[metric].unit, reading };
      });
    });
  }

  #vitals(pod: PodSnapshot, workload: WorkloadSnapshot, atMs: number): Vitals {
    const vitals: Vitals = {};
    const time = String(atMs);
    for (const { metric, level, noise, seed } of this.#seedsOf(pod.uid)) {
      vitals[metric] = level + noise * (2 * unit(hashed(time, seed)) - 1);
    }
    for (const disturb of this.disturbances) disturb(vitals, pod, workload, atMs);
    return vitals;
  }

  /** Kept, since a thousand pods are read at every poll. */
  #seedsOf(podUid: string): readonly Seeded[] {
    let seeds = this.#seeds.get(podUid);
    if (seeds === undefined) {
      seeds = Object.entries(USUAL).map(([metric, [level, noise]]) => {
        return { metric, level, noise, seed: hashed(`${podUid}/${metric}/`) };
      });
      this.#seeds.set(podUid, seeds);
    }
    return seeds;
  }

  backfill({ namespace }: MetricWish, fromMs: number, toMs: number, stepMs: number) {
    if (this.manner !== 'well') return Promise.resolve(err({ kind: 'Unreachable', message: 'no past' } as const));
    if (!this.hasPast) return Promise.resolve(ok([]));
    const aheadMs = this.nowMs() - this.#cluster.clock.nowMs();
    const times = Array.from({ length: Math.floor((toMs - fromMs) / stepMs) }, (_, i) => fromMs + aheadMs + i * stepMs);
    const series = scraped(this.#cluster, namespace).flatMap(({ pod, workload }) => {
      const born = times.filter((atMs) => atMs - aheadMs >= pod.createdAtMs);
      return METRICS.map((metric): RangeSeries => ({
        metric,
        pod: pod.name,
        timesMs: Float64Array.from(born),
        values: Float64Array.from(born, (atMs) =>
          inCoresAndBytes(metric, this.#vitals(pod, workload, atMs)[metric] ?? 0, pod),
        ),
      }));
    });
    return Promise.resolve(ok(series));
  }

  firingAlerts() {
    const alerts = this.alerts;
    return Promise.resolve(
      alerts === undefined ? err({ kind: 'Unreachable', message: 'no alerts' } as const) : ok(alerts),
    );
  }

  lookBackMs(): number {
    return 20_000;
  }

  checkQueries({ metrics }: MetricWish): readonly { readonly metric: string; readonly message: string }[] {
    return metrics
      .filter(({ query }) => query?.includes('{{') === true)
      .map(({ name }) => ({ metric: name, message: 'not PromQL' }));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const shared = (reading: Reading): readonly PolledReading[] =>
  METRICS.map((metric) => ({ metric, unit: PRESETS[metric].unit, reading }));

/** The past comes as the source has it: only the pod's object knows what a value is per cent of. */
function inCoresAndBytes(metric: string, percent: number, { containers: [container] }: PodSnapshot): number {
  const limit =
    metric === 'cpu_usage' ? container?.cpuLimit : metric === 'memory_usage' ? container?.memoryLimit : undefined;
  return limit === undefined ? percent : (percent / 100) * limit;
}

/** How a metric of one pod usually is, and what its noise depends on. */
interface Seeded {
  readonly metric: string;
  readonly level: number;
  readonly noise: number;
  readonly seed: number;
}

/** FNV-1a, or its continuation: what is hashed in two parts is hashed as one. */
function hashed(text: string, from = 2166136261): number {
  let hash = from;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619);
  return hash;
}

/** A number in 0..1 that depends on the hash alone: the same world gives the same readings to every process. */
function unit(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 2246822519);
  return ((mixed ^ (mixed >>> 13)) >>> 0) / 2 ** 32;
}
