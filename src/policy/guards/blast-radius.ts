import type { PodRef, WorkloadSnapshot } from '../../lib/workload.ts';
import type { DisruptionLimit } from '../healing-policy.ts';
import type { Guard } from '../guard.ts';
import { hold, withLedger } from '../hold.ts';
import type { ActionRecord } from '../ledger.ts';
import { openEffects } from '../track-record.ts';

/** How many pods of a workload may be down at once: at least 1, the share rounded down. */
function disruptionAllowance(limit: DisruptionLimit, desired: number): number {
  const pods = 'count' in limit ? limit.count : (desired * limit.percent) / 100;
  return Math.max(1, Math.floor(pods));
}

/** Pods that are down or about to be: not ready, terminating, missing, or under an action that is not over. */
function disruptedPods(
  workload: WorkloadSnapshot,
  open: readonly ActionRecord[],
): { uids: Set<string>; missing: number } {
  const underAction = new Set(
    open.filter(({ workloadUid }) => workloadUid === workload.ref.uid).flatMap(({ podUids }) => podUids),
  );
  const living = workload.pods.filter(({ phase }) => phase !== 'Succeeded' && phase !== 'Failed');
  const uids = new Set(
    living
      .filter(({ ready, deletedAtMs, uid }) => !ready || deletedAtMs !== undefined || underAction.has(uid))
      .map(({ uid }) => uid),
  );
  // A pod that is gone and not yet replaced is as unready as one that does not answer.
  return { uids, missing: Math.max(0, workload.replicas.desired - living.length) };
}

/** How many of these pods may be treated now, in their order; one that is down already takes no further room. */
export function roomFor(
  pods: readonly PodRef[],
  workload: WorkloadSnapshot,
  limit: DisruptionLimit,
  open: readonly ActionRecord[],
): number {
  const { uids, missing } = disruptedPods(workload, open);
  const allowance = disruptionAllowance(limit, workload.replicas.desired);
  let down = uids.size + missing;
  let room = 0;
  for (const { uid } of pods) {
    if (!uids.has(uid)) down += 1;
    if (down > allowance) break;
    room += 1;
  }
  return room;
}

/**
 * Pods down together with those to treat stay within the limit. A rollout restart is bounded by the workload's own
 * strategy. Scaling up and throttling take no pod down; scaling down needs every pod well but those allowed.
 */
export const blastRadius: Guard = {
  name: 'blastRadius',
  appliesTo: ['restart_pod', 'scale_down', 'clear_cache'],
  check: (input) =>
    withLedger(input, (ledger) => {
      const { proposal, workload, policy, selfName } = input;
      const { action, parameters, pods } = proposal;
      if (action === 'scale_up' || action === 'throttle_api') return undefined;
      if (parameters.kind === 'restart' && parameters.how === 'rollout') return undefined;
      const { uids, missing } = disruptedPods(workload, openEffects(ledger, selfName));
      const added = pods.filter(({ uid }) => !uids.has(uid)).length;
      const down = uids.size + missing;
      const allowance = disruptionAllowance(policy.limits.maxDisrupted, workload.replicas.desired);
      return down + added <= allowance
        ? undefined
        : hold(
            'BlastRadius',
            `${down} of ${workload.replicas.desired} pods are down and ${added} more would go, at most ${allowance} may`,
          );
    }),
};
