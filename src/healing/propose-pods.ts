import type { PodRef, PodSnapshot } from '../lib/workload.ts';
import { budgetLeft, costOf, limitsOf, spending, withinScope } from '../policy/budget.ts';
import { effectiveGuardrail } from '../policy/effective-guardrail.ts';
import { policyLimit } from '../policy/guards/budget-spent.ts';
import { roomFor } from '../policy/guards/blast-radius.ts';
import { roomInBudget } from '../policy/guards/disruption-budget.ts';
import type { EffectName } from '../policy/action.ts';
import { END_STATES, type ActionRecord } from '../policy/ledger.ts';
import { openEffects, sentEffects } from '../policy/track-record.ts';
import type { DecisionInput } from './decision-input.ts';
import { recordsAt } from './ladder.ts';
import { podsFoundGone } from './refused-lately.ts';

/**
 * Pods of the workload that carry the failure, exist, and were not treated so yet, in the diagnosis's order. What did not
 * help one pod at one rung does not spare it the next.
 */
export function candidatePods(input: DecisionInput, action: EffectName): PodSnapshot[] {
  const gone = podsFoundGone(input);
  return untreatedPods(input, action).filter(({ uid }) => !gone.has(uid));
}

/** The same with those that a live read found gone, and the caches still show. */
export function untreatedPods(input: DecisionInput, action: EffectName): PodSnapshot[] {
  const { diagnosis, incident, workload, ledger = [] } = input;
  const carriers = diagnosis.pods.length > 0 ? diagnosis.pods : incident.pods;
  const treated = new Set(
    sentEffects(ledger)
      .filter((record) => record.incidentId === incident.id && record.action === action && !sparedSome(record))
      .flatMap(({ podUids }) => podUids),
  );
  return carriers
    .map(({ uid }) => workload.pods.find((pod) => pod.uid === uid))
    .filter((pod): pod is PodSnapshot => pod !== undefined && !treated.has(pod.uid));
}

/** A wave that is over: those of its pods that still stand were spared, since a disruption budget cut it short. */
const sparedSome = ({ action, state, podUids }: ActionRecord): boolean =>
  action === 'restart_pod' && END_STATES.has(state) && podUids.length > 1;

/** Treatments that budgets and concurrency still allow now. */
function affordable(input: DecisionInput): number {
  const { ledger = [], guardrails = [], namespaces, policy, nowMs, selfName } = input;
  const rows = spending(ledger, selfName);
  const own = rows.filter(({ policyUid }) => policyUid === policy.uid);
  const begun = openEffects(ledger, selfName).filter(({ state }) => state === 'Executing' || state === 'Verifying');
  const shared = effectiveGuardrail(guardrails).budgets.map((budget) => {
    const running = withinScope(begun, budget, namespaces).reduce((sum, record) => sum + costOf(record), 0);
    return Math.min(
      budgetLeft(withinScope(rows, budget, namespaces), limitsOf(budget), nowMs),
      budget.limits.maxConcurrent - running,
    );
  });
  return Math.min(budgetLeft(own, [policyLimit(input)], nowMs), ...shared);
}

/**
 * The pods of this wave: one first, and after a wave that healed the rest within `maxDisrupted`, the owner's
 * PodDisruptionBudget and the budget left.
 * Never none: whether even one is too many, the guards say, with their reason.
 */
export function wave(pods: readonly PodSnapshot[], input: DecisionInput, step: number): PodRef[] {
  const { policy, workload, ledger = [], selfName } = input;
  const healedBefore = recordsAt(input, step).some(({ state, dryRun }) => state === 'Healed' && !dryRun);
  const widened = policy.limits.progressive === 'All' || healedBefore;
  const room = roomFor(pods, workload, policy.limits.maxDisrupted, openEffects(ledger, selfName));
  const most = Math.min(pods.length, room, roomInBudget(pods, workload), affordable(input));
  const size = widened ? Math.max(1, most) : 1;
  return pods.slice(0, size).map(({ name, uid }) => ({ name, uid }));
}
