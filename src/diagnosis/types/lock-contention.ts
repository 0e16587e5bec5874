import { waitsNotWorks } from '../discriminators.ts';
import type { FailureModel } from '../failure-model.ts';
import { holding, refusing } from '../failure-model.ts';
import { claim, given, goes, metric, read, told } from '../findings.ts';
import { RUNGS } from '../rung.ts';
import { described } from '../sentences.ts';
import { WEIGHTS } from '../weights.ts';

const BLOCKERS =
  'SELECT pid, pg_blocking_pids(pid), query FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0;';

/** Transactions wait for one another. */
export const lockContention: FailureModel = {
  name: 'lock_contention',
  category: 'high_latency',
  assess(facts) {
    const isTold = facts.logs.has('lock') || facts.metric('lock_waits').direction === 'up';
    const waits = waitsNotWorks(facts) === 'waits';
    const noConnection = claim(facts.logs.has('pool-exhausted'), 'the pool has no free connection');
    return {
      findings: holding([
        told(facts, 'lock', WEIGHTS.logStrong + 0.5),
        goes(facts, 'lock_waits', 'up', WEIGHTS.metricStrong + 0.4),
        ...given(isTold, () => [
          goes(facts, 'response_time', 'up', WEIGHTS.metric),
          metric(WEIGHTS.metric, claim(waits, described(facts.metric('cpu_usage')))),
          goes(facts, 'cpu_usage', 'up', -WEIGHTS.metric),
        ]),
        read(-WEIGHTS.logStrong, noConnection),
      ]),
      contradictions: [],
    };
  },
  ladder: () => [RUNGS.throttleApi],
  refuses: refusing(['restart_pod', 'scale_up'], 'a restart repeats the work, more replicas add waiters'),
  advice: () => `Find and end the transaction that blocks the others, for instance on PostgreSQL: ${BLOCKERS}`,
};
