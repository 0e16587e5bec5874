import { SECOND } from '../../lib/duration.ts';
import type { PodSnapshot, WorkloadSnapshot } from '../../lib/workload.ts';
import type { Guard, GuardInput, Hold } from '../guard.ts';
import { hold } from '../hold.ts';

/** A budget that allows nothing is asked again so often. */
const BUDGET_RETRY_MS = 30 * SECOND;

/**
 * A pod that is not ready may go under some budgets that allow no disruption; the API server's dry run decides that,
 * since the healthy count is its own.
 */
function forEviction({ workload, nowMs }: GuardInput, treated: readonly PodSnapshot[]): Hold | undefined {
  const [budget, another] = workload.disruptionBudgets;
  if (budget === undefined) return undefined;
  if (another !== undefined) {
    return hold('BudgetMisconfigured', `the budgets ${budget.name} and ${another.name} select the same pods`);
  }
  const ready = treated.filter((pod) => pod.ready).length;
  if (ready <= budget.disruptionsAllowed) return undefined;
  const advice =
    ready < treated.length && budget.unhealthyPodEvictionPolicy !== 'AlwaysAllow'
      ? '; unhealthyPodEvictionPolicy: AlwaysAllow would let those go that are not ready'
      : '';
  return hold(
    'DisruptionBudget',
    `the budget ${budget.name} allows ${budget.disruptionsAllowed} disruptions now, ${ready} are asked${advice}`,
    nowMs + BUDGET_RETRY_MS,
  );
}

/** How many of these pods the budget lets go now, in their order; one that is not ready is the server's to judge. */
export function roomInBudget(
  pods: readonly PodSnapshot[],
  { disruptionBudgets: [budget] }: Pick<WorkloadSnapshot, 'disruptionBudgets'>,
): number {
  if (budget === undefined) return pods.length;
  let ready = 0;
  const over = pods.findIndex((pod) => pod.ready && ++ready > budget.disruptionsAllowed);
  return over < 0 ? pods.length : over;
}

/** A PodDisruptionBudget that allows no eviction, or fewer pods than a step down would take. */
export const disruptionBudget: Guard = {
  name: 'disruptionBudget',
  appliesTo: ['restart_pod', 'scale_down'],
  check: (input) => {
    const { proposal, workload, nowMs } = input;
    const { action, parameters } = proposal;
    if (action === 'scale_down' && parameters.kind === 'scale') {
      const taken = parameters.from - parameters.to;
      const tight = workload.disruptionBudgets.find(({ disruptionsAllowed }) => disruptionsAllowed < taken);
      return tight === undefined
        ? undefined
        : hold(
            'DisruptionBudget',
            `the budget ${tight.name} allows ${tight.disruptionsAllowed} disruptions now, ${taken} pods would go`,
            nowMs + BUDGET_RETRY_MS,
          );
    }
    if (parameters.kind !== 'restart' || parameters.how !== 'evict') return undefined;
    return forEviction(
      input,
      workload.pods.filter(({ uid }) => proposal.pods.some((pod) => pod.uid === uid)),
    );
  },
};
