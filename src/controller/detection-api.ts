/**
 * Questions and answers of the detection service. The answers have the names of the wire contract, since these are
 * what existing clients read; the REST adapter adds nothing to them but a time stamp's text.
 */
import type { LogLine } from '../diagnosis/diagnosis.ts';
import type { ActionName } from '../policy/action.ts';
import type { Severity } from '../policy/severity.ts';

/** One sample of one series; the label set identifies the series. */
export interface MetricSample {
  /** `cpu_usage` and `memory_usage` in per cent, `error_rate` a ratio, `response_time` in ms, rates per second. */
  readonly metricType: string;
  readonly value: number;
  readonly atMs: number;
  readonly labels: Readonly<Record<string, string>>;
}

export interface AnomalyRequest {
  readonly metrics: readonly MetricSample[];
}

export interface FailureRequest extends AnomalyRequest {
  readonly logs: readonly LogLine[];
  /** Kubernetes evidence that the caller sends, as it stands under `context.kubernetes`. */
  readonly kubernetes?: unknown;
}

/** What one metric contributed: the worst of its series. */
export interface FeatureExplanation {
  /** Share of the whole score, 0-1; all of them sum to 1 unless all scores are 0. */
  readonly contribution: number;
  readonly score: number;
  readonly observed: number;
  readonly timestamp: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What was expected, with its band, where a detector knows it. */
  readonly baseline: { readonly expected: number | null; readonly low: number | null; readonly high: number | null };
  /** The detectors that spoke, the decisive one first. */
  readonly detectors: readonly { readonly detector: string; readonly feature: string; readonly score: number }[];
  /** Samples of this series learnt before this one. */
  readonly samples: number;
}

export interface Warning {
  readonly type: 'out_of_range';
  readonly metric_type: string;
  readonly value: number;
  readonly message: string;
}

interface AnomalyDetails {
  /** Features such as `cpu_usage_mean`, of the metrics that carry the anomaly; the most anomalous first. */
  readonly affected_features: readonly string[];
  /** How much the model knows of these series, 0-1: 1 once every one has its fill of samples. */
  readonly model_confidence: number;
  /** By metric type, the most anomalous first. */
  readonly features: Readonly<Record<string, FeatureExplanation>>;
  readonly threshold: number;
  readonly series: number;
  readonly warnings: readonly Warning[];
}

export interface AnomalyAnswer {
  readonly is_anomaly: boolean;
  readonly anomaly_score: number;
  readonly severity: Severity;
  readonly recommended_action: ActionName;
  readonly confidence: number;
  readonly affected_metrics: readonly string[];
  readonly details: AnomalyDetails;
  readonly timestamp: string;
}

export interface FailureAnswer {
  readonly failure_detected: boolean;
  readonly failure_type: string | null;
  readonly severity: Severity;
  readonly recommended_actions: readonly ActionName[];
  readonly confidence: number;
  readonly root_cause: string | null;
  readonly affected_services: readonly string[];
  readonly details: FailureDetails;
  readonly timestamp: string;
}

/** A failure type with what speaks for and against it. */
export interface FailureCandidate {
  readonly failure_type: string;
  readonly confidence: number;
  readonly evidence: readonly { readonly source: string; readonly what: string; readonly weight: number }[];
  readonly contradictions: readonly string[];
}

interface FailureDetails {
  /** Finest name that the evidence bears; may equal `failure_type`. */
  readonly failure_subtype: string | null;
  /** The nearest of the engine's four names. */
  readonly category: string | null;
  readonly severity_score: number;
  /** Top three. */
  readonly candidates: readonly FailureCandidate[];
  /** What would make the answer firmer. */
  readonly missing_evidence: readonly string[];
  /** What must hold in the cluster before the actions may be done. */
  readonly preconditions: readonly string[];
  /** Exact, copyable text for people. */
  readonly advice?: string;
  /** Why no finer type is named. */
  readonly abstained?: string;
  readonly warnings: readonly Warning[];
}

/** What the models know of themselves. */
interface ModelFacts {
  readonly series: number;
  /** Samples judged since this process started. */
  readonly samples: number;
  /** When the newest sample was learnt, epoch ms; absent: nothing was. */
  readonly trainedAtMs?: number;
}

/** One question, one answer, for REST and operator alike. Plain calls: no waiting, no clock. */
export interface DetectionService {
  detectAnomaly(request: AnomalyRequest, nowMs: number): AnomalyAnswer;
  detectFailure(request: FailureRequest, nowMs: number): FailureAnswer;
  /** The same answers in small steps, for a caller that lets others be served in between. */
  anomalyInSteps(request: AnomalyRequest, nowMs: number): Generator<void, AnomalyAnswer>;
  failureInSteps(request: FailureRequest, nowMs: number): Generator<void, FailureAnswer>;
  facts(): ModelFacts;
}
