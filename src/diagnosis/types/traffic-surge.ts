import { requestsLead } from '../discriminators.ts';
import type { FailureModel } from '../failure-model.ts';
import { holding, refusing } from '../failure-model.ts';
import type { Facts } from '../facts.ts';
import { refsOf } from '../facts.ts';
import { claim, given, goes, metric, status, told } from '../findings.ts';
import type { MetricShape } from '../metric-shape.ts';
import { RUNGS } from '../rung.ts';
import { figure, kubectl } from '../sentences.ts';
import { WEIGHTS } from '../weights.ts';

const REQUESTS = 'request_rate';

function autoscalerAtMaximum(facts: Facts): string | undefined {
  const full = facts.input.workload?.autoscalers.find(
    (each) => each.maxReplicas !== undefined && (each.currentReplicas ?? 0) >= each.maxReplicas,
  );
  return full === undefined ? undefined : `${full.kind} ${full.name} is at its maximum of ${full.maxReplicas}`;
}

/** The peers of a missing pod take its share: a rise that this explains is no surge. */
function shareOfMissing(facts: Facts): string | undefined {
  const missing = facts.pods.filter((pod) => !pod.ready).length;
  const worst = facts.metric(REQUESTS).worst;
  if (missing === 0 || missing >= facts.total || worst?.value === undefined || !worst.expected) return undefined;
  const explained = facts.total / (facts.total - missing);
  const rise = worst.value / worst.expected;
  return claim(
    rise <= 1.2 * explained,
    `the rise by ${figure(rise)} is the share of ${missing} pods that are not ready`,
  );
}

const isWide = (shape: MetricShape): boolean =>
  shape.direction === 'up' && (shape.scope === 'all' || shape.scope === 'workload');

/** More requests than usual; everything else follows from them. */
export const trafficSurge: FailureModel = {
  name: 'traffic_surge',
  category: 'high_latency',
  assess(facts) {
    const requests = facts.metric(REQUESTS);
    const lead = requestsLead(facts);
    const wide = isWide(requests);
    const together = claim(lead === 'together', 'the requests rose together with the load');
    return {
      findings: holding([
        goes(facts, REQUESTS, 'up', WEIGHTS.metricStrong),
        metric(WEIGHTS.metric, claim(lead === 'first', 'the requests rose before cpu and latency'), REQUESTS),
        metric(WEIGHTS.metricHint, together, REQUESTS),
        metric(-WEIGHTS.metricStrong, claim(lead === 'later', 'the requests rose after cpu or latency')),
        metric(-WEIGHTS.metricStrong, claim(lead === 'flat', 'the requests did not rise')),
        ...given(wide && isWide(facts.metric('cpu_usage')), () => [goes(facts, 'cpu_usage', 'up', WEIGHTS.metric)]),
        ...given(requests.direction === 'up', () => [
          goes(facts, 'response_time', 'up', WEIGHTS.metricHint),
          status(WEIGHTS.statusHint, autoscalerAtMaximum(facts)),
          metric(-WEIGHTS.metricStrong, claim(!wide, 'the requests rose on some replicas only')),
          metric(-WEIGHTS.metricStrong, shareOfMissing(facts)),
        ]),
        told(facts, 'rate-limited', WEIGHTS.logHint),
      ]),
      contradictions: holding([
        claim(lead === 'flat', 'the requests did not rise'),
        claim(lead === 'fell', 'the requests fell'),
      ]),
      pods: wide ? refsOf(facts.pods) : [],
    };
  },
  ladder: () => [RUNGS.scaleUp, RUNGS.throttleApi],
  refuses: refusing(
    ['restart_pod', 'scale_down', 'clear_cache'],
    'the pods work: taking capacity or warm caches away makes the surge worse',
  ),
  advice(facts) {
    const autoscaler = facts.input.workload?.autoscalers.find((each) => each.kind === 'HorizontalPodAutoscaler');
    if (autoscaler?.maxReplicas === undefined) {
      return 'Check where the traffic comes from and whether the capacity should stay.';
    }
    if (autoscaler.currentReplicas !== undefined && autoscaler.currentReplicas < autoscaler.maxReplicas) {
      const room = `from ${autoscaler.currentReplicas} to ${autoscaler.maxReplicas} replicas`;
      return `The autoscaler may still go ${room}. See why it does not: ${kubectl(facts, `describe hpa ${autoscaler.name}`)}`;
    }
    const patch = `{"spec":{"maxReplicas":${Math.ceil(autoscaler.maxReplicas * 1.5)}}}`;
    const command = `patch hpa ${autoscaler.name} --type=merge -p '${patch}'`;
    return `Raise the maximum of the autoscaler: ${kubectl(facts, command)}`;
  },
};
