import type { DetectorName, MetricVerdict, PodVerdict, Score, StatusFinding } from '../../../src/detection/verdict.ts';
import type { LogLine } from '../../../src/diagnosis/diagnosis.ts';
import type { DiagnosisInput } from '../../../src/diagnosis/evidence.ts';
import type { RandomStream } from '../../../src/lib/seeded-random.ts';
import type { ContainerSnapshot, NodeSnapshot, PodSnapshot, WorkloadSnapshot } from '../../../src/lib/workload.ts';

export const NOW = 1_770_000_000_000;
const MINUTE = 60_000;

/** Healthy level and noise of each metric, as a quiet shop service shows them. */
const LEVELS: Readonly<Record<string, readonly [level: number, noise: number]>> = {
  cpu_usage: [40, 3],
  memory_usage: [50, 1.5],
  request_rate: [100, 6],
  error_rate: [0.006, 0.003],
  response_time: [80, 7],
};

/** Levels of the metrics that only some clusters have. */
const OPTIONAL: Readonly<Record<string, readonly [level: number, noise: number]>> = {
  disk_io: [1e6, 1e5],
  cpu_throttling: [0.03, 0.01],
  volume_usage: [45, 0.5],
  connection_pool_usage: [40, 5],
  in_flight_requests: [12, 2],
  network_retransmits: [1, 0.4],
  calls_per_request: [3, 0.1],
  retry_rate: [0.5, 0.2],
  user_request_rate: [100, 6],
  lock_waits: [1, 0.5],
  queue_depth: [20, 4],
};

export interface PodDraft {
  readonly name: string;
  readonly metrics: Map<string, number>;
  readonly rising: Set<string>;
  node: string | undefined;
  hash: string;
  ready: boolean;
  phase: PodSnapshot['phase'];
  reason: string | undefined;
  waiting: string | undefined;
  unschedulable: string | undefined;
  restarts: number;
  ageMs: number;
  lastTermination: ContainerSnapshot['lastTermination'];
}

/** A workload in trouble while it is put together; `finish` makes it an input of the classifier. */
export class Draft {
  readonly random: RandomStream;
  readonly pods: PodDraft[];
  readonly onsetAtMs: number;
  readonly nodes = new Map<string, NodeSnapshot>();
  readonly logs: LogLine[] = [];
  workload: Partial<WorkloadSnapshot> = {};
  input: Partial<DiagnosisInput> = {};
  /** Whether the call graph is known. */
  readonly hasCallGraph: boolean;
  readonly hasLogs: boolean;

  constructor(random: RandomStream, minReplicas = 2) {
    this.random = random;
    this.onsetAtMs = NOW - this.between(1.5, 6) * MINUTE;
    this.hasCallGraph = random.next() < 0.5;
    this.hasLogs = random.next() < 0.75;
    const replicas = minReplicas + random.below(4);
    this.pods = Array.from({ length: replicas }, (_, i) => this.#aPod(i));
  }

  #aPod(index: number): PodDraft {
    const node = `node-${1 + this.random.below(4)}`;
    this.nodes.set(node, { name: node, ready: 'True', pressures: [], unschedulable: false, labels: {} });
    const metrics = new Map<string, number>();
    for (const [name, [level, noise]] of Object.entries(LEVELS)) metrics.set(name, this.#noisy(level, noise));
    return {
      name: `checkout-7d9f-${index}`,
      metrics,
      rising: new Set(),
      node,
      hash: '7d9f',
      ready: true,
      phase: 'Running',
      reason: undefined,
      waiting: undefined,
      unschedulable: undefined,
      restarts: this.random.below(2),
      ageMs: this.between(1, 30) * 86_400_000,
      lastTermination: undefined,
    };
  }

  #noisy(level: number, noise: number): number {
    return Math.max(0, level + noise * Math.max(-2.5, Math.min(2.5, this.random.normal())));
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.random.next();
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.random.below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  chance(p: number): boolean {
    return this.random.next() < p;
  }

  /** Moves a metric of some pods to a multiple of its healthy level, each with its own jitter. */
  scale(pods: readonly PodDraft[], metric: string, factor: number): void {
    const [level] = LEVELS[metric] ?? OPTIONAL[metric] ?? [1, 0.1];
    this.put(pods, metric, level * factor);
  }

  /** Moves a metric of some pods to a value, give or take a twentieth. */
  put(pods: readonly PodDraft[], metric: string, value: number): void {
    for (const pod of pods) pod.metrics.set(metric, Math.max(0, value * this.between(0.95, 1.05)));
  }

  /** Gives every pod a metric that only some clusters have, at its healthy level. */
  measure(metric: string): void {
    const [level, noise] = OPTIONAL[metric] ?? [1, 0.1];
    for (const pod of this.pods) if (!pod.metrics.has(metric)) pod.metrics.set(metric, this.#noisy(level, noise));
  }

  drop(metric: string): void {
    for (const pod of this.pods) pod.metrics.delete(metric);
  }

  one(): PodDraft {
    return this.pick(this.pods);
  }

  /** Lines since the onset, if logs are read at all. */
  say(message: string, times: number, level: LogLine['level'] = 'error'): void {
    for (let i = 0; i < times; i++) {
      const atMs = this.onsetAtMs + this.between(0, NOW - this.onsetAtMs);
      this.logs.push({ atMs, level, message, service: 'checkout', pod: this.one().name });
    }
  }

  chatter(lines: readonly string[]): void {
    for (let i = 0; i < 20; i++) {
      const atMs = NOW - this.between(0, 10) * MINUTE;
      this.logs.push({ atMs, level: 'info', message: this.pick(lines), service: 'checkout', pod: this.one().name });
    }
  }

  finish(): DiagnosisInput {
    const pods = this.pods.map((pod) => this.#snapshot(pod));
    const ready = pods.filter((pod) => pod.ready).length;
    return {
      nowMs: NOW,
      onsetAtMs: this.onsetAtMs,
      verdict: this.#verdict(),
      workload: {
        ...skeleton(pods),
        replicas: { desired: pods.length, current: pods.length, updated: pods.length, ready, available: ready },
        ...this.workload,
      },
      logs: this.hasLogs ? this.logs : [],
      events: [],
      nodes: [...this.nodes.values()],
      ...this.input,
    };
  }

  #snapshot(pod: PodDraft): PodSnapshot {
    const scheduled = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable' } as const;
    return {
      name: pod.name,
      uid: pod.name,
      namespace: 'shop',
      phase: pod.phase,
      ...(pod.reason === undefined ? {} : { reason: pod.reason }),
      ready: pod.ready,
      createdAtMs: NOW - pod.ageMs,
      ...(pod.node === undefined ? {} : { nodeName: pod.node }),
      hostNetwork: false,
      templateHash: pod.hash,
      controllerKind: 'ReplicaSet',
      labels: {},
      annotations: {},
      conditions: pod.unschedulable === undefined ? [] : [{ ...scheduled, message: pod.unschedulable }],
      containers: [
        {
          name: 'app',
          image: 'registry.example/checkout:2.0',
          init: false,
          ready: pod.ready,
          restartCount: pod.restarts,
          state: pod.waiting === undefined ? 'running' : 'waiting',
          ...(pod.waiting === undefined ? {} : { waitingReason: pod.waiting }),
          ...(pod.lastTermination === undefined ? {} : { lastTermination: pod.lastTermination }),
          memoryLimit: 536_870_912,
        },
      ],
    };
  }

  #verdict(): NonNullable<DiagnosisInput['verdict']> {
    const pods = this.pods.map((pod) => this.#podVerdict(pod));
    const score = Math.max(0, ...pods.map((pod) => pod.score));
    const workload = skeleton([]).ref;
    const state = score >= 0.85 ? 'unhealthy' : 'healthy';
    return { workload, atMs: NOW, state, score, pods, workloadMetrics: [], oldestSampleMs: NOW - 10_000 };
  }

  #podVerdict(pod: PodDraft): PodVerdict {
    const metrics = pod.ready || pod.waiting === undefined ? this.#metrics(pod) : [];
    const status = statusOf(pod);
    const scores = metrics.map((each) => (each.verdict.kind === 'score' ? each.verdict.score : 0));
    const score = Math.max(0, ...scores, ...status.map((each) => each.severity));
    const state = score >= 0.85 ? 'unhealthy' : 'healthy';
    return { pod: { name: pod.name, uid: pod.name }, state, score, metrics, status };
  }

  /** What an engine would say: five sigmas of the healthy noise are an alarm. */
  #metrics(pod: PodDraft): MetricVerdict[] {
    return [...pod.metrics].map(([metric, value]) => {
      const [level, noise] = LEVELS[metric] ?? OPTIONAL[metric] ?? [1, 0.1];
      const sigmas = Math.abs(value - level) / Math.max(noise, 0.04 * level);
      const score = 1 - 0.15 ** (sigmas / 5);
      const others = this.pods.filter((each) => each !== pod).flatMap((each) => each.metrics.get(metric) ?? []);
      const isAlone =
        others.length > 0 && others.every((other) => Math.abs(other - level) < 5 * Math.max(noise, 0.04 * level));
      const scores = [aScore('own-history', score, value, level, noise)];
      if (score >= 0.85 && isAlone) scores.push(aScore('peers', score - 0.01, value, level, noise));
      if (pod.rising.has(metric)) {
        const slope = (value - level) / ((NOW - this.onsetAtMs) / 1000);
        scores.push({
          ...aScore('trend', Math.max(score, 0.86), value, level, noise),
          slopePerSecond: slope,
          timeToLimitMs: 9e5,
        });
      }
      if (metric === 'cpu_usage' && value >= 90) scores.push(aScore('saturation', 0.9, value, level, noise));
      scores.sort((a, b) => b.score - a.score);
      const [decisive] = scores;
      if (decisive === undefined) throw new Error('own history always speaks');
      return { metric, verdict: decisive, detectors: scores, value, atMs: NOW - 10_000 };
    });
  }
}

function aScore(detector: DetectorName, score: number, observed: number, level: number, noise: number): Score {
  const band: readonly [number, number] = [Math.max(0, level - 4 * noise), level + 4 * noise];
  return { kind: 'score', score, detector, feature: detector, observed, expected: level, band, samples: 400 };
}

function statusOf(pod: PodDraft): StatusFinding[] {
  const reasons = [
    pod.waiting,
    pod.phase === 'Failed' ? (pod.reason ?? 'Failed') : undefined,
    pod.unschedulable === undefined ? undefined : 'Unschedulable',
    pod.lastTermination?.reason === 'OOMKilled' ? 'OOMKilled' : undefined,
    !pod.ready && pod.waiting === undefined && pod.phase === 'Running' ? 'NotReady' : undefined,
  ];
  return reasons.flatMap((reason) => (reason === undefined ? [] : [{ reason, message: reason, severity: 0.93 }]));
}

function skeleton(pods: readonly PodSnapshot[]): WorkloadSnapshot {
  return {
    ref: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'checkout', uid: 'w' },
    resourceVersion: '9',
    generation: 4,
    observedGeneration: 4,
    createdAtMs: NOW - 90 * 86_400_000,
    labels: {},
    annotations: {},
    namespaceLabels: {},
    namespaceAnnotations: {},
    replicas: { desired: 0, current: 0, updated: 0, ready: 0, available: 0 },
    paused: false,
    strategy: 'RollingUpdate',
    maxSurge: 1,
    conditions: [],
    revisions: [
      {
        name: 'checkout-7d9f',
        templateHash: '7d9f',
        revision: 12,
        createdAtMs: NOW - 9 * 86_400_000,
        replicas: pods.length,
        readyReplicas: pods.length,
      },
      {
        name: 'checkout-55aa',
        templateHash: '55aa',
        revision: 11,
        createdAtMs: NOW - 40 * 86_400_000,
        replicas: 0,
        readyReplicas: 0,
      },
    ],
    autoscalers: [],
    autoscalersKnown: true,
    replicasManagers: [],
    disruptionBudgets: [],
    pods,
  };
}
