import { effectiveGuardrail } from '../effective-guardrail.ts';
import type { Guard } from '../guard.ts';
import { counted, hold, withLedger } from '../hold.ts';
import { costOf, withinScope } from '../budget.ts';
import { begunEffects, openEffects } from '../track-record.ts';

/** One action per workload, from decided to verified, and a few in the cluster at once. */
export const inFlight: Guard = {
  name: 'inFlight',
  check: (input) =>
    withLedger(input, (ledger) => {
      const { workload, proposal, guardrails, namespaces, selfName } = input;
      if (guardrails === undefined) return hold('GuardrailUnknown', 'the guardrails cannot be read');
      const open = openEffects(ledger, selfName);
      const own = open.find(({ workloadUid }) => workloadUid === workload.ref.uid);
      if (own !== undefined) return hold('InFlight', `${own.action} ${own.name} is under way (${own.state})`);
      // What is only decided has not begun: counting it would let a few blocked actions stop the whole cluster.
      const begun = begunEffects(ledger, selfName);
      const asked = Math.max(1, proposal.pods.length);
      for (const budget of effectiveGuardrail(guardrails).budgets) {
        const running = withinScope(begun, budget, namespaces).reduce((sum, record) => sum + costOf(record), 0);
        const { maxConcurrent } = budget.limits;
        if (running + asked <= maxConcurrent) continue;
        return hold(
          'InFlight',
          `${counted(running, 'treatment')} under way and ${asked} asked, at most ${maxConcurrent} at once (guardrail ${budget.guardrail})`,
        );
      }
      return undefined;
    }),
};
