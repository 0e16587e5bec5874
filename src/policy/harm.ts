import { refusalOf, situationOf } from '../diagnosis/catalog.ts';
import type { Situation } from '../diagnosis/failure-model.ts';
import type { FailureType } from '../diagnosis/failure-type.ts';
import type { ActionName } from './action.ts';
import type { GuardInput } from './guard.ts';
import { isRollingOut } from './rollout.ts';
import { sentEffects } from './track-record.ts';

type Case = Pick<GuardInput, 'diagnosis' | 'workload' | 'incident' | 'ledger' | 'selfName'>;

/** What a ladder or a refusal depends on, for the next attempt of this action in the incident. */
export function situationFor(
  { diagnosis, workload, incident, ledger = [], selfName }: Case,
  action: ActionName,
): Situation {
  const tried = sentEffects(ledger).filter(
    (record) => record.incidentId === incident.id && record.action === action && record.name !== selfName,
  ).length;
  return situationOf(diagnosis, workload.replicas.desired, {
    attempt: tried + 1,
    isMidRollout: isRollingOut(workload),
  });
}

/** Why the action does harm in this failure type, as a sentence; `undefined` if the type does not refuse it. */
export function harmOf(input: Case, action: ActionName, failureType: FailureType): string | undefined {
  return refusalOf(failureType, action, situationFor(input, action));
}
