import type { FailureModel } from '../failure-model.ts';
import { holding, refusing } from '../failure-model.ts';
import type { Facts } from '../facts.ts';
import { refsOf } from '../facts.ts';
import { claim, metric, status, told } from '../findings.ts';
import type { PodFacts } from '../pod-facts.ts';
import { podNames } from '../pod-facts.ts';
import { RUNGS } from '../rung.ts';
import { withCommand } from '../sentences.ts';
import { WEIGHTS } from '../weights.ts';

const AT_LIMIT_PERCENT = 90;
const MEBIBYTE = 1_048_576;

/** Pods whose container was last ended by the kernel for want of memory. */
export const oomKilled = (facts: Facts): readonly PodFacts[] =>
  facts.pods.filter((pod) => pod.lastEnd?.reason === 'OOMKilled' || pod.reasons.includes('OOMKilled'));

/** The kernel ended a container at its memory limit. The kubelet restarts it already. */
export const oomKill: FailureModel = {
  name: 'oom_kill',
  category: 'memory_leak',
  assess(facts) {
    const killed = oomKilled(facts);
    const memory = facts.metric('memory_usage');
    const atLimit = memory.states.some((state) => (state.value ?? 0) >= AT_LIMIT_PERCENT || state.limited);
    const follows = memory.direction === 'up' && facts.metric('request_rate').direction === 'up';
    const statusIsKnown = facts.input.workload !== undefined;
    const isKilled = killed.length > 0;
    return {
      findings: holding([
        status(WEIGHTS.statusDecisive + 1, claim(isKilled, `${podNames(killed)}: last termination OOMKilled`)),
        status(-WEIGHTS.statusStrong, claim(statusIsKnown && !isKilled, 'no container was ended as OOMKilled')),
        told(facts, 'out-of-memory', WEIGHTS.logStrong),
        metric(WEIGHTS.metricHint, claim(atLimit, 'memory_usage met its limit'), 'memory_usage'),
      ]),
      contradictions: [],
      pods: refsOf(killed),
      traits: follows ? ['memory-follows-requests'] : [],
    };
  },
  ladder: (situation) => [
    RUNGS.clearCache,
    ...(situation.traits.includes('memory-follows-requests') ? [RUNGS.scaleUp] : []),
  ],
  refuses: refusing(
    ['restart_pod', 'scale_down'],
    'the kubelet restarted the container already; fewer pods get more each',
  ),
  advice(facts) {
    const killed = oomKilled(facts).map((pod) => pod.pod.name);
    const pods = facts.input.workload?.pods.filter((pod) => killed.includes(pod.name)) ?? [];
    const container = pods.flatMap((pod) => pod.containers).find((each) => each.memoryLimit !== undefined);
    if (container?.memoryLimit === undefined) return 'Raise the memory limit to 1.25 times the observed peak.';
    const limit = `${Math.ceil((1.25 * container.memoryLimit) / MEBIBYTE)}Mi`;
    return withCommand(
      facts,
      `The peak met the limit: raise it by a quarter, to ${limit}`,
      (object) => `set resources ${object} -c ${container.name} --limits=memory=${limit}`,
    );
  },
};
