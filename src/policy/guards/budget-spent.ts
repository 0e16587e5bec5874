import { HOUR } from '../../lib/duration.ts';
import { limitsOf, overdraft, spending, withinScope } from '../budget.ts';
import type { Overdraft } from '../budget.ts';
import { effectiveGuardrail } from '../effective-guardrail.ts';
import type { Guard, GuardInput, Hold } from '../guard.ts';
import { hold, withLedger } from '../hold.ts';

const spent = ({ name, used, asked, limit, retryAtMs }: Overdraft): Hold =>
  hold('BudgetSpent', `${name}: ${used} spent and ${asked} asked, at most ${limit}`, retryAtMs);

/** The policy's own limit, in any hour. */
export const policyLimit = ({
  policy,
}: Pick<GuardInput, 'policy'>): { name: string; limit: number; windowMs: number } => ({
  name: `policy ${policy.name}, per hour`,
  limit: policy.limits.maxActionsPerHour,
  windowMs: HOUR,
});

/** Effects per minute and hour, in sliding windows over the ledger; each treated pod counts. */
export const budgetSpent: Guard = {
  name: 'budgetSpent',
  check: (input) =>
    withLedger(input, (ledger) => {
      const { nowMs, policy, guardrails, proposal, namespaces, selfName } = input;
      if (guardrails === undefined) return hold('GuardrailUnknown', 'the guardrails cannot be read');
      const rows = spending(ledger, selfName);
      const asked = Math.max(1, proposal.pods.length);
      const own = overdraft(
        rows.filter(({ policyUid }) => policyUid === policy.uid),
        policyLimit(input),
        asked,
        nowMs,
      );
      if (own !== undefined) return spent(own);
      for (const budget of effectiveGuardrail(guardrails).budgets) {
        const shared = withinScope(rows, budget, namespaces);
        for (const limit of limitsOf(budget)) {
          const over = overdraft(shared, limit, asked, nowMs);
          if (over !== undefined) return spent(over);
        }
      }
      return undefined;
    }),
};
