import { requestsExplain } from '../discriminators.ts';
import type { FailureModel } from '../failure-model.ts';
import { holding, refusing } from '../failure-model.ts';
import type { Facts } from '../facts.ts';
import { podsCarrying, refsOf } from '../facts.ts';
import { claim, given, goes, metric, status, told } from '../findings.ts';
import type { MetricShape } from '../metric-shape.ts';
import { RUNGS } from '../rung.ts';
import { kubectl, span } from '../sentences.ts';
import { WEIGHTS } from '../weights.ts';
import { oomKilled } from './oom-kill.ts';

const MEMORY = 'memory_usage';

function climb(memory: MetricShape): string | undefined {
  const worst = memory.states.filter((state) => state.rising).toSorted((a, b) => b.score - a.score)[0];
  if (worst === undefined) return undefined;
  const limit = worst.timeToLimitMs === undefined ? '' : `, reaches its limit in ${span(worst.timeToLimitMs)}`;
  return `memory_usage climbs${worst.pod === undefined ? '' : ` on pod ${worst.pod}`}${limit}`;
}

interface Aged {
  readonly createdAtMs: number;
  readonly value: number;
}

const range = (values: readonly number[]): number => Math.max(...values) - Math.min(...values);

/** With three or more pods leaking, the oldest should stand highest; undefined: it cannot be told or is so. */
function agesAgainst(facts: Facts, memory: MetricShape): string | undefined {
  const aged: readonly Aged[] = memory.states.flatMap((state) => {
    const createdAtMs = facts.pods.find((each) => each.pod.name === state.pod)?.createdAtMs;
    return createdAtMs === undefined || state.value === undefined ? [] : [{ createdAtMs, value: state.value }];
  });
  if (aged.length < 3 || memory.scope !== 'all') return undefined;
  const values = aged.map((each) => each.value);
  if (range(values) <= 0.2 * Math.max(...values) || range(aged.map((each) => each.createdAtMs)) < 600_000)
    return undefined;
  const oldestFirst = aged.toSorted((a, b) => a.createdAtMs - b.createdAtMs);
  const inverted = oldestFirst.flatMap((each, i) =>
    oldestFirst.slice(i + 1).filter((other) => other.value > each.value),
  );
  const pairs = (aged.length * (aged.length - 1)) / 2;
  return claim(inverted.length > 0.7 * pairs, 'the youngest pods hold the most memory: height does not go with age');
}

/** The working set climbs while the traffic does not. */
export const memoryLeak: FailureModel = {
  name: 'memory_leak',
  category: 'memory_leak',
  assess(facts) {
    const memory = facts.metric(MEMORY);
    const isUp = memory.direction === 'up';
    const rises = climb(memory);
    const isLocal = isUp && memory.scope !== 'workload' && memory.pods.length < facts.total;
    const follows = requestsExplain(facts, memory);
    return {
      findings: holding([
        goes(facts, MEMORY, 'up', WEIGHTS.metricStrong),
        // A climb within the usual range is how a warm-up looks too.
        metric(isUp ? WEIGHTS.metricStrong : WEIGHTS.metricHint, rises, MEMORY),
        metric(WEIGHTS.metricHint, claim(isLocal, 'the other replicas of its template are well'), MEMORY),
        ...given(isUp || rises !== undefined, () => [
          goes(facts, 'request_rate', 'flat', WEIGHTS.metric),
          goes(facts, 'request_rate', 'up', follows || !isUp ? -WEIGHTS.metricStrong : -WEIGHTS.metricHint),
        ]),
        ...given(isUp && rises === undefined, () => [goes(facts, 'cpu_usage', 'up', -WEIGHTS.metric)]),
        told(facts, 'gc-pause', WEIGHTS.logHint),
        told(facts, 'out-of-memory', WEIGHTS.logHint),
        status(-WEIGHTS.statusStrong, claim(oomKilled(facts).length > 0, 'a container was ended as OOMKilled already')),
      ]),
      contradictions: holding([
        isUp ? agesAgainst(facts, memory) : undefined,
        claim(follows && memory.scope === 'all', 'memory rises with the requests on all replicas'),
      ]),
      pods: isUp ? refsOf(podsCarrying(facts, memory)) : [],
    };
  },
  ladder: () => [RUNGS.clearCache, RUNGS.restartPod],
  refuses: refusing(['scale_up'], 'more replicas leak as well, and the leaking ones still meet their limit'),
  advice: (facts) =>
    `Take a heap profile before the restart erases it, then look for what grows with the age of the pod: ${kubectl(facts, 'top pods --containers')}`,
};
