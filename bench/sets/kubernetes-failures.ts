import { defaultLadder, refusalOf, situationOf } from '../../src/diagnosis/catalog.ts';
import { classify } from '../../src/diagnosis/classify.ts';
import type { Diagnosis } from '../../src/diagnosis/diagnosis.ts';
import { FAILURE_TYPES } from '../../src/diagnosis/failure-type.ts';
import type { FailureType } from '../../src/diagnosis/failure-type.ts';
import { REMEDY_EFFECTS } from '../../src/diagnosis/rung.ts';
import { generateFailures } from './kubernetes-failures/generate.ts';
import type { FailureCase } from './kubernetes-failures/generate.ts';

export const DEVELOPMENT_SEED = 1;
/** Never looked at while rules or weights were chosen. */
export const HELD_OUT_SEED = 77_003;

interface TypeFigures {
  readonly type: FailureType;
  readonly cases: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

export interface FailureFigures {
  readonly cases: number;
  readonly macroF1: number;
  /** Share of cases whose first effect does harm in the true type. */
  readonly harmfulRemedyRate: number;
  /** Share of out-of-taxonomy cases that are `unknown`. */
  readonly abstention: number;
  /** Expected calibration error of the top confidence, ten bins. */
  readonly calibrationError: number;
  readonly perType: readonly TypeFigures[];
  readonly rows: readonly CaseRow[];
}

/** One line of `--out`: case, ranking, top type, confidence. */
interface CaseRow {
  readonly case: string;
  readonly label: FailureType;
  readonly top: FailureType;
  readonly confidence: number;
  readonly ranking: readonly string[];
}

/** The effect that would be decided first: none if it abstains, or if the cause lies elsewhere. */
function firstEffect(diagnosis: Diagnosis, input: FailureCase['input']): string | undefined {
  if (diagnosis.abstained !== undefined || diagnosis.cause.kind !== 'self') return undefined;
  const situation = situationOf(diagnosis, input.workload?.replicas.desired ?? 1);
  const { failureType } = diagnosis;
  // clear_cache needs a declared cache, which these cases do not have.
  return defaultLadder(failureType, situation)
    .map((rung) => rung.action)
    .find(
      (action) =>
        action !== 'clear_cache' &&
        REMEDY_EFFECTS.includes(action) &&
        refusalOf(failureType, action, situation) === undefined,
    );
}

function isHarmful(diagnosis: Diagnosis, { label, input }: FailureCase): boolean {
  const effect = firstEffect(diagnosis, input);
  const action = REMEDY_EFFECTS.find((each) => each === effect);
  if (action === undefined) return false;
  return refusalOf(label, action, situationOf(diagnosis, input.workload?.replicas.desired ?? 1)) !== undefined;
}

const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

type Answer = Pick<CaseRow, 'label' | 'top'>;

function figuresOf(type: FailureType, rows: readonly Answer[]): TypeFigures {
  const mine = rows.filter((row) => row.label === type);
  const named = rows.filter((row) => row.top === type);
  const right = mine.filter((row) => row.top === type).length;
  const precision = named.length === 0 ? 1 : right / named.length;
  const recall = ratio(right, mine.length);
  return { type, cases: mine.length, precision, recall, f1: ratio(2 * precision * recall, precision + recall) };
}

function calibrationError(pairs: readonly { readonly confidence: number; readonly isRight: boolean }[]): number {
  let error = 0;
  for (let bin = 0; bin < 10; bin++) {
    const inside = pairs.filter((pair) => Math.min(9, Math.floor(pair.confidence * 10)) === bin);
    const mean = ratio(
      inside.reduce((sum, pair) => sum + pair.confidence, 0),
      inside.length,
    );
    const right = ratio(inside.filter((pair) => pair.isRight).length, inside.length);
    error += Math.abs(mean - right) * ratio(inside.length, pairs.length);
  }
  return error;
}

const macroF1 = (perType: readonly TypeFigures[]): number =>
  perType.reduce((sum, type) => sum + type.f1, 0) / perType.length;

/** What a look at the first reason that Kubernetes gives would say: the order is that of `kubectl describe`. */
const REASONS: readonly (readonly [RegExp, FailureType])[] = [
  [/OOMKilled/, 'oom_kill'],
  [/ImagePullBackOff|ErrImagePull|InvalidImageName/, 'image_error'],
  [/CreateContainerConfigError|CreateContainerError/, 'bad_config'],
  [/CrashLoopBackOff/, 'crash_loop'],
  [/Unschedulable|FailedScheduling/, 'unschedulable'],
  [/NodeNotReady/, 'node_not_ready'],
  [/MemoryPressure|DiskPressure|PIDPressure|Evicted/, 'node_pressure'],
];

/** The baseline: Kubernetes' own reasons, without metrics, logs, changes or weights. Macro F1 over the same cases. */
export function statusAlone(seed: number, perType: number): number {
  const rows = generateFailures(seed, perType).map(({ label, input }): Answer => {
    const told = JSON.stringify([input.workload, input.events, input.nodes]);
    return { label, top: REASONS.find(([reason]) => reason.test(told))?.[1] ?? 'unknown' };
  });
  return macroF1(FAILURE_TYPES.map((type) => figuresOf(type, rows)));
}

/** Classifies the generated set and scores the answers. */
export function runKubernetesFailures(seed: number, perType: number): FailureFigures {
  const cases = generateFailures(seed, perType);
  const judged = cases.map((each) => ({ each, diagnosis: classify(each.input) }));
  const rows = judged.map(({ each, diagnosis }) => ({
    case: each.name,
    label: each.label,
    top: diagnosis.failureType,
    confidence: diagnosis.confidence,
    ranking: diagnosis.candidates.map((candidate) => candidate.failureType),
  }));
  const perType_ = FAILURE_TYPES.map((type) => figuresOf(type, rows));
  const strange = rows.filter((row) => row.label === 'unknown');
  const named = judged.flatMap(({ each, diagnosis }) => {
    const top = diagnosis.candidates[0];
    return top === undefined ? [] : [{ confidence: top.confidence, isRight: top.failureType === each.label }];
  });
  return {
    cases: rows.length,
    macroF1: macroF1(perType_),
    harmfulRemedyRate: ratio(judged.filter(({ each, diagnosis }) => isHarmful(diagnosis, each)).length, rows.length),
    abstention: ratio(strange.filter((row) => row.top === 'unknown').length, strange.length),
    calibrationError: calibrationError(named),
    perType: perType_,
    rows,
  };
}
