import type { PodRef } from '../lib/workload.ts';
import type { Cause, Evidence } from './diagnosis.ts';
import type { Category, FailureType } from './failure-type.ts';
import type { Facts } from './facts.ts';
import { REMEDY_EFFECTS } from './rung.ts';
import type { RemedyAction, Rung } from './rung.ts';
import type { Trait } from './trait.ts';

/** What a ladder or a refusal may depend on. */
export interface Situation {
  /** Pods that carry the failure; 0 if the workload as a whole does. */
  readonly affectedPods: number;
  /** Pods that should run; 0 if not known. */
  readonly totalPods: number;
  /** Number of the attempt that is proposed for this action in the incident, 1 for the first. */
  readonly attempt: number;
  readonly traits: readonly Trait[];
}

/** One pod (not more) of a workload that has several. */
export const isOneOfSeveral = (situation: Situation): boolean =>
  situation.affectedPods === 1 && situation.totalPods > 1;

/** Evidence with the metrics that it rests on. */
export interface Finding extends Evidence {
  readonly metrics?: readonly string[];
}

/** What a failure type makes of the facts. */
export interface Assessment {
  readonly findings: readonly Finding[];
  /** Sentences; one is enough to abstain from the type. */
  readonly contradictions: readonly string[];
  /** Pods that carry this failure; absent: the pods that the verdict calls unhealthy. */
  readonly pods?: readonly PodRef[];
  /** Where the cause lies if this type holds; absent: in the workload itself. */
  readonly cause?: Cause;
  readonly traits?: readonly Trait[];
}

/** One failure type of `failures.md`: its rules, its ladder, what it refuses, what people are told. */
export interface FailureModel {
  readonly name: FailureType;
  /** The nearest of the four names of the REST contract. */
  readonly category: Category | null;
  assess(facts: Facts): Assessment;
  /** The default ladder; empty: alert at once. `alert_admin` at its end is understood. */
  ladder(situation: Situation): readonly Rung[];
  /** Why the action does harm in this type; undefined: it is not refused. */
  refuses(action: RemedyAction, situation: Situation): string | undefined;
  /** Exact, copyable text for people. */
  advice(facts: Facts): string;
}

/** Drops what did not hold. */
export const holding = <T>(items: readonly (T | undefined)[]): readonly T[] =>
  items.filter((item): item is T => item !== undefined);

/** A refusal of the listed actions, each with the same sentence. */
export const refusing =
  (actions: readonly RemedyAction[], why: string) =>
  (action: RemedyAction): string | undefined =>
    actions.includes(action) ? why : undefined;

/** A refusal of everything that changes the cluster. */
export const refusingEffects = (why: string) => refusing(REMEDY_EFFECTS, why);
