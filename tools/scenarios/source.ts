import type { MetricSource, MetricWish, PolledReading, PollReply, RangeSeries } from '../../src/controller/ports.ts';
import { isPreset, PRESETS } from '../../src/detection/presets.ts';
import type { Reading } from '../../src/detection/sample.ts';
import { err, ok } from '../../src/lib/result.ts';
import type { PodSnapshot, WorkloadSnapshot } from '../../src/lib/workload.ts';
import type { FakeCluster } from '../../test/support/fakes/fake-cluster.ts';
import { scraped } from '../../test/support/fakes/fake-metric-source.ts';
import { WEB_SERVICE } from './curves.ts';
import type { MetricBook } from './metric-book.ts';

export type Answers = 'well' | 'unreachable' | 'empty' | 'partial' | 'stale';

const SCRAPED_AGO_MS = 1_000;
const STALE_MS = 600_000;

/** A Prometheus that scrapes the pods of the scenario's cluster: cpu in cores and memory in bytes, as cAdvisor has them. */
export class ScenarioSource implements MetricSource {
  answers: Answers = 'well';
  alerts: readonly string[] = [];
  readonly #cluster: FakeCluster;
  readonly #metrics: MetricBook;

  constructor(cluster: FakeCluster, metrics: MetricBook) {
    this.#cluster = cluster;
    this.#metrics = metrics;
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
        .filter((metric) => !this.#metrics.isSilent(metric, pod, workload, atMs))
        .map((metric): PolledReading => {
          const value = this.#metrics.valueOf(metric, pod, workload, atMs);
          const reading: Reading =
            this.answers === 'partial'
              ? { kind: 'unknown', reason: 'Partial' }
              : { kind: 'value', value: raw(metric, value, pod), atMs };
          return { metric, pod: pod.name, unit: unitOf(metric, pod), reading };
        }),
    );
  }

  #metricsOf(workload: WorkloadSnapshot, { metrics }: MetricWish): readonly string[] {
    const own = this.#metrics.namesOf(workload);
    return metrics.length === 0
      ? own.filter(isPreset)
      : own.filter((name) => metrics.some((each) => each.name === name));
  }

  backfill(wish: MetricWish, fromMs: number, toMs: number, stepMs: number) {
    if (this.answers !== 'well') return Promise.resolve(err({ kind: 'Unreachable', message: 'no past' } as const));
    const times = Array.from({ length: Math.floor((toMs - fromMs) / stepMs) }, (_, i) => fromMs + i * stepMs);
    const series = scraped(this.#cluster, wish.namespace).flatMap(({ pod, workload }) => {
      const own = times.filter((atMs) => atMs >= pod.createdAtMs);
      return this.#metricsOf(workload, wish).map((metric): RangeSeries => ({
        ...{ metric, pod: pod.name, timesMs: Float64Array.from(own) },
        values: Float64Array.from(own, (atMs) => raw(metric, this.#metrics.valueOf(metric, pod, workload, atMs), pod)),
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
