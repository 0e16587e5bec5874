import { seriesKeyOf } from '../../../src/controller/request-judge.ts';
import type {
  DetectorName,
  MetricVerdict,
  PodVerdict,
  Score,
  WorkloadVerdict,
} from '../../../src/detection/verdict.ts';
import type { LogLine } from '../../../src/diagnosis/diagnosis.ts';
import type { DiagnosisInput } from '../../../src/diagnosis/evidence.ts';
import type { FailureQuestion, JudgedMetric } from '../../../src/diagnosis/request-evidence.ts';
import type {
  ClusterEvent,
  ContainerSnapshot,
  NodeSnapshot,
  PodSnapshot,
  TerminationSnapshot,
  WorkloadRef,
  WorkloadSnapshot,
} from '../../../src/lib/workload.ts';

/** 2026-01-01T12:00:00Z */
export const NOW = 1_767_268_800_000;
export const MINUTE = 60_000;
/** The incidents of these builders began three minutes ago. */
export const ONSET = NOW - 3 * MINUTE;

const REF: WorkloadRef = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  namespace: 'shop',
  name: 'checkout',
  uid: 'w-1',
};

/** What a metric does, with the value and what was expected. */
export type Behaviour =
  | readonly ['up' | 'down' | 'flat', number, number]
  | readonly ['up' | 'down' | 'flat', number, number, readonly DetectorName[]];

export function aScore(detector: DetectorName, over: Partial<Score> = {}): Score {
  return {
    kind: 'score',
    score: 0.95,
    detector,
    feature: 'level-12',
    observed: 90,
    expected: 40,
    band: [30, 50],
    samples: 500,
    ...over,
  };
}

/** A verdict of a metric: anomalous for up and down, calm for flat. */
export function aMetric(
  metric: string,
  [way, observed, expected, detectors = ['own-history']]: Behaviour,
): MetricVerdict {
  const spread = Math.max(Math.abs(expected) * 0.2, 0.01);
  const band: readonly [number, number] = [expected - spread, expected + spread];
  const scores = detectors.map((detector) =>
    aScore(detector, {
      score: way === 'flat' ? 0.1 : 0.95,
      observed,
      expected,
      band,
      ...(detector === 'trend' ? { slopePerSecond: 0.05, timeToLimitMs: 7 * MINUTE } : {}),
    }),
  );
  return { metric, verdict: scores[0] ?? aScore('own-history'), detectors: scores, value: observed, atMs: NOW - 5000 };
}

export interface PodSpec {
  readonly metrics?: Readonly<Record<string, Behaviour>>;
  readonly waiting?: string;
  readonly restarts?: number;
  readonly lastEnd?: TerminationSnapshot;
  readonly ready?: boolean;
  readonly hash?: string;
  readonly node?: string | null;
  readonly phase?: PodSnapshot['phase'];
  readonly unhealthy?: boolean;
  readonly ageMs?: number;
  readonly reason?: string;
  readonly unschedulable?: string;
}

export const podName = (index: number): string => `checkout-abc-${index}`;

function aContainer(over: Partial<ContainerSnapshot> = {}): ContainerSnapshot {
  return {
    name: 'app',
    image: 'registry.example/checkout:1.4.2',
    init: false,
    ready: true,
    restartCount: 0,
    state: 'running',
    memoryLimit: 512 * 1_048_576,
    cpuLimit: 1,
    ...over,
  };
}

function aPod(index: number, spec: PodSpec = {}): PodSnapshot {
  const ready = spec.ready ?? (spec.waiting === undefined && spec.phase !== 'Pending');
  return {
    name: podName(index),
    uid: `p-${index}`,
    namespace: REF.namespace,
    phase: spec.phase ?? 'Running',
    ...(spec.reason === undefined ? {} : { reason: spec.reason }),
    ready,
    createdAtMs: NOW - (spec.ageMs ?? 86_400_000),
    ...(spec.node === null ? {} : { nodeName: spec.node ?? `node-${index}` }),
    hostNetwork: false,
    templateHash: spec.hash ?? 'abc',
    controllerKind: 'ReplicaSet',
    labels: {},
    annotations: {},
    conditions:
      spec.unschedulable === undefined
        ? []
        : [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: spec.unschedulable }],
    containers: [
      aContainer({
        ready,
        restartCount: spec.restarts ?? 0,
        state: spec.waiting === undefined ? 'running' : 'waiting',
        ...(spec.waiting === undefined ? {} : { waitingReason: spec.waiting }),
        ...(spec.lastEnd === undefined ? {} : { lastTermination: spec.lastEnd }),
      }),
    ],
  };
}

function aPodVerdict(index: number, spec: PodSpec): PodVerdict {
  const metrics = Object.entries(spec.metrics ?? {}).map(([name, behaviour]) => aMetric(name, behaviour));
  const loud = metrics.some((each) => each.verdict.kind === 'score' && each.verdict.score >= 0.85);
  const status = [spec.waiting, spec.reason]
    .filter((reason): reason is string => reason !== undefined)
    .map((reason) => ({ reason, message: reason, severity: 0.95, sinceMs: ONSET }));
  const isBad = spec.unhealthy ?? (loud || status.length > 0 || spec.ready === false);
  return {
    pod: { name: podName(index), uid: `p-${index}` },
    state: isBad ? 'unhealthy' : 'healthy',
    score: isBad ? 0.95 : 0.1,
    metrics,
    status,
  };
}

function aWorkload(pods: readonly PodSpec[], over: Partial<WorkloadSnapshot> = {}): WorkloadSnapshot {
  const snapshots = pods.map((spec, i) => aPod(i + 1, spec));
  const ready = snapshots.filter((pod) => pod.ready).length;
  return {
    ref: REF,
    resourceVersion: '1',
    generation: 3,
    observedGeneration: 3,
    createdAtMs: NOW - 30 * 86_400_000,
    labels: {},
    annotations: {},
    namespaceLabels: {},
    namespaceAnnotations: {},
    replicas: { desired: pods.length, current: pods.length, updated: pods.length, ready, available: ready },
    paused: false,
    strategy: 'RollingUpdate',
    maxSurge: 1,
    conditions: [],
    revisions: [
      {
        name: 'checkout-abc',
        templateHash: 'abc',
        revision: 7,
        createdAtMs: NOW - 5 * 86_400_000,
        replicas: pods.length,
        readyReplicas: ready,
      },
      {
        name: 'checkout-old',
        templateHash: 'old',
        revision: 6,
        createdAtMs: NOW - 20 * 86_400_000,
        replicas: 0,
        readyReplicas: 0,
      },
    ],
    autoscalers: [],
    autoscalersKnown: true,
    replicasManagers: [],
    disruptionBudgets: [],
    pods: snapshots,
    ...over,
  };
}

export function aVerdict(
  pods: readonly PodSpec[],
  workloadMetrics: Readonly<Record<string, Behaviour>> = {},
): WorkloadVerdict {
  const judged = pods.map((spec, i) => aPodVerdict(i + 1, spec));
  const bad = judged.some((pod) => pod.state === 'unhealthy');
  return {
    workload: REF,
    atMs: NOW,
    state: bad ? 'unhealthy' : 'healthy',
    score: Math.max(0, ...judged.map((pod) => pod.score)),
    pods: judged,
    workloadMetrics: Object.entries(workloadMetrics).map(([name, behaviour]) => aMetric(name, behaviour)),
    oldestSampleMs: NOW - 5000,
  };
}

export interface CaseSpec {
  readonly pods: readonly PodSpec[];
  readonly workloadMetrics?: Readonly<Record<string, Behaviour>>;
  readonly logs?: readonly string[];
  readonly workload?: Partial<WorkloadSnapshot>;
  readonly input?: Partial<DiagnosisInput>;
}

export function logLines(messages: readonly string[], level: LogLine['level'] = 'error'): readonly LogLine[] {
  return messages.map((message, i) => ({
    atMs: ONSET + 10_000 + i * 1000,
    level,
    message,
    service: 'checkout',
    pod: podName(1),
  }));
}

export const anEvent = (reason: string, message: string, over: Partial<ClusterEvent> = {}): ClusterEvent => ({
  namespace: REF.namespace,
  kind: 'Pod',
  name: podName(1),
  type: 'Warning',
  reason,
  message,
  lastAtMs: NOW - MINUTE,
  count: 3,
  ...over,
});

export const aNode = (name: string, over: Partial<NodeSnapshot> = {}): NodeSnapshot => ({
  name,
  ready: 'True',
  pressures: [],
  unschedulable: false,
  labels: {},
  ...over,
});

/** A whole input: pods with their status and metrics, lines since the onset, and whatever a row overrides. */
export function aCase({ pods, workloadMetrics = {}, logs = [], workload = {}, input = {} }: CaseSpec): DiagnosisInput {
  return {
    nowMs: NOW,
    onsetAtMs: ONSET,
    verdict: aVerdict(pods, workloadMetrics),
    workload: aWorkload(pods, workload),
    logs: logLines(logs),
    events: [],
    nodes: pods.map((spec, i) => aNode(spec.node ?? `node-${i + 1}`)),
    ...input,
  };
}

/** A judged sample of the series that its metric and labels name. */
export const judged = (sample: Omit<JudgedMetric, 'seriesKey'>): JudgedMetric => ({
  ...sample,
  seriesKey: seriesKeyOf({ metricType: sample.metric, labels: sample.labels }),
});

/** What a caller of `detect-failure` asks, now. */
export const aQuestion = (
  metrics: readonly JudgedMetric[],
  logs: readonly LogLine[] = [],
  kubernetes?: unknown,
): FailureQuestion => ({
  metrics,
  logs,
  windowMs: 5 * MINUTE,
  anomalyThreshold: 0.85,
  nowMs: NOW,
  ...(kubernetes === undefined ? {} : { kubernetes }),
});
