import { reach } from '../discriminators.ts';
import type { FailureModel } from '../failure-model.ts';
import { holding, isOneOfSeveral, refusing } from '../failure-model.ts';
import type { Facts } from '../facts.ts';
import { podsCarrying, refsOf } from '../facts.ts';
import { claim, given, goes, metric, told } from '../findings.ts';
import { RUNGS } from '../rung.ts';
import { WEIGHTS } from '../weights.ts';

const LATENCY = 'response_time';
const LOST = 'network_retransmits';

/** The node whose pods alone are slow; undefined: it is not one node. */
const slowNode = (facts: Facts): string | undefined =>
  reach(facts) === 'one-node' ? facts.unhealthy[0]?.nodeName : undefined;

/** Packets of one pod or node are lost or late. */
export const networkDelay: FailureModel = {
  name: 'network_delay',
  category: 'high_latency',
  assess(facts) {
    const latency = facts.metric(LATENCY);
    const node = slowNode(facts);
    const isSlow = latency.direction === 'up';
    const isTold = facts.metric(LOST).direction === 'up' || facts.logs.has('connection-reset');
    const isLocal = isSlow && latency.isApart && facts.total > 1 && (latency.scope === 'one' || node !== undefined);
    const place = node === undefined ? 'one pod only is slow' : `only the pods of node ${node} are slow`;
    const isWide = isSlow && latency.scope === 'all' && facts.total > 1;
    return {
      findings: holding([
        goes(facts, LOST, 'up', WEIGHTS.metricStrong + 0.4),
        told(facts, 'connection-reset', WEIGHTS.logHint + 0.4),
        ...given(isTold || isLocal, () => [
          goes(facts, LATENCY, 'up', WEIGHTS.metric),
          metric(WEIGHTS.metric, claim(isLocal, place), LATENCY),
        ]),
        ...given(isSlow && (isTold || isLocal), () => [
          goes(facts, 'cpu_usage', 'flat', WEIGHTS.metricHint),
          goes(facts, 'cpu_usage', 'up', -WEIGHTS.metricStrong),
          goes(facts, 'memory_usage', 'up', -WEIGHTS.metricHint),
          metric(-WEIGHTS.metricHint, claim(isWide, 'every replica is slow')),
        ]),
      ]),
      contradictions: [],
      pods: isSlow && latency.isApart && latency.scope !== 'all' ? refsOf(podsCarrying(facts, latency)) : [],
      ...(node === undefined ? {} : { cause: { kind: 'node', name: node }, traits: ['one-node'] }),
    };
  },
  ladder: (situation) =>
    isOneOfSeveral(situation) && !situation.traits.includes('one-node') ? [RUNGS.restartPod] : [],
  refuses: refusing(['scale_up'], 'more replicas use the same network'),
  advice(facts) {
    const node = facts.unhealthy.find((pod) => pod.nodeName !== undefined)?.nodeName;
    return `Keep new pods off the node until its network is well: kubectl cordon ${node ?? 'NODE'}`;
  },
};
