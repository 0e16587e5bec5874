import { errorSpeed, knownCallees, waitsNotWorks } from '../discriminators.ts';
import type { FailureModel } from '../failure-model.ts';
import { holding, refusing } from '../failure-model.ts';
import type { Facts } from '../facts.ts';
import { claim, given, goes, metric, status, told } from '../findings.ts';
import { RUNGS } from '../rung.ts';
import { described, figure } from '../sentences.ts';
import { WEIGHTS } from '../weights.ts';

const FULL_PERCENT = 95;
const USAGE = 'connection_pool_usage';

function fullPool(facts: Facts): string | undefined {
  const full = facts.metric(USAGE).states.find((state) => (state.value ?? 0) >= FULL_PERCENT);
  return full?.value === undefined ? undefined : `connection_pool_usage at ${figure(full.value)} %`;
}

/** Every connection of the pool is taken, though the other side would answer. */
export const connectionPoolExhaustion: FailureModel = {
  name: 'connection_pool_exhaustion',
  category: 'connection_timeout',
  assess(facts) {
    const callees = knownCallees(facts) ?? [];
    const isWell = callees.length > 0 && callees.every((each) => each.state === 'healthy');
    const sick = callees.filter((each) => each.state === 'unhealthy');
    const full = fullPool(facts);
    const isPool = facts.logs.has('pool-exhausted') || full !== undefined;
    const waits = waitsNotWorks(facts) === 'waits';
    const sickNames = sick.map((each) => each.name).join(' and ');
    return {
      findings: holding([
        told(facts, 'pool-exhausted', WEIGHTS.logStrong + 0.5),
        metric(WEIGHTS.metricStrong, full, USAGE),
        ...given(isPool, () => [
          goes(facts, 'response_time', 'up', WEIGHTS.metric),
          metric(WEIGHTS.metric, claim(waits, described(facts.metric('cpu_usage')))),
          metric(
            WEIGHTS.metricHint,
            claim(errorSpeed(facts) === 'time-out', 'the latency stands at a round time-out'),
            'response_time',
          ),
          goes(facts, 'in_flight_requests', 'up', WEIGHTS.metric),
          goes(facts, 'error_rate', 'up', WEIGHTS.metricHint),
          goes(facts, 'request_rate', 'flat', WEIGHTS.metricHint),
          status(WEIGHTS.statusHint / 2, claim(isWell, 'every callee is well')),
          status(-WEIGHTS.statusStrong, claim(sick.length > 0, `${sickNames}: anomalous as well`)),
        ]),
      ]),
      contradictions: holding([
        claim(isPool && sick.length > 0, `the callee ${sickNames} is slow or down: the pool waits for it`),
      ]),
    };
  },
  ladder: () => [RUNGS.restartPod, RUNGS.throttleApi],
  refuses: refusing(['scale_up'], 'more replicas open more connections'),
  advice: () =>
    'Look for connections that are taken and not given back; compare pool size x replicas with the limit of the server.',
};
