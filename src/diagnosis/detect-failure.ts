import { categoryOf, FAILURE_MODELS, situationOf } from './catalog.ts';
import { diagnose } from './classify.ts';
import type { Candidate, Diagnosis, LogLine } from './diagnosis.ts';
import { CATEGORIES } from './failure-type.ts';
import type { Category, FailureType } from './failure-type.ts';
import { gatherFacts } from './facts.ts';
import type { Facts } from './facts.ts';
import { bounded } from './metric-shape.ts';
import { diagnosisInputOf, gatherRequest, isAnomalous } from './request-evidence.ts';
import type { FailureQuestion, RequestEvidence, RequestSeries } from './request-evidence.ts';
import type { RemedyAction } from './rung.ts';
import { actionsForCategory, actionsForType, preconditionsOf } from './wire-actions.ts';
import { readLines, rulesThatHold } from './wire-name.ts';
import type { ReadLine, RuleHit } from './wire-name.ts';

/** The answer to a request, free of the wire's field names. */
export interface FailureFinding {
  readonly failureDetected: boolean;
  /** One of the four names, a finer type, `unknown`, or null where nothing failed. */
  readonly failureType: FailureType | Category | null;
  /** Finest name that the evidence bears. */
  readonly subtype: FailureType | Category | null;
  readonly category: Category | null;
  /** 0-1; 0.5 on text alone. */
  readonly severityScore: number;
  readonly confidence: number;
  /** Never empty. */
  readonly recommendedActions: readonly RemedyAction[];
  /** A sentence that a person can act on; null where nothing failed. */
  readonly rootCause: string | null;
  readonly affectedServices: readonly string[];
  readonly candidates: readonly Candidate[];
  /** What would make the answer firmer. */
  readonly missingEvidence: readonly string[];
  /** What must hold in the cluster before the actions may be done. */
  readonly preconditions: readonly string[];
  /** Exact text for people; absent where nothing failed. */
  readonly advice?: string;
  /** Why no finer type is named. */
  readonly abstained?: string;
}

const TEXT_CONFIDENCE = 0.5;
/** A single vague line (“connection timeout”) bears no finer name; “no space left on device” does. */
const TEXT_NAME_CONFIDENCE = 0.35;
/** A rule that holds on numbers is a failure by definition, however short the history of the series. */
const RULE_SCORE = 0.7;
const RULE_CONFIDENCE = { text: 0.4, metric: 0.5, both: 0.6 } as const;
const MAX_SERVICES = 20;

interface Judged {
  readonly evidence: RequestEvidence;
  readonly lines: readonly ReadLine[];
  readonly rules: readonly RuleHit[];
  readonly facts: Facts;
  readonly diagnosis: Diagnosis;
}

/** Names the failure in a request by the rules of `failures.md`, section 1. Pure: time is what was sent. */
export function detectFailure(question: FailureQuestion): FailureFinding {
  const evidence = gatherRequest(question);
  const lines = readLines(evidence.logs);
  const told = new Map(lines.map(({ line, signatures }) => [line, signatures]));
  const facts = gatherFacts(diagnosisInputOf(evidence), (line) => told.get(line) ?? []);
  const judged = { evidence, lines, rules: rulesThatHold(evidence, lines), facts, diagnosis: diagnose(facts) };
  const named = nameOf(judged);
  return named === undefined ? nothingFailed(judged) : answer(judged, named);
}

/** How the answer is named, and how sure it is. */
interface Naming {
  readonly failureType: FailureType | Category;
  readonly subtype: FailureType | Category;
  /** The finer type, where the evidence bears one. */
  readonly finer?: FailureType;
  readonly confidence: number;
}

/** All evidence of the type is text, and nothing contradicts it. */
const isByText = ({ evidence, contradictions }: Candidate): boolean =>
  contradictions.length === 0 && evidence.every((each) => each.source === 'log' || each.weight <= 0);

/** The best candidate, where nothing but the missing numbers speaks against it. */
function typeFromText({ diagnosis, lines }: Judged): FailureType | undefined {
  const top = diagnosis.candidates[0];
  if (diagnosis.failureType !== 'unknown' || top === undefined || lines.length === 0) return undefined;
  const second = diagnosis.candidates[1]?.confidence ?? 0;
  const isClear = top.confidence >= TEXT_NAME_CONFIDENCE && top.confidence > second;
  return isByText(top) && isClear ? top.failureType : undefined;
}

/** Lines tell of several failures, none before the others: that something failed is as sure as with one of them. */
function isToldOfSeveral({ diagnosis: { candidates }, lines }: Judged): boolean {
  const told = candidates.filter(isByText).reduce((sum, each) => sum + each.confidence, 0);
  return lines.length > 0 && candidates.length > 1 && candidates.every(isByText) && told >= TEXT_NAME_CONFIDENCE;
}

/** Anomalous, and for worse: more requests alone harm nobody. */
function isHarm(series: RequestSeries, threshold: number): boolean {
  if (!isAnomalous(series, threshold)) return false;
  const decisive = series.last.detectors[0];
  return series.metric !== 'request_rate' || (decisive?.expected ?? Infinity) > series.last.value;
}

function nameOf(judged: Judged): Naming | undefined {
  const { diagnosis, evidence, rules } = judged;
  const rule = rules[0];
  const certain = diagnosis.failureType === 'unknown' ? undefined : diagnosis.failureType;
  const byText = certain === undefined ? typeFromText(judged) : undefined;
  const finer = certain ?? byText;
  const confidence = certain === undefined ? textConfidence(judged) : diagnosis.confidence;
  const hasStatus = evidence.kubernetes !== undefined;
  if (rule !== undefined && !(hasStatus && certain !== undefined)) {
    const sure = certain === undefined ? ruleConfidence(rule, rules) : confidence;
    return {
      failureType: rule.name,
      subtype: finer ?? rule.name,
      ...(certain === undefined ? {} : { finer: certain }),
      confidence: sure,
    };
  }
  if (finer !== undefined) return { failureType: finer, subtype: finer, finer, confidence };
  return isUnexplainedHarm(judged) || isToldOfSeveral(judged) ? unexplained(diagnosis) : undefined;
}

const unexplained = (diagnosis: Diagnosis): Naming => ({
  failureType: 'unknown',
  subtype: 'unknown',
  finer: 'unknown',
  confidence: Math.min(diagnosis.confidence, TEXT_CONFIDENCE),
});

function isUnexplainedHarm({ evidence }: Judged): boolean {
  const isDown = evidence.kubernetes?.workload?.pods.some((pod) => !pod.ready) ?? false;
  return isDown || evidence.series.some((series) => isHarm(series, evidence.threshold));
}

const textConfidence = ({ diagnosis }: Judged): number =>
  Math.min(TEXT_CONFIDENCE, diagnosis.candidates[0]?.confidence ?? 0);

/** Honest and low: the name of a rule, with the finer type open. */
function ruleConfidence(rule: RuleHit, rules: readonly RuleHit[]): number {
  const hasText = rules.some((each) => each.lines.length > 0);
  const hasMetric = rules.some((each) => each.series.length > 0);
  if (hasText && hasMetric) return RULE_CONFIDENCE.both;
  if (rule.series.length > 0) return RULE_CONFIDENCE.metric;
  return rule.lines.length > 1 ? TEXT_CONFIDENCE : RULE_CONFIDENCE.text;
}

function answer(judged: Judged, named: Naming): FailureFinding {
  const { diagnosis, facts, rules } = judged;
  const category = CATEGORIES.find((each) => each === named.failureType) ?? categoryOf(named.finer ?? 'unknown');
  const situation = situationOf(diagnosis, facts.total);
  const actions =
    named.finer === undefined
      ? actionsForCategory(rules[0]?.name ?? 'service_down')
      : actionsForType(named.finer, situation);
  return {
    failureDetected: true,
    failureType: named.failureType,
    subtype: named.subtype,
    category,
    severityScore: severityOf(judged),
    confidence: bounded(named.confidence),
    recommendedActions: actions,
    rootCause: rootCauseOf(judged, named),
    affectedServices: affectedServices(judged),
    candidates: diagnosis.candidates,
    missingEvidence: missingEvidence(judged.evidence),
    preconditions: preconditionsOf(actions),
    advice: FAILURE_MODELS[named.finer ?? 'unknown'].advice(facts),
    ...(diagnosis.abstained === undefined ? {} : { abstained: diagnosis.abstained }),
  };
}

function nothingFailed({ evidence, diagnosis }: Judged): FailureFinding {
  const worst = Math.max(0, ...evidence.series.map((series) => series.last.detectors[0]?.score ?? 0));
  return {
    failureDetected: false,
    failureType: null,
    subtype: null,
    category: null,
    severityScore: bounded(worst),
    confidence: bounded(1 - worst),
    recommendedActions: ['no_action'],
    rootCause: null,
    affectedServices: [],
    candidates: diagnosis.candidates,
    missingEvidence: missingEvidence(evidence),
    preconditions: [],
  };
}

/** The worst metric in the evidence of rules and type; 0.5 on text alone. */
function severityOf({ rules, diagnosis, evidence }: Judged): number {
  const ruled = rules
    .flatMap((rule) => rule.series)
    .map((series) => Math.max(RULE_SCORE, series.last.detectors[0]?.score ?? 0));
  const hasNumbers = evidence.series.length > 0 || evidence.kubernetes !== undefined;
  return bounded(Math.max(TEXT_CONFIDENCE, ...ruled, hasNumbers ? diagnosis.severityScore : 0));
}

function rootCauseOf({ rules, diagnosis }: Judged, named: Naming): string {
  const because = rules.map((rule) => rule.because).join('; ');
  if (named.finer !== undefined && named.finer !== 'unknown')
    return because === '' ? diagnosis.summary : `${diagnosis.summary}; ${because}`;
  return because === '' ? diagnosis.summary : `${named.failureType}: ${because}`;
}

const serviceOf = (labels: Readonly<Record<string, string>>): string | undefined =>
  labels['service'] ?? labels['app'] ?? labels['deployment'] ?? labels['pod'];

/** Services whose lines or series carry the failure, by name. */
function affectedServices({ rules, lines, evidence }: Judged): readonly string[] {
  const isAlarming = (line: LogLine): boolean => line.level === 'error' || line.level === 'warn';
  const told = [...rules.flatMap((rule) => rule.lines), ...lines.map((read) => read.line).filter(isAlarming)];
  const measured = [
    ...rules.flatMap((rule) => rule.series),
    ...evidence.series.filter((series) => isHarm(series, evidence.threshold)),
  ];
  const names = [...told.map((line) => line.service), ...measured.flatMap((series) => serviceOf(series.labels) ?? [])];
  const workload = evidence.kubernetes?.workload?.ref.name;
  const all = workload === undefined || workload === 'NAME' ? names : [...names, workload];
  return [...new Set(all.filter((name) => name !== ''))].sort().slice(0, MAX_SERVICES);
}

const TELLING_METRICS = ['error_rate', 'response_time', 'request_rate', 'cpu_usage', 'memory_usage'];

function missingEvidence(evidence: RequestEvidence): readonly string[] {
  const sent = new Set(evidence.series.map((series) => series.metric));
  const lonely = evidence.series.filter(
    (series) => series.last.samples === 0 && series.window.length + series.before.length < 3,
  );
  return [
    ...TELLING_METRICS.filter((metric) => !sent.has(metric)).map((metric) => `metric ${metric}`),
    ...(lonely.length > 0
      ? [`history of ${[...new Set(lonely.map((series) => series.metric))].sort().join(', ')}`]
      : []),
    ...(evidence.logs.length === 0 ? ['log lines'] : []),
    ...(evidence.kubernetes === undefined ? ['Kubernetes status (context.kubernetes)'] : []),
  ];
}
