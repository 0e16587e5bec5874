import { requestsExplain } from '../discriminators.ts';
import type { FailureModel } from '../failure-model.ts';
import { holding, isOneOfSeveral, refusing, refusingEffects } from '../failure-model.ts';
import type { Facts } from '../facts.ts';
import { podsCarrying, refsOf } from '../facts.ts';
import { claim, given, goes, metric, told } from '../findings.ts';
import { RUNGS } from '../rung.ts';
import { withCommand } from '../sentences.ts';
import { WEIGHTS } from '../weights.ts';

const HIGH_PERCENT = 80;
/** Share of cpu periods. */
const THROTTLED_SHARE = 0.25;
const CPU = 'cpu_usage';

function isThrottled(facts: Facts): boolean {
  const throttling = facts.metric('cpu_throttling');
  return throttling.direction === 'up' || throttling.states.some((state) => (state.value ?? 0) > THROTTLED_SHARE);
}

/** The pods work at their cpu limit although they are asked no more than usual. */
export const cpuSaturation: FailureModel = {
  name: 'cpu_saturation',
  category: 'high_latency',
  assess(facts) {
    const cpu = facts.metric(CPU);
    const isUp = cpu.direction === 'up';
    const isHigh = cpu.states.some((state) => state.direction === 'up' && (state.value ?? 0) >= HIGH_PERCENT);
    const throttled = isThrottled(facts);
    const throttlingAlone = throttled && !isUp && facts.metric('response_time').direction !== 'up';
    const follows = requestsExplain(facts, cpu);
    const isWide = cpu.scope === 'all' || cpu.scope === 'workload' || !cpu.isApart;
    return {
      findings: holding([
        goes(facts, CPU, 'up', WEIGHTS.metricStrong),
        goes(facts, CPU, 'down', -WEIGHTS.metricStrong),
        metric(WEIGHTS.metricHint, claim(isHigh, `cpu_usage is at least ${HIGH_PERCENT} % of the limit`), CPU),
        metric(
          WEIGHTS.metricHint,
          claim(throttled, 'more than a quarter of the cpu periods are throttled'),
          'cpu_throttling',
        ),
        ...given(isUp, () => [
          goes(facts, 'response_time', 'up', WEIGHTS.metric),
          goes(facts, 'response_time', 'flat', -WEIGHTS.metricHint),
          goes(facts, 'request_rate', 'flat', WEIGHTS.metricStrong),
          goes(facts, 'request_rate', 'up', follows ? -WEIGHTS.metricStrong : -WEIGHTS.metricHint),
        ]),
        told(facts, 'slow-request', WEIGHTS.logHint),
      ]),
      contradictions: holding([
        claim(throttlingAlone, 'throttling alone, without cpu or latency, harms nobody'),
        claim(follows, 'the requests rose as well'),
      ]),
      pods: isUp ? refsOf(isWide ? facts.pods : podsCarrying(facts, cpu)) : [],
      traits: throttlingAlone ? ['throttling-alone'] : [],
    };
  },
  ladder: (situation) => (isOneOfSeveral(situation) ? [RUNGS.restartPod] : [RUNGS.scaleUp]),
  refuses(action, situation) {
    if (situation.traits.includes('throttling-alone')) {
      return refusingEffects('throttling alone is no harm to act on')(action);
    }
    if (!isOneOfSeveral(situation)) return undefined;
    return refusing(['scale_up'], 'one hot pod: more replicas do not unload it')(action);
  },
  advice(facts) {
    const find = 'Find what the cpu works on, then raise the limit or the replicas';
    return withCommand(facts, find, (object) => `set resources ${object} --limits=cpu=VALUE`);
  },
};
