import type { WorkloadSnapshot } from '../../lib/workload.ts';
import type { ActionParameters } from '../action.ts';
import type { GuardInput, Hold } from '../guard.ts';
import { hold, counted } from '../hold.ts';
import type { ActionRecord } from '../ledger.ts';
import { replicasOwner } from '../ownership.ts';
import { effectsOn } from '../track-record.ts';

export type ScaleStep = Extract<ActionParameters, { kind: 'scale' }>;

/**
 * Replicas before Aegis scaled: while its own step up stands, what the step came from. Steps are followed back, so
 * that two steps of x 2 do not make x 4 of the baseline allowed.
 */
function baselineReplicas(workload: WorkloadSnapshot, ledger: readonly ActionRecord[], nowMs: number): number {
  let replicas = workload.replicas.desired;
  for (const { action, from, to } of effectsOn(ledger, workload, nowMs).reverse()) {
    if (action !== 'scale_up' || from === undefined || to === undefined) continue;
    if (to !== replicas || from >= to) break;
    replicas = from;
  }
  return replicas;
}

/** The most replicas that the policy allows: its `maxReplicas`, else twice the baseline. */
export function replicasCeiling(input: Pick<GuardInput, 'workload' | 'policy' | 'ledger' | 'nowMs'>): number {
  const { workload, policy, ledger, nowMs } = input;
  return policy.limits.maxReplicas ?? 2 * baselineReplicas(workload, ledger ?? [], nowMs);
}

/** The fewest replicas that the policy allows; never 0. */
export function replicasFloor({ policy }: Pick<GuardInput, 'policy'>): number {
  return Math.max(1, policy.limits.minReplicas ?? 1);
}

/** Whether somebody else decides the number of replicas. `autoscaler` names an HPA whose minimum may be raised. */
function ownershipRefusal(workload: WorkloadSnapshot, step: ScaleStep): Hold | undefined {
  const owner = replicasOwner(workload);
  switch (owner.kind) {
    case 'nobody':
      return step.autoscaler === undefined
        ? undefined
        : hold('TargetChanged', `the autoscaler ${step.autoscaler} is gone`);
    case 'unknown':
      return hold('OwnershipUnknown', 'the autoscalers cannot be read, so who owns the replicas is not known');
    case 'keda':
      return hold('ReplicasOwned', `the ScaledObject ${owner.name} owns the replicas`);
    case 'gitops':
      return hold('ReplicasOwned', `${owner.manager} owns the replicas`);
    case 'autoscaler': {
      const { name, maxReplicas } = owner.autoscaler;
      const opted = step.autoscaler === name && owner.managers.length === 0;
      if (opted && step.to <= (maxReplicas ?? 0)) return undefined;
      const atMaximum = maxReplicas !== undefined && workload.replicas.desired >= maxReplicas;
      const advice = atMaximum ? `; it is at its maximum of ${maxReplicas}: raise that` : '';
      return hold('ReplicasOwned', `the HorizontalPodAutoscaler ${name} owns the replicas${advice}`);
    }
  }
}

/** What both directions need: a scalable kind that is switched on, free replicas, and the number that was decided on. */
function commonRefusal(input: GuardInput, step: ScaleStep): Hold | undefined {
  const { workload } = input;
  if (workload.ref.kind === 'DaemonSet') return hold('Unsupported', 'a DaemonSet has one pod a node and is not scaled');
  if (workload.replicas.desired === 0) return hold('SwitchedOff', `${workload.ref.name} is scaled to 0`);
  const owned = ownershipRefusal(workload, step);
  if (owned !== undefined) return owned;
  const now = step.autoscaler === undefined ? workload.replicas.desired : autoscalerMinimum(workload, step);
  if (now !== step.from) return hold('TargetChanged', `there are ${now} replicas, it was decided at ${step.from}`);
  return undefined;
}

function autoscalerMinimum(workload: WorkloadSnapshot, step: ScaleStep): number {
  const autoscaler = workload.autoscalers.find(({ name }) => name === step.autoscaler);
  // The API server fills in 1 where no minimum is given.
  return autoscaler?.minReplicas ?? 1;
}

/** Pods of the last step that are not ready yet: another step on top of them is blind. */
function pendingPods(input: GuardInput): string | undefined {
  const { workload, ledger, nowMs } = input;
  const waiting = workload.pods.filter(({ phase, deletedAtMs }) => phase === 'Pending' && deletedAtMs === undefined);
  if (waiting.length > 0) return `${counted(waiting.length, 'pod')} still pending`;
  const last = effectsOn(ledger ?? [], workload, nowMs).findLast(({ action }) => action === 'scale_up');
  const { desired, ready } = workload.replicas;
  return last?.to === desired && ready < desired
    ? `the last step went to ${desired} replicas and only ${ready} are ready`
    : undefined;
}

/** What must be true for scale_up. */
export function scaleUpRefusal(input: GuardInput): Hold | undefined {
  const { workload, proposal } = input;
  if (proposal.parameters.kind !== 'scale') return hold('Unsupported', 'the parameters are not those of a scaling');
  const step = proposal.parameters;
  const common = commonRefusal(input, step);
  if (common !== undefined) return common;
  const pending = pendingPods(input);
  if (pending !== undefined) return hold('PodsPending', pending);
  const { desired } = workload.replicas;
  const ceiling = replicasCeiling(input);
  if (step.to <= desired || step.to > ceiling) {
    return hold('AtMaximum', `${desired} replicas, and at most ${ceiling} are allowed`);
  }
  if (step.to > 2 * desired) return hold('AtMaximum', `from ${desired} to ${step.to} is more than twice`);
  const left = workload.quotaPodsLeft;
  return left !== undefined && step.to - desired > left
    ? hold('QuotaExceeded', `the quota leaves room for ${counted(left, 'pod')}, ${step.to - desired} are asked`)
    : undefined;
}

/** What must be true for scale_down, apart from its evidence (`idle.ts`). */
export function scaleDownRefusal(input: GuardInput): Hold | undefined {
  const { workload, proposal, policy } = input;
  if (proposal.parameters.kind !== 'scale') return hold('Unsupported', 'the parameters are not those of a scaling');
  const step = proposal.parameters;
  const common = commonRefusal(input, step);
  if (common !== undefined) return common;
  if (workload.ref.kind === 'StatefulSet' && policy.limits.minReplicas === undefined) {
    return hold('Unsupported', 'a StatefulSet is scaled down only where the policy sets minReplicas');
  }
  const floor = replicasFloor(input);
  if (step.to >= step.from || step.to < floor) {
    return hold('AtMinimum', `${step.from} replicas, and at least ${floor} must stay`);
  }
  return step.to * 2 < step.from ? hold('AtMinimum', `from ${step.from} to ${step.to} is less than half`) : undefined;
}
