import type { PodVerdict, WorkloadVerdict } from '../detection/verdict.ts';
import type { PodSnapshot, WorkloadSnapshot } from '../lib/workload.ts';
import type { Intent } from '../policy/action.ts';
import { isRollingOut } from '../policy/rollout.ts';

/** Pods to judge an effect by. They are found by owner, never by name: a restarted pod comes back as another. */
export interface Groups {
  /** What stands for the treated: replacements, the treated pods themselves, or every pod. */
  readonly treated: readonly PodSnapshot[];
  /** What was left alone, as a comparison. */
  readonly peers: readonly PodSnapshot[];
}

const isLiving = ({ deletedAtMs, phase }: PodSnapshot): boolean =>
  deletedAtMs === undefined && phase !== 'Succeeded' && phase !== 'Failed';

const isEviction = ({ parameters }: Intent): boolean => parameters.kind === 'restart' && parameters.how === 'evict';

/** Splits the workload's living pods by what the action did to them. */
export function groupsOf(intent: Intent, workload: WorkloadSnapshot): Groups {
  const living = workload.pods.filter(isLiving);
  const treatedUids = new Set(intent.pods.map(({ uid }) => uid));
  const knownUids = new Set(intent.baseline.podUids);
  if (isEviction(intent)) {
    return {
      treated: living.filter(({ uid }) => !knownUids.has(uid)),
      peers: living.filter(({ uid }) => knownUids.has(uid) && !treatedUids.has(uid)),
    };
  }
  if (intent.parameters.kind === 'cache') {
    return {
      treated: living.filter(({ uid }) => treatedUids.has(uid)),
      peers: living.filter(({ uid }) => !treatedUids.has(uid)),
    };
  }
  return { treated: living, peers: [] };
}

/** Verdicts of these pods; a pod without one is left out, and counted by the caller. */
export function verdictsOf(pods: readonly PodSnapshot[], verdict: WorkloadVerdict): PodVerdict[] {
  return verdict.pods.filter(({ pod }) => pods.some(({ uid }) => uid === pod.uid));
}

/** Of several pods some may have been spared by a disruption budget: those stand as they did, and nothing comes for them. */
function replacementsDue({ pods }: Intent, workload: WorkloadSnapshot): number {
  const standing = workload.pods.filter(isLiving);
  return Math.max(1, pods.filter(({ uid }) => !standing.some((pod) => pod.uid === uid)).length);
}

/** Why the workload is not as ready as the effect must leave it; `undefined` if it is. */
export function notReadyBecause(intent: Intent, workload: WorkloadSnapshot): string | undefined {
  const { treated } = groupsOf(intent, workload);
  const { desired, ready } = workload.replicas;
  const unready = treated.filter((pod) => !pod.ready);
  const waiting = `${unready.length} of ${treated.length} pods are not ready`;
  const { parameters } = intent;
  switch (parameters.kind) {
    case 'restart': {
      if (parameters.how === 'rollout') {
        if (isRollingOut(workload)) return 'the rollout is under way';
        return ready < desired ? `${ready} of ${desired} replicas are ready` : undefined;
      }
      const due = replacementsDue(intent, workload);
      if (treated.length < due) return `${treated.length} of ${due} replacements are there`;
      return unready.length > 0 ? waiting : undefined;
    }
    case 'scale':
      return ready < desired ? `${ready} of ${desired} replicas are ready` : undefined;
    case 'cache':
      if (treated.length < intent.pods.length) return 'the treated pod is gone';
      return unready.length > 0 ? waiting : undefined;
    case 'throttle':
      return ready < Math.min(desired, intent.baseline.readyReplicas)
        ? `${ready} of ${desired} replicas are ready`
        : undefined;
    case 'alert':
      return undefined;
  }
}

/** The sentence, if pods that came since the effect crash. */
export function newPodsCrashing({ baseline }: Intent, workload: WorkloadSnapshot): string | undefined {
  const fresh = workload.pods.filter(({ uid }) => !baseline.podUids.includes(uid));
  const crashing = fresh.filter(({ containers }) =>
    containers.some(({ waitingReason }) => waitingReason === 'CrashLoopBackOff'),
  );
  return crashing.length === 0 ? undefined : `${crashing.length} of ${fresh.length} new pods crash`;
}
