import type { FailureType } from '../diagnosis/failure-type.ts';
import { DAY } from '../lib/duration.ts';
import { WORKLOAD_KINDS, type WorkloadKind } from '../lib/workload.ts';
import { isEffect, type EffectName } from './action.ts';
import type { ActionRecord } from './ledger.ts';

/** Which effect, on which kind of workload, against which failure. */
export interface EffectCase {
  readonly failureType: FailureType;
  readonly action: EffectName;
  readonly workloadKind: WorkloadKind;
}

/** The fields of a case. */
export const CASE_FIELDS = ['failureType', 'action', 'workloadKind'] as const satisfies readonly (keyof EffectCase)[];

/** What one effect taught: whether it helped, judged by its metrics and by comparison with untreated peers. */
export interface Lesson extends EffectCase {
  /** Name of the action: the same one is a lesson once, however often it is read. */
  readonly name: string;
  readonly incidentId: string;
  readonly helped: boolean;
  readonly endedAtMs: number;
}

/** A person's word that what was learnt until then no longer counts; an absent field means every value of it. */
export interface EffectivenessReset extends Partial<EffectCase> {
  readonly atMs: number;
  readonly by: string;
  readonly reason: string;
}

/** How often an effect helped. */
export interface Effectiveness extends EffectCase {
  /** Incidents in which it was tried and judged. */
  readonly incidents: number;
  /** How many of them it helped in: each counts by the share of its effects that did, 0 to `incidents`. */
  readonly helped: number;
  /** Shrunk share of incidents in which it helps, 0 to 1: `estimateOf`. */
  readonly estimate: number;
}

/** What is older teaches nothing: releases and traffic have changed since. */
export const LESSONS_KEPT_MS = 90 * DAY;
/** With fewer incidents an effect counts as never tried. */
export const LEAST_INCIDENTS = 5;
/** Pseudo-incidents of the prior, half of them helped: Beta(2, 2). */
const PRIOR_INCIDENTS = 4;
/** What is assumed of an effect that was not tried often enough. */
export const PRIOR_ESTIMATE = 0.5;

/** No fact about the effect: nothing was seen of it, somebody took it back, or its time was over before it could show. */
const TEACHES_NOTHING = new Set(['NoFreshData', 'Reverted', 'RolloutUnderWay', 'SurgeGoesOn']);

/**
 * What an ended effect taught; `undefined`: nothing. Only what was sent and judged teaches. What recovered together with
 * its untreated peers (`RecoveredWithPeers`) did so without help, so it is a case in which the effect did not help.
 */
export function lessonOf(record: ActionRecord): Lesson | undefined {
  const { name, incidentId, failureType, action, state, reason = '', endedAtMs, spent, dryRun } = record;
  const workloadKind = WORKLOAD_KINDS.find((kind) => record.workload.startsWith(`${kind} `));
  if (!isEffect(action) || workloadKind === undefined || endedAtMs === undefined || !spent || dryRun) return undefined;
  const isJudged =
    state === 'Healed' ||
    ((state === 'Ineffective' || state === 'RolledBack') && !TEACHES_NOTHING.has(reason)) ||
    (state === 'Failed' && reason === 'RollbackFailed');
  if (!isJudged) return undefined;
  return { name, incidentId, failureType, action, workloadKind, endedAtMs, helped: state === 'Healed' };
}

/** Whether a reset speaks of this case. */
function covers(reset: EffectivenessReset, of: EffectCase): boolean {
  return CASE_FIELDS.every((field) => reset[field] === undefined || reset[field] === of[field]);
}

/**
 * The mean of the posterior of a beta-binomial model with the prior Beta(2, 2): (helped + 2) / (incidents + 4). It shrinks
 * towards one half, the more the fewer incidents there were (Gelman et al., Bayesian Data Analysis, 3rd ed., 2.4).
 */
export function estimateOf(helped: number, incidents: number): number {
  return (helped + PRIOR_INCIDENTS * PRIOR_ESTIMATE) / (incidents + PRIOR_INCIDENTS);
}

/** The estimate that an order may rest on: with too few incidents that of an effect never tried. */
export function usableEstimate(of: Pick<Effectiveness, 'incidents' | 'estimate'> | undefined): number {
  return of === undefined || of.incidents < LEAST_INCIDENTS ? PRIOR_ESTIMATE : of.estimate;
}

const keyOf = ({ failureType, action, workloadKind }: EffectCase): string => `${failureType}/${action}/${workloadKind}`;

/**
 * What the lessons come to, by case, in the order of its names. The effects of one incident depend on each other (waves
 * of one restart, attempts at one rung), so an incident is one trial, however many effects it had. `earlier`: what was
 * learnt elsewhere before, e.g. by the operator whose record is replayed.
 */
export function effectivenessOf(
  lessons: readonly Lesson[],
  resets: readonly EffectivenessReset[],
  nowMs: number,
  earlier: readonly Effectiveness[] = [],
): readonly Effectiveness[] {
  const standing = lessons.filter(
    (lesson) =>
      lesson.endedAtMs > nowMs - LESSONS_KEPT_MS &&
      !resets.some((reset) => lesson.endedAtMs <= reset.atMs && covers(reset, lesson)),
  );
  const before = earlier.filter((each) => !resets.some((reset) => covers(reset, each)));
  const cases = new Map([...before, ...standing].map((each) => [keyOf(each), each]));
  return [...cases]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, { failureType, action, workloadKind }]) => {
      const known = before.find((each) => keyOf(each) === key);
      const byIncident = [
        ...Map.groupBy(
          standing.filter((lesson) => keyOf(lesson) === key),
          ({ incidentId }) => incidentId,
        ).values(),
      ];
      const incidents = (known?.incidents ?? 0) + byIncident.length;
      const helped = byIncident.reduce((sum, tried) => sum + shareThatHelped(tried), known?.helped ?? 0);
      return { failureType, action, workloadKind, incidents, helped, estimate: estimateOf(helped, incidents) };
    });
}

const shareThatHelped = (tried: readonly Lesson[]): number =>
  tried.filter(({ helped }) => helped).length / tried.length;
