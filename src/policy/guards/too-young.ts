import { inWords } from '../../lib/duration.ts';
import type { PodSnapshot } from '../../lib/workload.ts';
import type { Guard, GuardInput } from '../guard.ts';
import { hold } from '../hold.ts';

/** Pods that the proposal treats, else those of the incident: what its evidence comes from. */
function judgedPods({ workload, proposal, incident }: GuardInput): { pods: PodSnapshot[]; treated: boolean } {
  const treated = proposal.pods.length > 0;
  const wanted = treated ? proposal.pods : incident.pods;
  return { pods: workload.pods.filter(({ uid }) => wanted.some((pod) => pod.uid === uid)), treated };
}

/**
 * A pod that starts looks ill: caches fill, compilers warm up. A treated pod must be old enough; for an action on the
 * whole workload, at least one pod that carries the evidence.
 */
export const tooYoung: Guard = {
  name: 'tooYoung',
  check: (input) => {
    const { nowMs, policy } = input;
    const minimumMs = policy.limits.minPodAgeSeconds * 1000;
    const { pods, treated } = judgedPods(input);
    const young = pods.filter(({ createdAtMs }) => nowMs - createdAtMs < minimumMs);
    if (young.length === 0 || (!treated && young.length < pods.length)) return undefined;
    const [first] = [...young].sort((a, b) =>
      treated ? b.createdAtMs - a.createdAtMs : a.createdAtMs - b.createdAtMs,
    );
    if (first === undefined) return undefined;
    const ageMs = nowMs - first.createdAtMs;
    return hold(
      'TooYoung',
      `pod ${first.name} is ${inWords(ageMs)} old, ${inWords(minimumMs)} are asked`,
      first.createdAtMs + minimumMs,
    );
  },
};
