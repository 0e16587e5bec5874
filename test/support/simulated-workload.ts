import type { DetectionSettings, JudgeInput, PodObservation } from '../../src/detection/engine-input.ts';
import { metricSpec } from '../../src/detection/metric-profile.ts';
import type { MetricReading } from '../../src/detection/sample.ts';
import type { StatusFinding } from '../../src/detection/verdict.ts';
import { seededRandom } from '../../src/lib/seeded-random.ts';
import type { RandomStream } from '../../src/lib/seeded-random.ts';
import type { WorkloadRef } from '../../src/lib/workload.ts';

/**
 * A workload as metrics see it: replicas with noisy, ordinary behaviour (daily load, bursts, hourly jobs, garbage
 * collection, caches that warm up, lost scrapes, rollouts), and faults to put on top. One source for tests and bench.
 */
export interface SimulationOptions {
  readonly seed: number;
  readonly pods: number;
  readonly intervalMs: number;
  readonly minSamples?: number;
  /** 0: quiet and constant; 1: a busy production service. */
  readonly liveliness?: number;
  readonly startMs?: number;
}

interface SimulatedPod {
  readonly uid: string;
  readonly bornMs: number;
  /** Persistent difference of this replica: shard, leader, node. */
  readonly bias: number;
  memoryBase: number;
  garbage: number;
  noise: number;
}

/** What a pod would show in this poll, before noise is added by nobody else. */
export type Vitals = Record<string, number>;

/** Changes a pod's vitals: a fault. */
export type Disturbance = (vitals: Vitals, pod: number, atMs: number) => void;

export const SIMULATED_METRICS = [
  'cpu_usage',
  'memory_usage',
  'disk_io',
  'request_rate',
  'error_rate',
  'response_time',
] as const;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export class SimulatedWorkload {
  readonly workload: WorkloadRef;
  readonly settings: DetectionSettings;
  nowMs: number;
  /** Metrics that are lost in this poll, for every pod. */
  blackout = false;
  private readonly random: RandomStream;
  private readonly options: SimulationOptions;
  private readonly baseRate: number;
  private readonly baseLatency: number;
  private readonly phase: number;
  private pods: SimulatedPod[] = [];
  private template = 1;
  private burstUntilMs = 0;
  private burst = 1;
  private births = 0;

  constructor(options: SimulationOptions) {
    this.options = options;
    this.random = seededRandom(options.seed);
    this.nowMs = options.startMs ?? 1_760_000_000_000;
    this.workload = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      namespace: 'shop',
      name: `w-${options.seed}`,
      uid: `w-${options.seed}`,
    };
    this.settings = {
      anomalyThreshold: 0.85,
      minSamples: options.minSamples ?? 100,
      maxSampleAgeMs: 2 * options.intervalMs + 30_000,
      intervalMs: options.intervalMs,
    };
    this.baseRate = 5 + 200 * this.random.next() ** 2;
    this.baseLatency = 8 + 180 * this.random.next() ** 2;
    this.phase = this.random.next() * DAY;
    for (let i = 0; i < options.pods; i++) this.pods.push(this.birth());
  }

  /** A new revision: all pods are replaced, their histories with them. */
  rollOut(): void {
    this.template++;
    this.pods = this.pods.map(() => this.birth());
  }

  /** The oldest pod is replaced by another of the same revision, as after an eviction. */
  replaceOne(): void {
    this.pods = [...this.pods.slice(1), this.birth()];
  }

  /** The next poll, one interval (with some jitter) later. */
  poll(disturb?: Disturbance, status?: (pod: number) => readonly StatusFinding[]): JudgeInput {
    this.nowMs += Math.round(this.options.intervalMs * (1 + 0.02 * this.random.normal()));
    const load = this.load();
    const pods = this.pods.map((pod, i): PodObservation => {
      const vitals = this.vitals(pod, load);
      disturb?.(vitals, i, this.nowMs);
      return {
        pod: { name: pod.uid, uid: pod.uid },
        templateHash: `t${this.template}`,
        ageMs: this.nowMs - pod.bornMs,
        ready: status === undefined || status(i).length === 0,
        readings: SIMULATED_METRICS.map((metric) => this.reading(metric, vitals[metric] ?? NaN)),
        saturation: { cpu_usage: 100, memory_usage: 100 },
        status: status?.(i) ?? [],
      };
    });
    return {
      workload: this.workload,
      nowMs: this.nowMs,
      settings: this.settings,
      metrics: SIMULATED_METRICS.map((name) => metricSpec(name)),
      pods,
      workloadReadings: [],
    };
  }

  private get liveliness(): number {
    return this.options.liveliness ?? 1;
  }

  private birth(): SimulatedPod {
    return {
      uid: `${this.workload.name}-${this.template}-${this.births++}`,
      bornMs: this.nowMs,
      bias: 1 + 0.08 * this.random.normal() * this.liveliness,
      memoryBase: 22 + 25 * this.random.next() * this.liveliness,
      garbage: 0,
      noise: 0,
    };
  }

  /** Requests per second and pod: a day, a slow wander and bursts of some minutes. */
  private load(): number {
    const { random, nowMs, liveliness } = this;
    const perHour = this.options.intervalMs / HOUR;
    if (nowMs > this.burstUntilMs) this.burst = 1;
    if (random.next() < 0.2 * perHour * liveliness) {
      this.burst = 1.2 + 0.6 * random.next();
      this.burstUntilMs = nowMs + (1 + 9 * random.next()) * MINUTE;
    }
    const day = 1 + 0.6 * liveliness * Math.sin((2 * Math.PI * (nowMs + this.phase)) / DAY);
    return this.baseRate * day * this.burst;
  }

  private vitals(pod: SimulatedPod, load: number): Vitals {
    const { random, liveliness } = this;
    const steps = this.options.intervalMs / 15_000;
    pod.noise = 0.8 * pod.noise + 0.2 * random.normal();
    const rate = Math.max(load * pod.bias * (1 + 0.12 * pod.noise + 0.05 * random.normal()), 0);
    const job = this.nowMs % HOUR < 90_000 ? 10 * liveliness : 0;
    const used = 6 + 34 * (rate / (this.baseRate * 1.6)) + job * (0.7 + 0.3 * random.next()) + 1.5 * random.normal();
    const cpu = Math.min(Math.max(used, 0.5), 100);
    const warm = 1 - Math.exp(-(this.nowMs - pod.bornMs) / (20 * MINUTE));
    pod.garbage = pod.garbage > 9 ? 0 : pod.garbage + (0.15 + 0.25 * random.next()) * steps * liveliness;
    const memory = pod.memoryBase * (0.6 + 0.4 * warm) + pod.garbage + 0.3 * random.normal();
    const tail = random.next() < 0.004 * liveliness ? 2 + 4 * random.next() : 1;
    const busy = 1 / (1.05 - Math.min(cpu, 98) / 100);
    return {
      cpu_usage: cpu,
      memory_usage: Math.max(memory, 1),
      disk_io: 2e5 * Math.exp(0.6 * random.normal()) * (random.next() < 0.01 * liveliness ? 12 : 1),
      request_rate: rate,
      error_rate: random.next() < 0.05 * liveliness ? 0.02 * random.next() : 0,
      response_time: this.baseLatency * Math.exp(0.18 * random.normal()) * (0.7 + 0.3 * busy) * tail,
    };
  }

  private reading(metric: string, value: number): MetricReading {
    const isLost = this.blackout || this.random.next() < 0.002 * this.liveliness;
    if (isLost) return { metric, reading: { kind: 'unknown', reason: 'Absent' } };
    const atMs = this.nowMs - Math.floor(this.random.next() * 1000);
    return { metric, reading: { kind: 'value', value, atMs } };
  }
}
