import type { MetricSource, MetricWish, PolledReading, PollReply, RangeSeries } from '../../src/controller/ports.ts';
import { isPreset, PRESETS } from '../../src/detection/presets.ts';
import type { Reading } from '../../src/detection/sample.ts';
import { err, ok } from '../../src/lib/result.ts';
import type { PodSnapshot, WorkloadSnapshot } from '../../src/lib/workload.ts';
import type { FakeCluster } from '../../test/support/fakes/fake-cluster.ts';
import { scraped } from '../../test/support/fakes/fake-metric-source.ts';
import { departed, usualAt, WEB_SERVICE } from './curves.ts';
import type { Shape, Usual } from './schema.ts';

export type Answers = 'well' | 'unreachable' | 'empty' | 'partial' | 'stale';

/** A metric that is not as usual, since a moment. */
export interface Departure {
  readonly metric: string;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly course: Shape;
  /** Pods that were there when it began. */
  readonly usualPods: number;
  readonly touches: (pod: PodSnapshot, workload: WorkloadSnapshot) => boolean;
}

/** Series that end. */
export interface Silence {
  /** Absent: every metric. */
  readonly metric?: string;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly touches: (pod: PodSnapshot, workload: WorkloadSnapshot) => boolean;
}

const SCRAPED_AGO_MS = 1_000;
const STALE_MS = 600_000;

/** A Prometheus that scrapes the pods of the scenario's cluster: cpu in cores and memory in bytes, as cAdvisor has them. */
export class ScenarioSource implements MetricSource {
  answers: Answers = 'well';
  alerts: readonly string[] = [];
  readonly departures: Departure[] = [];
  readonly silences: Silence[] = [];
  /** Requests a second that limits let in to the workload; absent: nothing limits it. */
  admittedPerSecond: (workload: WorkloadSnapshot) => number | undefined = () => undefined;
  readonly #cluster: FakeCluster;
  readonly #seed: number;
  readonly #usual: (workload: string) => Readonly<Record<string, Usual>> | undefined;

  constructor(
    cluster: FakeCluster,
    seed: number,
    usual: (workload: string) => Readonly<Record<string, Usual>> | undefined,
  ) {
    this.#cluster = cluster;
    this.#seed = seed;
    this.#usual = usual;
  }

  poll(wishes: readonly MetricWish[], nowMs: number): Promise<PollReply> {
    const policies = wishes.map((wish) => ({
      policyUid: wish.policyUid,
      readings: this.#readings(wish, nowMs),
      problems: this.#problems(wish),
    }));
    return Promise.resolve({ atMs: nowMs, queries: 1, policies });
  }

  #problems({ metrics }: MetricWish) {
    if (this.answers !== 'unreachable' && this.answers !== 'partial') return [];
    const error = {
      kind: this.answers === 'partial' ? 'Partial' : 'Unreachable',
      message: `Prometheus is ${this.answers}`,
    } as const;
    const names = metrics.length > 0 ? metrics.map(({ name }) => name) : Object.keys(WEB_SERVICE);
    return names.map((metric) => ({ metric, error }));
  }

  #readings(wish: MetricWish, nowMs: number): readonly PolledReading[] {
    if (this.answers === 'unreachable') return shared(wish, { kind: 'unknown', reason: 'SourceError' });
    if (this.answers === 'empty') return shared(wish, { kind: 'unknown', reason: 'Absent' });
    const atMs = nowMs - (this.answers === 'stale' ? STALE_MS : SCRAPED_AGO_MS);
    return scraped(this.#cluster, wish.namespace).flatMap(({ pod, workload }) =>
      this.#metricsOf(workload, wish)
        .filter((metric) => !this.#isSilent(metric, pod, workload, atMs))
        .map((metric): PolledReading => {
          const value = this.valueOf(metric, pod, workload, atMs);
          const reading: Reading =
            this.answers === 'partial'
              ? { kind: 'unknown', reason: 'Partial' }
              : { kind: 'value', value: raw(metric, value, pod), atMs };
          return { metric, pod: pod.name, unit: unitOf(metric, pod), reading };
        }),
    );
  }

  #metricsOf({ ref }: WorkloadSnapshot, { metrics }: MetricWish): readonly string[] {
    const own = Object.keys(this.#usual(ref.name) ?? WEB_SERVICE);
    return metrics.length === 0
      ? own.filter(isPreset)
      : own.filter((name) => metrics.some((each) => each.name === name));
  }

  #isSilent(metric: string, pod: PodSnapshot, workload: WorkloadSnapshot, atMs: number): boolean {
    return this.silences.some(
      (each) =>
        (each.metric ?? metric) === metric &&
        each.sinceMs <= atMs &&
        atMs < each.untilMs &&
        each.touches(pod, workload),
    );
  }

  /** In the metric's own unit: cpu and memory as per cent of the limit. */
  valueOf(metric: string, pod: PodSnapshot, workload: WorkloadSnapshot, atMs: number): number {
    const usuals = this.#usual(workload.ref.name) ?? WEB_SERVICE;
    const usual = usuals[metric];
    const series = `${this.#seed}/${pod.uid}/${metric}`;
    let value = usual === undefined ? 0 : usualAt(usual, series, atMs / 1000);
    for (const each of this.departures) {
      if (each.metric !== metric || atMs < each.sinceMs || atMs >= each.untilMs || !each.touches(pod, workload))
        continue;
      const moment = {
        ...{ t: (atMs - each.sinceMs) / 1000, series, usualPods: each.usualPods, readyPods: workload.replicas.ready },
        usualPerSecond: usuals['request_rate']?.level ?? 0,
        admittedPerSecond: this.admittedPerSecond(workload),
      };
      value = departed(each.course, value, moment);
    }
    return Math.max(value, 0);
  }

  backfill(wish: MetricWish, fromMs: number, toMs: number, stepMs: number) {
    if (this.answers !== 'well') return Promise.resolve(err({ kind: 'Unreachable', message: 'no past' } as const));
    const times = Array.from({ length: Math.floor((toMs - fromMs) / stepMs) }, (_, i) => fromMs + i * stepMs);
    const series = scraped(this.#cluster, wish.namespace).flatMap(({ pod, workload }) => {
      const own = times.filter((atMs) => atMs >= pod.createdAtMs);
      return this.#metricsOf(workload, wish).map((metric): RangeSeries => ({
        ...{ metric, pod: pod.name, timesMs: Float64Array.from(own) },
        values: Float64Array.from(own, (atMs) => raw(metric, this.valueOf(metric, pod, workload, atMs), pod)),
      }));
    });
    return Promise.resolve(ok(series));
  }

  firingAlerts() {
    const isDown = this.answers === 'unreachable';
    return Promise.resolve(isDown ? err({ kind: 'Unreachable', message: 'no alerts' } as const) : ok(this.alerts));
  }

  lookBackMs(): number {
    return 20_000;
  }

  checkQueries(): readonly [] {
    return [];
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function limitOf(metric: string, pod: PodSnapshot): number | undefined {
  const [container] = pod.containers;
  if (metric === 'cpu_usage') return container?.cpuLimit;
  return metric === 'memory_usage' ? container?.memoryLimit : undefined;
}

const raw = (metric: string, value: number, pod: PodSnapshot): number => {
  const limit = limitOf(metric, pod);
  return limit === undefined ? value : (value / 100) * limit;
};

function unitOf(metric: string, pod: PodSnapshot): string {
  if (limitOf(metric, pod) !== undefined) return metric === 'cpu_usage' ? 'cores' : 'bytes';
  return isPreset(metric) ? PRESETS[metric].unit : '';
}

const shared = ({ metrics }: MetricWish, reading: Reading): readonly PolledReading[] =>
  (metrics.length > 0 ? metrics.map(({ name }) => name) : Object.keys(WEB_SERVICE)).map((metric) => ({
    ...{ metric, unit: isPreset(metric) ? PRESETS[metric].unit : '', reading },
  }));
