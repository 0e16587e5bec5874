import { isEffect } from './action.ts';
import type { Guard, GuardInput, Hold } from './guard.ts';
import { actionNotAllowed } from './guards/action-not-allowed.ts';
import { alertFiring } from './guards/alert-firing.ts';
import { attemptsSpent } from './guards/attempts-spent.ts';
import { backoff } from './guards/backoff.ts';
import { blastRadius } from './guards/blast-radius.ts';
import { budgetSpent } from './guards/budget-spent.ts';
import { cooldown } from './guards/cooldown.ts';
import { correlatedCause } from './guards/correlated-cause.ts';
import { decisionOutdated } from './guards/decision-outdated.ts';
import { disruptionBudget } from './guards/disruption-budget.ts';
import { excluded } from './guards/excluded.ts';
import { flapping } from './guards/flapping.ts';
import { harmfulForType } from './guards/harmful-for-type.ts';
import { historyUnavailable } from './guards/history-unavailable.ts';
import { inFlight } from './guards/in-flight.ts';
import { ineffectiveChain } from './guards/ineffective-chain.ts';
import { insufficientEvidence } from './guards/insufficient-evidence.ts';
import { lowConfidence } from './guards/low-confidence.ts';
import { notLeader } from './guards/not-leader.ts';
import { oppositeScaling } from './guards/opposite-scaling.ts';
import { outsideWindow } from './guards/outside-window.ts';
import { paused } from './guards/paused.ts';
import { policyConflict } from './guards/policy-conflict.ts';
import { policyEngine } from './guards/policy-engine.ts';
import { preconditionFails } from './guards/precondition-fails.ts';
import { protectedTarget } from './guards/protected-target.ts';
import { reverted } from './guards/reverted.ts';
import { rolloutInProgress } from './guards/rollout-in-progress.ts';
import { ruleDenies } from './guards/rule-denies.ts';
import { staleEvidence } from './guards/stale-evidence.ts';
import { stormActive } from './guards/storm-active.ts';
import { suspended } from './guards/suspended.ts';
import { tooYoung } from './guards/too-young.ts';
import { youngModel } from './guards/young-model.ts';

/**
 * All blockers, in the order of the gate (`actions.md` 4), before anything is spent. The order decides which reason is
 * shown first, not whether something is held: every guard is asked. What needs the least explaining comes first.
 */
export const GUARDS: readonly Guard[] = [
  notLeader, //             1  who may act at all
  suspended, //             2  the administrator's kill switch
  paused, //                2  the owner's pause
  decisionOutdated, //      3  the incident is over, or the target is another object of the same name
  protectedTarget, //       4  never touched, whatever is selected
  excluded, //              4  hands off, by mark
  actionNotAllowed, //      4  guardrail or missing right
  staleEvidence, //         5  too old to act on
  insufficientEvidence, //  5  the last poll does not say so of these pods
  youngModel, //            5  learnt lately and by nothing else confirmed
  harmfulForType, //        5  before confidence: what harms the type at hand is not retried when it gets surer
  lowConfidence, //         5  not sure enough
  stormActive, //           6  many at once share a cause
  correlatedCause, //       6  something else explains it
  rolloutInProgress, //     6  between two versions
  tooYoung, //              6  still starting
  outsideWindow, //         7  closed by schedule
  alertFiring, //           7  closed by an alert
  preconditionFails, //     8  who owns the replicas, and all else that the action needs
  policyConflict, //        8  another policy has precedence
  historyUnavailable, //    9  before those who read it, so that its absence is named once as itself
  inFlight, //              9  one at a time
  reverted, //              9  people only: somebody does not want it
  ineffectiveChain, //      9  people only: before the waits, which would end
  flapping, //              9  people only
  attemptsSpent, //         9  five an incident
  cooldown, //              9  the last effect is too recent
  backoff, //               9  longer after each failure
  oppositeScaling, //       9  no see-saw
  blastRadius, //          10  too many pods down
  disruptionBudget, //     10  the owner's PodDisruptionBudget
  budgetSpent, //          10  sliding windows; nothing is reserved here
  ruleDenies, //           11  CEL rules
  policyEngine, //         11  last: it costs a call, which is made only when nothing else holds
];

export interface ChainResult {
  /** The first hold in the order of the gate; absent: all let pass. */
  readonly first?: Hold;
  readonly all: readonly Hold[];
}

/**
 * Asks every guard. `alert_admin` and `no_action` change nothing and pass: people are told in a storm, outside of
 * windows, while paused and with the kill switch on.
 */
export function runChain(input: GuardInput): ChainResult {
  if (!isEffect(input.proposal.action)) return { all: [] };
  const all = GUARDS.flatMap((guard) => guard.check(input) ?? []);
  const [first] = all;
  return first === undefined ? { all } : { first, all };
}
