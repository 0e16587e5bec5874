import type { DetectionSettings, JudgeInput, PodObservation } from '../../../src/detection/engine-input.ts';
import { metricSpec } from '../../../src/detection/metric-profile.ts';
import type { MetricReading, Reading } from '../../../src/detection/sample.ts';
import { SERIES_SHAPE } from '../../../src/detection/state/series-record.ts';
import { Slab } from '../../../src/detection/state/slab.ts';
import type { Cursor, RecordShape } from '../../../src/detection/state/slab.ts';
import type { PodVerdict, StatusFinding, WorkloadVerdict } from '../../../src/detection/verdict.ts';
import type { ContainerSnapshot, PodSnapshot, WorkloadRef } from '../../../src/lib/workload.ts';

export const T0 = 1_760_000_000_000;
export const STEP = 15_000;

export const aRef: WorkloadRef = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  namespace: 'shop',
  name: 'cart',
  uid: 'w1',
};

export const someSettings = (over: Partial<DetectionSettings> = {}): DetectionSettings => ({
  anomalyThreshold: 0.85,
  minSamples: 30,
  maxSampleAgeMs: 60_000,
  intervalMs: STEP,
  ...over,
});

export const aValue = (value: number, atMs: number): Reading => ({ kind: 'value', value, atMs });

/** Readings of one pod, all taken at `atMs`; `undefined`: absent. */
export const readings = (values: Readonly<Record<string, number | undefined>>, atMs: number): MetricReading[] =>
  Object.entries(values).map(([metric, value]) => ({
    metric,
    reading: value === undefined ? { kind: 'unknown', reason: 'Absent' } : aValue(value, atMs),
  }));

export const anObservation = (name: string, over: Partial<PodObservation> = {}): PodObservation => ({
  pod: { name, uid: name },
  templateHash: 'h1',
  ageMs: 3_600_000,
  ready: true,
  readings: [],
  saturation: { cpu_usage: 100, memory_usage: 100 },
  status: [],
  ...over,
});

export const aJudgeInput = (metrics: readonly string[], over: Partial<JudgeInput> = {}): JudgeInput => ({
  workload: aRef,
  nowMs: T0,
  settings: someSettings(),
  metrics: metrics.map((name) => metricSpec(name)),
  pods: [],
  workloadReadings: [],
  ...over,
});

/** A fresh record, not the first of its slab: fields that are read at a wrong offset are another record's. */
export const aRecordOf = (shape: RecordShape): Cursor => {
  const slab = new Slab(shape);
  const slots = [slab.allocate(), slab.allocate(), slab.allocate()];
  return slab.seek(slots[1] ?? NaN);
};

/** A fresh series record. */
export const aRecord = (): Cursor => aRecordOf(SERIES_SHAPE);

export const aPodVerdict = (name: string, over: Partial<PodVerdict> = {}): PodVerdict => ({
  pod: { name, uid: name },
  state: 'healthy',
  score: 0,
  metrics: [],
  status: [],
  ...over,
});

/** A workload verdict in one state, at one time; unhealthy ones carry an anomalous memory metric on pod `a`. */
export function aPollVerdict(
  state: WorkloadVerdict['state'],
  atMs: number,
  over: { readonly score?: number; readonly status?: readonly StatusFinding[] } = {},
): WorkloadVerdict {
  const score = over.score ?? (state === 'unhealthy' ? 0.95 : 0.1);
  const verdict = {
    kind: 'score',
    score,
    detector: 'peers',
    feature: 'peer-deviation',
    observed: 80,
    samples: 50,
  } as const;
  const metrics = [{ metric: 'memory_usage', verdict, detectors: [verdict], value: 80, atMs }];
  const pod = aPodVerdict('a', { state, score, metrics, status: over.status ?? [] });
  return { workload: aRef, atMs, state, score, pods: [pod, aPodVerdict('b')], workloadMetrics: [] };
}

export const aContainerSnapshot = (over: Partial<ContainerSnapshot> = {}): ContainerSnapshot => ({
  name: 'app',
  image: 'app:1',
  init: false,
  ready: true,
  restartCount: 0,
  state: 'running',
  startedAtMs: T0 - 3_600_000,
  cpuLimit: 1,
  memoryLimit: 2 ** 28,
  ...over,
});

export const aPodSnapshot = (over: Partial<PodSnapshot> = {}): PodSnapshot => ({
  name: 'cart-1',
  uid: 'p1',
  namespace: 'shop',
  phase: 'Running',
  ready: true,
  createdAtMs: T0 - 3_600_000,
  hostNetwork: false,
  templateHash: 'h1',
  labels: {},
  annotations: {},
  conditions: [
    { type: 'PodScheduled', status: 'True', changedAtMs: T0 - 3_600_000 },
    { type: 'Ready', status: 'True', changedAtMs: T0 - 3_500_000 },
  ],
  containers: [aContainerSnapshot()],
  ...over,
});
