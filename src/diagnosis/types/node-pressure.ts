import { reach } from '../discriminators.ts';
import type { FailureModel } from '../failure-model.ts';
import { holding, refusing } from '../failure-model.ts';
import { refsOf } from '../facts.ts';
import { claim, status } from '../findings.ts';
import type { PodFacts } from '../pod-facts.ts';
import { podNames } from '../pod-facts.ts';
import { WEIGHTS } from '../weights.ts';

const isEvicted = (pod: PodFacts): boolean => pod.evicted || pod.reasons.includes('Evicted');
const isHarmed = (pod: PodFacts): boolean => pod.unhealthy || pod.evicted || !pod.ready;

/** A node is short of memory, disk or process ids; the kubelet evicts what it must. */
export const nodePressure: FailureModel = {
  name: 'node_pressure',
  category: null,
  assess(facts) {
    const pressed = facts.nodes.filter((node) => node.pressures.length > 0);
    const evicted = facts.pods.filter(isEvicted);
    const harmed = facts.pods.filter((pod) => isHarmed(pod) && pressed.some((node) => node.name === pod.nodeName));
    const culprit = pressed[0]?.name ?? evicted[0]?.nodeName;
    const pressure = `node ${culprit} has ${pressed[0]?.pressures.join(', ')}`;
    const isHarm = pressed.length > 0 && harmed.length > 0;
    const told = facts.events.some((event) => event.reason === 'Evicted');
    return {
      findings: holding([
        status(WEIGHTS.statusStrong + 1, claim(isHarm, pressure)),
        status(WEIGHTS.statusDecisive, claim(evicted.length > 0, `${podNames(evicted)}: evicted`)),
        status(WEIGHTS.statusHint, claim(isHarm && reach(facts) === 'one-node', 'the affected pods share that node')),
        status(WEIGHTS.statusHint / 2, claim(told, 'an event tells of an eviction')),
      ]),
      contradictions: [],
      pods: refsOf(evicted.length > 0 ? evicted : harmed),
      ...(culprit === undefined ? {} : { cause: { kind: 'node', name: culprit } }),
    };
  },
  ladder: () => [],
  refuses: refusing(['restart_pod', 'scale_up'], 'the kubelet acts already; more pods raise the pressure'),
  advice(facts) {
    const node = facts.nodes.find((each) => each.pressures.length > 0)?.name ?? 'NODE';
    return `Keep new pods off the node and free what it lacks: kubectl cordon ${node}`;
  },
};
