import type { MetricVerdict, PodVerdict, Score, WorkloadVerdict } from '../detection/verdict.ts';
import type { PodRef } from '../lib/workload.ts';
import type { LogLine } from './diagnosis.ts';
import type { DiagnosisInput, SeriesSummary } from './evidence.ts';
import { readKubernetesContext } from './kubernetes-context.ts';
import type { KubernetesEvidence } from './kubernetes-context.ts';

/** One sample of a request with what the engine said of it. */
export interface JudgedMetric {
  /** Tells its series from every other: metric and labels. */
  readonly seriesKey: string;
  readonly metric: string;
  readonly value: number;
  readonly atMs: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Every detector that spoke, the decisive one first. */
  readonly detectors: readonly Score[];
  /** Samples of the series learnt before this one. */
  readonly samples: number;
}

/** What is asked of `detectFailure`. */
export interface FailureQuestion {
  readonly metrics: readonly JudgedMetric[];
  readonly logs: readonly LogLine[];
  /** FAILURE_DETECTION_WINDOW, back from the newest timestamp of the request. */
  readonly windowMs: number;
  readonly anomalyThreshold: number;
  /** For requests without any timestamp of their own. */
  readonly nowMs: number;
  /** `context.kubernetes` as it was sent. */
  readonly kubernetes?: unknown;
}

/** The samples of one series, split at the start of the window. */
export interface RequestSeries {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly pod?: string;
  readonly before: readonly JudgedMetric[];
  /** Oldest first, never empty. */
  readonly window: readonly JudgedMetric[];
  readonly last: JudgedMetric;
}

/** A request in the form that the rules look at. */
export interface RequestEvidence {
  readonly nowMs: number;
  readonly startMs: number;
  readonly threshold: number;
  readonly series: readonly RequestSeries[];
  /** Lines within the window. */
  readonly logs: readonly LogLine[];
  readonly kubernetes?: KubernetesEvidence;
}

/** The caller sees to it that there are values. */
const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
};

/** Sorts the request into series and cuts the window. The order of samples and lines does not matter. */
export function gatherRequest(question: FailureQuestion): RequestEvidence {
  const metrics = question.metrics.filter((each) => Number.isFinite(each.value) && Number.isFinite(each.atMs));
  const logs = question.logs.filter((line) => Number.isFinite(line.atMs));
  let newest = -Infinity;
  for (const { atMs } of metrics) newest = Math.max(newest, atMs);
  for (const { atMs } of logs) newest = Math.max(newest, atMs);
  const nowMs = Number.isFinite(newest) ? newest : question.nowMs;
  const startMs = nowMs - question.windowMs;
  const groups = Map.groupBy(metrics, ({ seriesKey }) => seriesKey);
  const series = [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, samples]) => seriesOf(samples, startMs) ?? []);
  const kubernetes = readKubernetesContext(question.kubernetes, nowMs);
  return {
    nowMs,
    startMs,
    threshold: question.anomalyThreshold,
    series,
    logs: logs.filter((line) => line.atMs >= startMs),
    ...(kubernetes === undefined ? {} : { kubernetes }),
  };
}

function seriesOf(samples: readonly JudgedMetric[], startMs: number): RequestSeries | undefined {
  // Nearly always there is one.
  const sorted = samples.length === 1 ? samples : samples.toSorted((a, b) => a.atMs - b.atMs || a.value - b.value);
  const window = sorted.filter((each) => each.atMs >= startMs);
  const last = window.at(-1);
  if (last === undefined) return undefined;
  const pod = last.labels['pod'];
  return {
    metric: last.metric,
    labels: last.labels,
    ...(pod === undefined ? {} : { pod }),
    before: window.length === sorted.length ? [] : sorted.filter((each) => each.atMs < startMs),
    window,
    last,
  };
}

/** Three or more samples that climb: four in five pairs rise, and the whole rise is a twentieth of the start. */
export function isClimbing(series: RequestSeries): boolean {
  if (series.window.length < 3) return false;
  const values = series.window.map((each) => each.value);
  const [first, last] = [values[0] ?? 0, values.at(-1) ?? 0];
  if (last - first < Math.max(0.05 * Math.abs(first), 1e-9)) return false;
  let rising = 0;
  const recent = values.slice(-200);
  for (let i = 0; i < recent.length; i++) {
    for (let k = i + 1; k < recent.length; k++) rising += (recent[k] ?? 0) > (recent[i] ?? 0) ? 1 : 0;
  }
  return rising >= 0.8 * ((recent.length * (recent.length - 1)) / 2);
}

/** What the series was before: the engine's expectation, else the median of what the request itself tells. */
export function baselineOf(series: RequestSeries): number | undefined {
  const expected = series.last.detectors.find((score) => score.expected !== undefined)?.expected;
  if (expected !== undefined && Number.isFinite(expected)) return expected;
  const earlier = [...series.before, ...series.window.slice(0, -1)].map((each) => each.value);
  return earlier.length >= 3 ? median(earlier) : undefined;
}

/** The engine calls the newest sample anomalous. */
export const isAnomalous = (series: RequestSeries, threshold: number): boolean =>
  (series.last.detectors[0]?.score ?? 0) >= threshold;

function summaryOf(series: RequestSeries): SeriesSummary {
  const before = series.before.map((each) => each.value);
  const baseline = before.length >= 3 ? median(before) : undefined;
  return {
    metric: series.metric,
    ...(series.pod === undefined ? {} : { pod: series.pod }),
    ...(baseline === undefined ? {} : { baselineMedian: baseline }),
    current: series.last.value,
    climbingWindows: isClimbing(series) ? 3 : 0,
  };
}

function metricVerdictOf(series: RequestSeries): MetricVerdict {
  const { last } = series;
  const [decisive] = last.detectors;
  return {
    metric: series.metric,
    verdict: decisive ?? { kind: 'no-verdict', reason: 'InsufficientData', samples: last.samples },
    detectors: last.detectors,
    value: last.value,
    atMs: last.atMs,
  };
}

const NOBODY = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: '', name: 'NAME', uid: '' } as const;

function verdictOf(evidence: RequestEvidence): WorkloadVerdict {
  const known = evidence.kubernetes?.workload;
  const byPod = Map.groupBy(evidence.series, (series) => series.pod ?? '');
  const judge = (pod: PodRef, series: readonly RequestSeries[]): PodVerdict => {
    const score = Math.max(0, ...series.map((each) => each.last.detectors[0]?.score ?? 0));
    const isBad = score >= evidence.threshold;
    return { pod, state: isBad ? 'unhealthy' : 'healthy', score, metrics: series.map(metricVerdictOf), status: [] };
  };
  const pods = [...byPod].filter(([name]) => name !== '').map(([name, series]) => judge({ name, uid: name }, series));
  const whole = byPod.get('') ?? [];
  const score = Math.max(0, ...evidence.series.map((each) => each.last.detectors[0]?.score ?? 0));
  return {
    workload: known?.ref ?? NOBODY,
    atMs: evidence.nowMs,
    state: score >= evidence.threshold ? 'unhealthy' : 'healthy',
    score,
    pods,
    workloadMetrics: whole.map(metricVerdictOf),
  };
}

/** Lines that may carry a sign: warnings, errors, and what a runtime says of its heap at any level. */
const isTelling = (line: LogLine): boolean => line.level !== 'debug';

/** The request as an input of the classifier, whose "now" is the newest timestamp that was sent. */
export function diagnosisInputOf(evidence: RequestEvidence): DiagnosisInput {
  return {
    nowMs: evidence.nowMs,
    onsetAtMs: evidence.startMs,
    verdict: verdictOf(evidence),
    logs: evidence.logs.filter(isTelling),
    events: evidence.kubernetes?.events ?? [],
    nodes: evidence.kubernetes?.nodes ?? [],
    changes: evidence.kubernetes?.changes ?? [],
    series: evidence.series.map(summaryOf),
    ...(evidence.kubernetes?.workload === undefined ? {} : { workload: evidence.kubernetes.workload }),
    settings: { anomalyThreshold: evidence.threshold },
  };
}
