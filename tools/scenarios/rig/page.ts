import type { PodSnapshot, WorkloadSnapshot } from '../../../src/lib/workload.ts';
import type { MetricBook } from '../metric-book.ts';

/** Counters as a process would keep them since its container started. */
interface Counted {
  readonly atMs: number;
  readonly restarts: number;
  cpuSeconds: number;
  requests: number;
  failed: number;
  latencySeconds: number;
  writtenBytes: number;
  periods: number;
  throttled: number;
}

/** What a scenario shows is integrated in steps of so long. */
const STEP_MS = 1_000;
const PERIODS_PER_SECOND = 10;
const CLAIM_BYTES = 1e9;

/** Metrics that follow from counters and gauges of other names; whatever else a scenario has is a gauge of its own name. */
const KNOWN = [
  ...['cpu_usage', 'memory_usage', 'disk_io', 'request_rate', 'error_rate', 'response_time', 'cpu_throttling'],
  ...['restarts', 'volume_usage'],
];

/**
 * The page that a scenario's pods would have together, so that a real Prometheus scrapes what the scenario says: cpu,
 * requests and throttling as counters, memory as a gauge, answer times as a sum and a count (their mean is then exact).
 */
export class ScenarioPage {
  readonly #metrics: MetricBook;
  #counted = new Map<string, Counted>();

  constructor(metrics: MetricBook) {
    this.#metrics = metrics;
  }

  /** Lines for the pods whose containers run. One that waits has no series. */
  lines(workloads: readonly WorkloadSnapshot[], nowMs: number): readonly string[] {
    const counted = new Map<string, Counted>();
    const lines = workloads.flatMap((workload) =>
      workload.pods.filter(isScraped).flatMap((pod) => {
        const now = this.#advanced(pod, workload, nowMs);
        counted.set(pod.uid, now);
        return this.#linesOf(pod, workload, now);
      }),
    );
    this.#counted = counted;
    return lines;
  }

  #advanced(pod: PodSnapshot, workload: WorkloadSnapshot, nowMs: number): Counted {
    const restarts = pod.containers[0]?.restartCount ?? 0;
    const before = this.#counted.get(pod.uid);
    const counts: Counted =
      before?.restarts === restarts
        ? { ...before, atMs: nowMs }
        : { ...{ atMs: nowMs, restarts, cpuSeconds: 0, requests: 0, failed: 0, latencySeconds: 0 }, ...NOTHING };
    for (let atMs = before?.restarts === restarts ? before.atMs : nowMs; atMs < nowMs; atMs += STEP_MS) {
      this.#count(counts, pod, workload, { atMs, seconds: Math.min(STEP_MS, nowMs - atMs) / 1000 });
    }
    return counts;
  }

  #count(
    counts: Counted,
    pod: PodSnapshot,
    workload: WorkloadSnapshot,
    { atMs, seconds }: { readonly atMs: number; readonly seconds: number },
  ): void {
    const value = (metric: string): number => this.#metrics.valueOf(metric, pod, workload, atMs);
    const requests = value('request_rate') * seconds;
    counts.cpuSeconds += cores(value('cpu_usage'), pod) * seconds;
    counts.requests += requests;
    counts.failed += requests * Math.min(value('error_rate'), 1);
    counts.latencySeconds += (requests * value('response_time')) / 1000;
    counts.writtenBytes += value('disk_io') * seconds;
    counts.periods += PERIODS_PER_SECOND * seconds;
    counts.throttled += PERIODS_PER_SECOND * seconds * Math.min(value('cpu_throttling'), 1);
  }

  #linesOf(pod: PodSnapshot, workload: WorkloadSnapshot, counts: Counted): readonly string[] {
    const has = new Set(
      this.#metrics.namesOf(workload).filter((metric) => !this.#metrics.isSilent(metric, pod, workload, counts.atMs)),
    );
    const labels = `namespace="${pod.namespace}",pod="${pod.name}"`;
    const inContainer = `${labels},container="${pod.containers[0]?.name ?? 'app'}"`;
    const when = (metric: string, ...lines: readonly string[]): readonly string[] => (has.has(metric) ? lines : []);
    const duration = 'http_request_duration_seconds';
    const value = (metric: string): number => this.#metrics.valueOf(metric, pod, workload, counts.atMs);
    return [
      ...when('cpu_usage', `container_cpu_usage_seconds_total{${inContainer}} ${counts.cpuSeconds}`),
      ...when(
        'memory_usage',
        `container_memory_working_set_bytes{${inContainer}} ${bytes(value('memory_usage'), pod)}`,
      ),
      ...when(
        'disk_io',
        `container_fs_reads_bytes_total{${inContainer}} 0`,
        `container_fs_writes_bytes_total{${inContainer}} ${counts.writtenBytes}`,
      ),
      ...when(
        'cpu_throttling',
        `container_cpu_cfs_periods_total{${inContainer}} ${counts.periods}`,
        `container_cpu_cfs_throttled_periods_total{${inContainer}} ${counts.throttled}`,
      ),
      ...when('request_rate', `http_requests_total{${labels},code="200"} ${counts.requests - counts.failed}`),
      ...when('error_rate', `http_requests_total{${labels},code="500"} ${counts.failed}`),
      ...when(
        'response_time',
        `${duration}_sum{${labels}} ${counts.latencySeconds}`,
        `${duration}_count{${labels}} ${counts.requests}`,
      ),
      ...[...has].filter((name) => !KNOWN.includes(name)).map((name) => `${name}{${labels}} ${value(name)}`),
    ];
  }
}

const NOTHING = { writtenBytes: 0, periods: 0, throttled: 0 };

const isScraped = ({ containers }: PodSnapshot): boolean =>
  containers.length > 0 && containers.every(({ state }) => state === 'running');

const cores = (value: number, { containers }: PodSnapshot): number => {
  const limit = containers[0]?.cpuLimit;
  return limit === undefined ? value : (value / 100) * limit;
};

const bytes = (value: number, { containers }: PodSnapshot): number => {
  const limit = containers[0]?.memoryLimit;
  return limit === undefined ? value : (value / 100) * limit;
};

/** What the kubelet measures of a claim. */
export const claimLines = (
  namespace: string,
  { claim, freeRatio }: { readonly claim: string; readonly freeRatio: number },
): readonly string[] => {
  const labels = `namespace="${namespace}",persistentvolumeclaim="${claim}"`;
  return [
    `kubelet_volume_stats_capacity_bytes{${labels}} ${CLAIM_BYTES}`,
    `kubelet_volume_stats_available_bytes{${labels}} ${CLAIM_BYTES * freeRatio}`,
    `kubelet_volume_stats_used_bytes{${labels}} ${CLAIM_BYTES * (1 - freeRatio)}`,
  ];
};
