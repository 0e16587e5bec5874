import type { NodeSnapshot } from '../../lib/workload.ts';
import type { FailureModel } from '../failure-model.ts';
import { holding, refusingEffects } from '../failure-model.ts';
import type { Facts } from '../facts.ts';
import { refsOf } from '../facts.ts';
import { claim, status } from '../findings.ts';
import { podNames } from '../pod-facts.ts';
import { WEIGHTS } from '../weights.ts';

const lostNodes = (facts: Facts): readonly NodeSnapshot[] => facts.nodes.filter((node) => node.ready !== 'True');

/** A node does not answer; what ran on it is unknown, not zero. */
export const nodeNotReady: FailureModel = {
  name: 'node_not_ready',
  category: 'service_down',
  assess(facts) {
    const lost = lostNodes(facts);
    const there = facts.pods.filter((pod) => lost.some((node) => node.name === pod.nodeName));
    const harmed = there.filter((pod) => pod.unhealthy || !pod.ready);
    const carried = harmed.length > 0 ? harmed : there;
    const elsewhere = facts.unhealthy.filter((pod) => !there.includes(pod));
    const node = lost[0];
    const text = `node ${node?.name} is not ready (${node?.ready}) and carries ${podNames(carried)}`;
    const isElsewhere = lost.length > 0 && elsewhere.length > harmed.length;
    return {
      findings: holding([
        status(WEIGHTS.statusDecisive + 1, claim(lost.length > 0, text)),
        status(-WEIGHTS.statusStrong, claim(isElsewhere, `${podNames(elsewhere)} fail on other nodes`)),
      ]),
      contradictions: [],
      pods: refsOf(carried),
      ...(node === undefined ? {} : { cause: { kind: 'node', name: node.name } }),
    };
  },
  ladder: () => [],
  refuses: refusingEffects('the node controller moves its pods'),
  advice: (facts) => `Look at the node: kubectl describe node ${lostNodes(facts)[0]?.name ?? 'NODE'}`,
};
