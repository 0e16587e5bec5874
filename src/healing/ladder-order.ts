import type { FailureType } from '../diagnosis/failure-type.ts';
import type { WorkloadKind } from '../lib/workload.ts';
import { isEffect, type Step } from '../policy/action.ts';
import { usableEstimate, type Effectiveness } from '../policy/effectiveness.ts';

/** The failure at hand, and what is known of the effects against it; absent: nothing, and all stays as written. */
export interface Experience {
  readonly failureType: FailureType;
  readonly workloadKind: WorkloadKind;
  readonly effectiveness?: readonly Effectiveness[] | undefined;
}

/** The order in which the rungs are tried. */
export interface LadderOrder {
  /** Indices into the steps as written: an index names its rung whatever the order. */
  readonly order: readonly number[];
  /** By rung that goes before one that is written before it: why, as the end of a sentence. */
  readonly because: ReadonlyMap<number, string>;
}

/** Rungs next to each other that their author calls alternatives, as ranges of indices; all others stand alone. */
export function alternatives(steps: readonly Step[]): readonly (readonly number[])[] {
  const groups: number[][] = [];
  // Only effects are alternatives of one another: people are told last, whatever a ladder says.
  const groupOf = (step: Step | undefined): string | undefined =>
    step !== undefined && isEffect(step.action) ? step.group : undefined;
  for (const [index, step] of steps.entries()) {
    const last = groups.at(-1);
    const isSame = groupOf(step) !== undefined && groupOf(steps[index - 1]) === groupOf(step);
    if (isSame && last !== undefined) last.push(index);
    else groups.push([index]);
  }
  return groups;
}

/**
 * Puts alternatives in the order of what helped most; what is equal stays as written, as does everything that is no
 * alternative: a sequence that somebody wrote down is never changed.
 */
export function orderOf(steps: readonly Step[], experience: Experience): LadderOrder {
  const because = new Map<number, string>();
  const order = alternatives(steps).flatMap((group) => {
    const sorted = group.toSorted((a, b) => estimate(b) - estimate(a) || a - b);
    for (const [place, index] of sorted.entries()) {
      const overtaken = sorted.slice(place + 1).filter((other) => other < index);
      const [next] = overtaken;
      if (next !== undefined) because.set(index, `before ${name(next)}, since ${said(index)}, ${said(next)}`);
    }
    return sorted;
  });
  return { order, because };

  function known(index: number): Effectiveness | undefined {
    const { failureType, workloadKind, effectiveness = [] } = experience;
    return effectiveness.find(
      (each) =>
        each.failureType === failureType && each.workloadKind === workloadKind && each.action === steps[index]?.action,
    );
  }

  function estimate(index: number): number {
    return usableEstimate(known(index));
  }

  function name(index: number): string {
    return steps[index]?.action ?? `rung ${index}`;
  }

  function said(index: number): string {
    const of = known(index);
    return of === undefined || of.incidents === 0
      ? `${name(index)} was not tried yet`
      : `${name(index)} helped in ${rounded(of.helped)} of ${of.incidents} incidents`;
  }
}

const rounded = (value: number): string => String(Math.round(value * 10) / 10);
