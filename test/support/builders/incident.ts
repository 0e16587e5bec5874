import type { Incident } from '../../../src/detection/incident.ts';
import type { MetricVerdict, ModelView, PodVerdict, WorkloadVerdict } from '../../../src/detection/verdict.ts';
import type { Diagnosis } from '../../../src/diagnosis/diagnosis.ts';
import type { PodRef } from '../../../src/lib/workload.ts';
import { MINUTE, NOW, podRef, REF, SECOND } from './workload.ts';

/** Opened a minute ago on memory of the first pod. */
export function anIncident(over: Partial<Incident> = {}): Incident {
  return {
    id: 'incident-1',
    policyUid: 'p-checkout',
    workload: REF,
    openedAtMs: NOW - MINUTE,
    onsetAtMs: NOW - 2 * MINUTE,
    updatedAtMs: NOW - 5 * SECOND,
    peakScore: 0.95,
    score: 0.95,
    pods: [podRef(0)],
    metrics: ['memory_usage'],
    goodPolls: 0,
    ...over,
  };
}

/** A scored metric; its band ends at 70. Its models of two ages agree that 93 is odd, unless a test says otherwise. */
export function aMetric(
  metric: string,
  value: number,
  score: number,
  models: MetricVerdict['models'] = [aModel('recent', true), aModel('past', true)],
): MetricVerdict {
  const verdict = {
    kind: 'score',
    score,
    detector: 'own-history',
    feature: 'level-12',
    observed: value,
    expected: 50,
    band: [30, 70],
    samples: 500,
  } as const;
  return { metric, verdict, detectors: [verdict], value, atMs: NOW - 10 * SECOND, ...(score < 0.85 ? {} : { models }) };
}

export const aModel = (model: ModelView['model'], agrees: boolean): ModelView => ({
  model,
  samples: model === 'recent' ? 60 : 500,
  expected: 50,
  agrees,
});

/** A metric without enough history to be scored. */
export function anUnscored(metric: string, value?: number): MetricVerdict {
  return {
    metric,
    verdict: { kind: 'no-verdict', reason: value === undefined ? 'Absent' : 'InsufficientData', samples: 3 },
    detectors: [],
    ...(value === undefined ? {} : { value, atMs: NOW - 10 * SECOND }),
  };
}

export function aPodVerdict(pod: PodRef, over: Partial<PodVerdict> = {}): PodVerdict {
  return {
    pod,
    state: 'healthy',
    score: 0.1,
    metrics: [aMetric('memory_usage', 50, 0.1)],
    status: [],
    ...over,
  };
}

export const anIllPod = (pod: PodRef): PodVerdict =>
  aPodVerdict(pod, { state: 'unhealthy', score: 0.95, metrics: [aMetric('memory_usage', 93, 0.95)] });

/** The last poll: the first of four pods is ill. */
export function aVerdict(over: Partial<WorkloadVerdict> = {}): WorkloadVerdict {
  return {
    workload: REF,
    atMs: NOW - 5 * SECOND,
    state: 'unhealthy',
    score: 0.95,
    pods: [anIllPod(podRef(0)), ...[1, 2, 3].map((index) => aPodVerdict(podRef(index)))],
    workloadMetrics: [],
    oldestSampleMs: NOW - 10 * SECOND,
    ...over,
  };
}

/** A sure diagnosis: the first pod leaks. */
export function aDiagnosis(over: Partial<Diagnosis> = {}): Diagnosis {
  const failureType = over.failureType ?? 'memory_leak';
  return {
    failureType,
    confidence: 0.9,
    lead: 0.5,
    severityScore: 0.95,
    cause: { kind: 'self' },
    pods: [podRef(0)],
    candidates: [
      {
        failureType,
        confidence: 0.9,
        evidence: [{ source: 'metric', what: 'memory_usage climbs on pod pod-0', weight: 2 }],
        contradictions: [],
      },
    ],
    advice: 'take a heap profile',
    summary: 'memory_leak in pod pod-0',
    evidenceAtMs: NOW - 10 * SECOND,
    ...over,
  };
}
