import { stateOf } from '../../healing/lifecycle.ts';
import type { ActionStatus } from '../../healing/decision.ts';
import type { StoredAction } from '../../healing/stored-action.ts';
import type { Problem } from '../../lib/parsed.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import type { Intent } from '../../policy/action.ts';
import { domainIntent, wireSpec } from './action-spec.ts';
import { domainStatus, unknownWords, wireStatus } from './action-status.ts';
import { envelope, problemsOf, type Envelope } from './envelope.ts';
import { HealingActionSpec, HealingActionStatus } from './healing-action.ts';
import { API_VERSION, LABELS, labelValue } from './labels.ts';

/**
 * The whole AegisHealingAction to create for an intent, without its status.
 *
 * It has no ownerReference to its policy, on purpose. Garbage collection would take the record away with the policy:
 * the audit trail, the cooldown and the attempts of a policy that somebody deletes and applies again, and the
 * baseline of an undo that is still due. A deleted policy is noticed by its UID (label `policy-uid`): what is due is
 * undone, and the object ages out like any other.
 */
export function actionObject(intent: Intent): object {
  const { policy, target } = intent;
  return {
    apiVersion: API_VERSION,
    kind: 'AegisHealingAction',
    metadata: {
      name: intent.name,
      namespace: intent.namespace,
      labels: {
        [LABELS.managedBy]: 'aegis',
        [LABELS.policy]: labelValue(policy.name),
        [LABELS.policyUid]: labelValue(policy.uid),
        [LABELS.incident]: labelValue(intent.incidentId),
        [LABELS.workloadKind]: target.kind,
        [LABELS.workload]: labelValue(target.name),
        [LABELS.workloadUid]: labelValue(target.uid),
        [LABELS.action]: intent.action,
      },
    },
    spec: wireSpec(intent),
  };
}

/** The whole value of the object’s `status` field: it replaces the earlier one, so that a blocker that is gone goes. */
export function actionStatusObject(intent: Intent, status: ActionStatus): object {
  return wireStatus(intent, status);
}

/**
 * An AegisHealingAction as read. A spec or status that Aegis cannot have written is an error with every problem:
 * whoever reads must not take it for "no action".
 */
export function parseAction(object: unknown): Result<StoredAction, readonly Problem[]> {
  const meta = envelope(object);
  const spec = HealingActionSpec.safeParse(meta.spec);
  const status = HealingActionStatus.safeParse(meta.status ?? {});
  const problems = [
    ...(spec.success ? foreignNamespace(meta, spec.data) : problemsOf(spec.error, 'spec')),
    ...(status.success ? wordProblems(status.data) : problemsOf(status.error, 'status')),
  ];
  if (!spec.success || !status.success || problems.length > 0) return err(problems);
  const intent = domainIntent(meta.name, meta.namespace, spec.data);
  if (intent === undefined) {
    return err([{ path: 'spec.parameters', reason: 'SpecInvalid', message: 'hold nothing that an action could use' }]);
  }
  const action = storedAction(meta, intent, domainStatus(status.data), spec.data.approval);
  // The state follows from the rest: another word there was never written by Aegis.
  return ok(status.data.state === stateOf(intent, action.status) ? action : { ...action, isStatusShown: false });
}

function storedAction(
  { uid, resourceVersion, createdAtMs, deletedAtMs, finalizers }: Envelope,
  intent: Intent,
  status: ActionStatus,
  approval: HealingActionSpec['approval'],
): StoredAction {
  return {
    intent,
    status,
    uid,
    resourceVersion,
    createdAtMs,
    ...(deletedAtMs !== undefined && { deletedAtMs }),
    finalizers,
    ...(approval !== undefined && {
      approval: {
        decision: approval.decision,
        by: approval.by,
        reason: approval.reason,
        atMs: Date.parse(approval.time),
      },
    }),
  };
}

/** An action reaches into its own namespace only, whoever wrote it. */
function foreignNamespace({ namespace }: Envelope, spec: HealingActionSpec): readonly Problem[] {
  if (spec.target.namespace === namespace) return [];
  const message = `${spec.target.namespace} is not the object’s own namespace`;
  return [{ path: 'spec.target.namespace', reason: 'SpecInvalid', message }];
}

function wordProblems(status: HealingActionStatus): readonly Problem[] {
  return unknownWords(status).map(({ path, word }) => ({
    path,
    reason: 'StatusInvalid',
    message: `${word} is no reason that this version knows`,
  }));
}
