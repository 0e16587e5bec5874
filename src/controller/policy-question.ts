import type { Diagnosis } from '../diagnosis/diagnosis.ts';
import type { Incident } from '../detection/incident.ts';
import type { WorkloadVerdict } from '../detection/verdict.ts';
import { WORKLOAD_KINDS } from '../lib/workload.ts';
import type { WorkloadSnapshot } from '../lib/workload.ts';
import { ACTIONS, isEffect } from '../policy/action.ts';
import type { ActionName } from '../policy/action.ts';
import type { Guard, GuardInput } from '../policy/guard.ts';
import { actionNotAllowed } from '../policy/guards/action-not-allowed.ts';
import { excluded } from '../policy/guards/excluded.ts';
import { outsideWindow } from '../policy/guards/outside-window.ts';
import { paused } from '../policy/guards/paused.ts';
import { protectedTarget } from '../policy/guards/protected-target.ts';
import { ruleDenies } from '../policy/guards/rule-denies.ts';
import { suspended } from '../policy/guards/suspended.ts';
import type { HealingPolicy } from '../policy/healing-policy.ts';
import { actingPolicy } from '../policy/precedence.ts';
import { selectsWorkload } from '../policy/selects-workload.ts';
import type { PolicyAnswerView, PolicyQuestionView } from './operator-view.ts';
import type { ClusterReader } from './ports.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * What stands whatever happens: permission, not judgement. Whether an action makes sense now (evidence, cooldown,
 * budgets) is judged for an incident, and nobody asked about one.
 */
const STANDING: readonly Guard[] = [
  suspended,
  paused,
  protectedTarget,
  excluded,
  actionNotAllowed,
  outsideWindow,
  ruleDenies,
];

interface Where {
  readonly reader: ClusterReader;
  readonly surroundings: Surroundings;
  readonly nowMs: number;
}

/** Would the policies allow this action on this resource now? The exchange of `POST /api/v1/policy/evaluate`. */
export function answerPolicyQuestion(question: PolicyQuestionView, where: Where): PolicyAnswerView {
  const action = ACTIONS.find((name) => name === question.action);
  if (action === undefined) return refusal(`unknown action ${question.action}; known: ${ACTIONS.join(', ')}`);
  const found = coveredBy(question, where);
  if (found === undefined) {
    const { namespace, name, kind } = question;
    return refusal(`No policy covers ${kind}:${namespace === undefined ? '' : `${namespace}/`}${name}`);
  }
  const { policy, workload } = found;
  const appliedPolicies = [policy.name];
  if (!isEffect(action)) return { allowed: true, reason: `${action} changes nothing`, appliedPolicies };
  const input = standingInput(action, policy, workload, where);
  const first = STANDING.flatMap((guard) => guard.check(input) ?? [])[0];
  if (first === undefined) return { allowed: true, reason: `Allowed by policy: ${policy.name}`, appliedPolicies };
  // The contract's words, for clients that compare them; what stands in the way, for people.
  const because = first.reason === 'DeniedByPolicy' ? first.message : `${first.reason}: ${first.message}`;
  return { allowed: false, reason: `Denied by policy: ${policy.name}`, appliedPolicies, because };
}

const refusal = (reason: string): PolicyAnswerView => ({ allowed: false, reason, appliedPolicies: [] });

function coveredBy(
  { kind, name, namespace }: PolicyQuestionView,
  { reader, surroundings }: Where,
): { readonly policy: HealingPolicy; readonly workload: WorkloadSnapshot } | undefined {
  const workloadKind = WORKLOAD_KINDS.find((each) => each.toLowerCase() === kind.toLowerCase());
  if (workloadKind === undefined) return undefined;
  const policies = surroundings
    .policies()
    .filter((policy) => namespace === undefined || policy.namespace === namespace);
  const covering = policies.flatMap((policy) => {
    const [workload] = reader.workloads(policy.namespace, { kind: workloadKind, name });
    return workload !== undefined && selectsWorkload(policy, workload) ? [{ policy, workload }] : [];
  });
  // Without a namespace the name may mean several workloads; then none is meant.
  if (new Set(covering.map(({ workload }) => workload.ref.uid)).size !== 1) return undefined;
  const acting = actingPolicy(covering.map(({ policy }) => policy));
  return covering.find(({ policy }) => policy.uid === acting?.uid);
}

function standingInput(
  action: ActionName,
  policy: HealingPolicy,
  workload: WorkloadSnapshot,
  where: Where,
): GuardInput {
  const { nowMs } = where;
  const incident: Incident = {
    ...{ id: 'none', policyUid: policy.uid, workload: workload.ref, openedAtMs: nowMs, onsetAtMs: nowMs },
    ...{ updatedAtMs: nowMs, peakScore: 0, score: 0, pods: [], metrics: [], goodPolls: 0 },
  };
  const verdict: WorkloadVerdict = {
    ...{ workload: workload.ref, atMs: nowMs, state: 'unknown', score: 0, pods: [], workloadMetrics: [] },
  };
  const diagnosis: Diagnosis = {
    ...{ failureType: 'unknown', confidence: 0, lead: 0, severityScore: 0, cause: { kind: 'self' }, pods: [] },
    ...{ candidates: [], advice: '', summary: 'nothing was diagnosed', evidenceAtMs: nowMs },
  };
  const input = where.surroundings.decisionInput({ policy, workload, incident, verdict, diagnosis }, nowMs);
  const step = { action, attempts: 1, timeoutSeconds: 300 };
  return {
    ...input,
    proposal: { action, step, stepIndex: 0, attempt: 1, pods: [], parameters: { kind: 'alert', sinks: [] } },
  };
}
