import type { PodRef, PodSnapshot, WorkloadSnapshot } from '../../lib/workload.ts';
import type { GuardInput, Hold } from '../guard.ts';
import { hold } from '../hold.ts';

/** Controllers that replace an evicted pod. A Job's pod would not come back the same. */
const REPLACING = new Set(['ReplicaSet', 'StatefulSet', 'DaemonSet', 'Rollout']);

/**
 * Whether the node controller has the pod. A node that is missing from a known list is not known to be well. Without
 * any list (an installation for one namespace may not read nodes) the pod's own status must do.
 */
function nodeOwns(pod: PodSnapshot, nodes: GuardInput['nodes']): string | undefined {
  if (pod.reason === 'NodeLost') return 'its node is lost';
  if (nodes.length === 0) return undefined;
  const node = nodes.find(({ name }) => name === pod.nodeName);
  if (node === undefined) return `its node ${pod.nodeName ?? '(none)'} is not known`;
  return node.ready === 'True' ? undefined : `its node ${node.name} is not ready (${node.ready})`;
}

/** Why this pod may not be evicted, whatever its workload; `undefined` if it may. */
export function podRefusal(pod: PodSnapshot, nodes: GuardInput['nodes']): Hold | undefined {
  if (pod.controllerKind === undefined) return hold('NoController', `pod ${pod.name} has no controller`);
  if (!REPLACING.has(pod.controllerKind)) {
    return hold('Unsupported', `pod ${pod.name} belongs to a ${pod.controllerKind}`);
  }
  if (pod.deletedAtMs !== undefined) return hold('InFlight', `pod ${pod.name} is terminating already`);
  const owned = nodeOwns(pod, nodes);
  if (owned !== undefined) return hold('NodeOwned', `pod ${pod.name}: ${owned}`);
  if (pod.phase !== 'Running') return hold('Unsupported', `pod ${pod.name} is ${pod.phase}, not Running`);
  const removed = pod.conditions.find(({ type, status }) => type === 'DisruptionTarget' && status === 'True');
  return removed === undefined
    ? undefined
    : hold('InFlight', `pod ${pod.name} is being removed by someone else (${removed.reason ?? 'DisruptionTarget'})`);
}

function evictionRefusal(refs: readonly PodRef[], input: GuardInput): Hold | undefined {
  const { workload, nodes } = input;
  if (refs.length === 0) return hold('TargetGone', 'there is no pod to restart');
  for (const ref of refs) {
    const pod = workload.pods.find(({ uid }) => uid === ref.uid);
    if (pod === undefined) return hold('TargetGone', `pod ${ref.name} is gone`);
    const refusal = podRefusal(pod, nodes);
    if (refusal !== undefined) return refusal;
    if (workload.replicas.desired === 1 && pod.ready) {
      return hold('WouldInterrupt', `pod ${pod.name} is the only ready replica; only a rollout could stand in for it`);
    }
  }
  return undefined;
}

function rolloutRefusal({ replicas, strategy, maxSurge, ref }: WorkloadSnapshot): Hold | undefined {
  if (strategy === 'Recreate') return hold('WouldInterrupt', `${ref.kind} ${ref.name} takes all pods down (Recreate)`);
  return replicas.desired === 1 && replicas.ready > 0 && maxSurge === 0
    ? hold('WouldInterrupt', `the only replica of ${ref.name} would go before another comes (no surge)`)
    : undefined;
}

/** What must be true for restart_pod, as an eviction or as a rollout restart. */
export function restartRefusal(input: GuardInput): Hold | undefined {
  const { workload, proposal } = input;
  if (workload.strategy === 'OnDelete') return hold('Unsupported', `${workload.ref.name} updates on delete only`);
  if (workload.replicas.desired === 0) return hold('SwitchedOff', `${workload.ref.name} is scaled to 0`);
  const { parameters } = proposal;
  return parameters.kind === 'restart' && parameters.how === 'rollout'
    ? rolloutRefusal(workload)
    : evictionRefusal(proposal.pods, input);
}
