import type { ActionName } from '../policy/action.ts';
import { isoTime } from '../lib/iso-time.ts';
import { sortFew } from '../lib/sort-few.ts';
import { severityOf } from '../policy/severity.ts';
import type { AnomalyAnswer, FeatureExplanation, MetricSample, Warning } from './detection-api.ts';
import type { JudgedSample } from './request-judge.ts';

/** What the answer depends on beside the judged samples. */
export interface AnswerSetting {
  readonly anomalyThreshold: number;
  readonly minSamples: number;
}

/** The worst sample of each metric type, the most anomalous type first. */
export type WorstByMetric = readonly JudgedSample[];

/** What is kept of a request while its samples are judged: a bounded summary, however many there are. */
export interface RequestSummary {
  add(judged: JudgedSample): void;
  worst(): WorstByMetric;
  series(): number;
  warnings(): readonly Warning[];
}

const MAX_FEATURES = 20;
const MAX_WARNINGS = 100;

export function summarise(): RequestSummary {
  const worst = new Map<string, JudgedSample>();
  const series = new Set<string>();
  const warnings: Warning[] = [];
  return {
    add: (judged) => {
      series.add(judged.seriesKey);
      const known = worst.get(judged.sample.metricType);
      // At equal scores the latest sample speaks: it is the present.
      if (known === undefined || judged.score >= known.score) worst.set(judged.sample.metricType, judged);
      const warning = warnings.length < MAX_WARNINGS ? rangeWarning(judged.sample) : undefined;
      if (warning !== undefined) warnings.push(warning);
    },
    worst: () => sortFew([...worst.values()], (a, b) => a.score > b.score),
    series: () => series.size,
    warnings: () => warnings,
  };
}

/** Combines the judged samples into the answer of the contract: the worst metric decides. */
export function anomalyAnswer(summary: RequestSummary, setting: AnswerSetting, nowMs: number): AnomalyAnswer {
  const worst = summary.worst();
  const score = worst[0]?.score ?? 0;
  const affected = worst.filter((one) => one.score >= setting.anomalyThreshold);
  const knowledge = modelConfidence(worst, setting.minSamples);
  return {
    is_anomaly: affected.length > 0,
    anomaly_score: score,
    severity: severityOf(score),
    recommended_action: recommendedAction(affected),
    confidence: confidenceOf(score, knowledge, setting.anomalyThreshold),
    affected_metrics: affected.map((one) => one.sample.metricType),
    details: {
      affected_features: affected.map((one) => `${one.sample.metricType}_${statisticOf(one)}`),
      model_confidence: knowledge,
      features: featuresOf(worst),
      threshold: setting.anomalyThreshold,
      series: summary.series(),
      warnings: summary.warnings(),
    },
    timestamp: isoTime(nowMs),
  };
}

/**
 * The action from metrics alone (failures.md, 5): it follows the metric that contributes most, and is advice to the
 * caller. Nothing anomalous: `no_action`.
 */
export function recommendedAction(affected: WorstByMetric): ActionName {
  const [first] = affected;
  if (first === undefined) return 'no_action';
  const isCritical = severityOf(first.score) === 'critical';
  switch (first.sample.metricType) {
    case 'cpu_usage':
      return 'scale_up';
    case 'memory_usage':
      return isCritical ? 'restart_pod' : 'clear_cache';
    case 'request_rate':
      if (isBelowExpected(first)) return 'alert_admin';
      return isCritical ? 'throttle_api' : 'scale_up';
    case 'response_time':
      return affected.some(isLoad) ? 'scale_up' : 'alert_admin';
    default:
      return 'alert_admin';
  }
}

const isBelowExpected = ({ decisive, sample }: JudgedSample): boolean =>
  decisive?.expected !== undefined && sample.value < decisive.expected;

const isLoad = (one: JudgedSample): boolean =>
  one.sample.metricType === 'cpu_usage' || (one.sample.metricType === 'request_rate' && !isBelowExpected(one));

/** 0.5 without any history, 1 once every metric's series has the samples that training asks for. */
function modelConfidence(worst: WorstByMetric, minSamples: number): number {
  if (worst.length === 0) return 0;
  const learnt = worst.reduce((sum, one) => sum + Math.min(1, one.samples / Math.max(1, minSamples)), 0);
  return round(0.5 + (0.5 * learnt) / worst.length);
}

/** Grows with what the model knows and with the distance from the line between anomaly and none. */
function confidenceOf(score: number, knowledge: number, threshold: number): number {
  const room = score >= threshold ? 1 - threshold : threshold;
  const clearness = room === 0 ? 1 : Math.min(1, Math.abs(score - threshold) / room);
  return round(knowledge * 0.6 + 0.2 + clearness * 0.2);
}

function featuresOf(worst: WorstByMetric): Record<string, FeatureExplanation> {
  const total = worst.reduce((sum, one) => sum + one.score, 0);
  // Defined, not assigned: a metric may be called `constructor`.
  return Object.fromEntries(worst.slice(0, MAX_FEATURES).map((one) => [one.sample.metricType, explain(one, total)]));
}

function explain(one: JudgedSample, total: number): FeatureExplanation {
  const { decisive, sample } = one;
  return {
    contribution: total === 0 ? 0 : round(one.score / total),
    score: one.score,
    observed: sample.value,
    timestamp: isoTime(sample.atMs),
    labels: sample.labels,
    baseline: {
      expected: finiteOrNull(decisive?.expected),
      low: finiteOrNull(decisive?.band?.[0]),
      high: finiteOrNull(decisive?.band?.[1]),
    },
    detectors: one.detectors.map(({ detector, feature, score }) => ({ detector, feature, score: round(score) })),
    samples: one.samples,
  };
}

/** The statistic that the engine's clients know a feature by. */
function statisticOf({ decisive }: JudgedSample): string {
  switch (decisive?.detector) {
    case 'trend':
      return 'trend';
    case 'peers':
      return 'peer';
    default:
      if (decisive?.feature.startsWith('range') === true) return 'max';
      return decisive?.feature.startsWith('variance') === true ? 'std' : 'mean';
  }
}

const RANGES: Readonly<Record<string, readonly [low: number, high: number]>> = {
  cpu_usage: [0, 100],
  memory_usage: [0, 100],
  error_rate: [0, 1],
  response_time: [0, Infinity],
  request_rate: [0, Infinity],
  disk_io: [0, Infinity],
};

/** Values outside their unit are judged all the same; the caller is told, since the unit is likely another. */
function rangeWarning({ metricType, value }: MetricSample): Warning | undefined {
  const range = Object.hasOwn(RANGES, metricType) ? RANGES[metricType] : undefined;
  if (range === undefined || (value >= range[0] && value <= range[1])) return undefined;
  const message =
    range[1] === Infinity
      ? `${metricType} is never negative`
      : `${metricType} lies between ${range[0]} and ${range[1]}`;
  return { type: 'out_of_range', metric_type: metricType, value, message };
}

const finiteOrNull = (value: number | undefined): number | null =>
  value === undefined || !Number.isFinite(value) ? null : value;

const round = (value: number): number => Math.round(value * 1e4) / 1e4;
