import type { FailureModel } from '../failure-model.ts';
import { holding, refusing } from '../failure-model.ts';
import type { Facts } from '../facts.ts';
import { claim, given, goes, metric, told } from '../findings.ts';
import { RUNGS } from '../rung.ts';
import { described, figure } from '../sentences.ts';
import { WEIGHTS } from '../weights.ts';

const AMPLIFIED = 1.5;

/** Calls per user request, retries, or calls against user traffic: whatever the mesh or the application counts. */
function amplification(facts: Facts): string | undefined {
  const { worst } = facts.metric('calls_per_request');
  if (worst?.value !== undefined && worst.expected && worst.value >= AMPLIFIED * worst.expected) {
    return `${figure(worst.value)} calls per user request, usually ${figure(worst.expected)}`;
  }
  const retries = facts.metric('retry_rate');
  if (retries.direction === 'up') return described(retries);
  const isFlat = facts.metric('user_request_rate').direction === 'flat';
  return claim(isFlat && facts.metric('request_rate').direction === 'up', 'calls rose while user traffic stood still');
}

/** Callers repeat failed calls and so keep the failure alive after its trigger has ended. */
export const retryStorm: FailureModel = {
  name: 'retry_storm',
  category: 'high_latency',
  assess(facts) {
    const amplified = amplification(facts);
    const users = facts.metric('user_request_rate');
    return {
      findings: holding([
        metric(
          WEIGHTS.metricStrong + WEIGHTS.metric,
          amplified,
          ...['calls_per_request', 'retry_rate', 'request_rate'].filter(
            (name) => facts.metric(name).direction === 'up',
          ),
        ),
        ...given(amplified !== undefined, () => [
          goes(facts, 'user_request_rate', 'flat', WEIGHTS.metricHint),
          goes(facts, 'request_rate', 'up', WEIGHTS.metric),
          goes(facts, 'error_rate', 'up', WEIGHTS.metricHint),
          goes(facts, 'response_time', 'up', WEIGHTS.metricHint),
        ]),
        told(facts, 'retrying', WEIGHTS.logStrong),
        goes(facts, 'user_request_rate', 'up', -WEIGHTS.metricStrong),
      ]),
      contradictions: holding([
        claim(users.direction === 'up', 'user traffic rose as well: a surge, not a storm of retries'),
      ]),
    };
  },
  ladder: () => [RUNGS.throttleApi, RUNGS.scaleUp],
  refuses: refusing(['restart_pod', 'clear_cache'], 'a restarted or cold server meets the same wave of retries'),
  advice: () =>
    'Give the callers exponential backoff with jitter, a retry budget of 10 % and no more than two retries.',
};
