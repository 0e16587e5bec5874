import type { Engine } from '../detection/engine-input.ts';
import { detectFailure } from '../diagnosis/detect-failure.ts';
import type { JudgedMetric } from '../diagnosis/request-evidence.ts';
import { anomalyAnswer, summarise } from './anomaly-answer.ts';
import type {
  AnomalyAnswer,
  AnomalyRequest,
  DetectionService,
  FailureAnswer,
  FailureRequest,
} from './detection-api.ts';
import { failureAnswer } from './failure-answer.ts';
import { createRequestJudge, type JudgedSample } from './request-judge.ts';
import type { ModelMemory } from './request-memory.ts';

export interface DetectionServiceSetting {
  /** Remembers what the service is asked about. Not the operator's own: no caller may bend that one's memory. */
  readonly engine: Engine;
  /** A second, empty engine for samples that cannot join their series' history. */
  readonly scratch: Engine;
  /** `ANOMALY_THRESHOLD`: a score from here on is an anomaly. */
  readonly anomalyThreshold: number;
  /** `MIN_SAMPLES_FOR_TRAINING`. */
  readonly minSamples: number;
  /** `FAILURE_DETECTION_WINDOW`, back from the newest timestamp of a request. */
  readonly failureWindowMs: number;
  /** Series remembered before the longest silent ones are forgotten; as many more may have been seen once. */
  readonly maxSeries?: number;
}

/** 3 kB each, 7 kB more for one that lives for hours; 200 bytes for one that was seen once. */
const MAX_SERIES = 10_000;

/** A service whose memory can be kept over restarts. */
export type RememberingService = DetectionService & { readonly memory: ModelMemory };

/** The one service that answers what is anomalous and what failed, over whichever engine it is given. */
export function createDetectionService(setting: DetectionServiceSetting): RememberingService {
  const judge = createRequestJudge({ ...setting, maxSeries: setting.maxSeries ?? MAX_SERIES });
  let trainedAtMs: number | undefined;

  function* anomaly({ metrics }: AnomalyRequest, nowMs: number): Generator<void, AnomalyAnswer> {
    const summary = summarise();
    yield* judge.judge(metrics, nowMs, (judged) => summary.add(judged));
    trainedAtMs = nowMs;
    return anomalyAnswer(summary, setting, nowMs);
  }

  function* failure({ metrics, logs, kubernetes }: FailureRequest, nowMs: number): Generator<void, FailureAnswer> {
    const summary = summarise();
    const samples: JudgedMetric[] = [];
    yield* judge.judge(metrics, nowMs, (judged) => {
      summary.add(judged);
      samples.push(toJudgedMetric(judged));
    });
    if (metrics.length > 0) trainedAtMs = nowMs;
    const finding = detectFailure({
      metrics: samples,
      logs,
      windowMs: setting.failureWindowMs,
      anomalyThreshold: setting.anomalyThreshold,
      nowMs,
      ...(kubernetes === undefined ? {} : { kubernetes }),
    });
    return failureAnswer(finding, summary.warnings(), nowMs);
  }

  return {
    detectAnomaly: (request, nowMs) => toEnd(anomaly(request, nowMs)),
    detectFailure: (request, nowMs) => toEnd(failure(request, nowMs)),
    anomalyInSteps: anomaly,
    failureInSteps: failure,
    memory: judge.memory,
    facts: () => ({
      series: judge.memory.seriesCount(),
      samples: judge.samplesJudged(),
      ...(trainedAtMs === undefined ? {} : { trainedAtMs }),
    }),
  };
}

function toEnd<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

function toJudgedMetric({ sample, seriesKey, detectors, samples }: JudgedSample): JudgedMetric {
  return {
    seriesKey,
    metric: sample.metricType,
    value: sample.value,
    atMs: sample.atMs,
    labels: sample.labels,
    detectors,
    samples,
  };
}
