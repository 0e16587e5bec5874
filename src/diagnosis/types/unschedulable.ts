import type { FailureModel } from '../failure-model.ts';
import { holding, refusing } from '../failure-model.ts';
import type { Facts } from '../facts.ts';
import { refsOf } from '../facts.ts';
import { claim, given, status } from '../findings.ts';
import { printable } from '../log-signatures.ts';
import { podNames } from '../pod-facts.ts';
import { isSubjectKnown, kubectl, objectName } from '../sentences.ts';
import { WEIGHTS } from '../weights.ts';

const OWN_SCALE_MS = 900_000;

const scaledByAegis = (facts: Facts): boolean =>
  (facts.input.recentActions ?? []).some(
    (each) => each.action === 'scale_up' && facts.input.nowMs - each.executedAtMs <= OWN_SCALE_MS,
  );

/** Replicas short of the desired ones; one where it is not known. */
function missingReplicas(facts: Facts): number {
  const replicas = facts.input.workload?.replicas;
  return replicas === undefined ? 1 : replicas.desired - replicas.ready;
}

/** "event FailedCreate: exceeded quota", from the newest such event. */
function eventText(facts: Facts, reason: string, mentions: string): string | undefined {
  const event = facts.events
    .filter((each) => each.reason === reason && each.message.toLowerCase().includes(mentions))
    .toSorted((a, b) => b.lastAtMs - a.lastAtMs || (a.message < b.message ? -1 : 1))[0];
  return event === undefined ? undefined : `event ${reason}: ${printable(event.message)}`;
}

/** What the workload itself says of it: it outlives the events, which clusters forget after an hour. */
function quotaRefusal(facts: Facts): string | undefined {
  const refusal = facts.input.workload?.conditions.find(
    ({ type, status: is, message = '' }) => type === 'ReplicaFailure' && is === 'True' && /quota/i.test(message),
  );
  return refusal === undefined ? undefined : `${refusal.reason ?? refusal.type}: ${printable(refusal.message ?? '')}`;
}

/** Pods wait for a node or for quota. */
export const unschedulable: FailureModel = {
  name: 'unschedulable',
  category: 'service_down',
  assess(facts) {
    const placeless = facts.pods.filter((pod) => pod.pending && pod.nodeName === undefined);
    const judged = facts.pods.filter((pod) => pod.unschedulable !== undefined);
    const bad = judged.length > 0 ? judged : placeless;
    const missing = missingReplicas(facts);
    const own = scaledByAegis(facts);
    const why = printable(judged[0]?.unschedulable ?? '');
    return {
      findings: holding([
        status(WEIGHTS.statusDecisive, claim(judged.length > 0, `${podNames(judged)}: unschedulable, ${why}`)),
        ...given(missing > 0, () => [
          status(WEIGHTS.statusDecisive, quotaRefusal(facts) ?? eventText(facts, 'FailedCreate', 'quota')),
        ]),
        ...given(bad.length > 0, () => [
          status(WEIGHTS.statusStrong, eventText(facts, 'FailedScheduling', '')),
          status(WEIGHTS.statusHint, claim(missing > 0, `${missing} replicas are missing`)),
          status(WEIGHTS.statusHint / 2, claim(own, 'the pods came with a scale_up of Aegis')),
        ]),
      ]),
      contradictions: [],
      pods: refsOf(bad),
      traits: own ? ['own-scale-up'] : [],
    };
  },
  ladder: () => [],
  refuses: refusing(['scale_up', 'restart_pod'], 'there is no room for the pods that wait already'),
  advice(facts) {
    const add = `Add capacity, lower the requests or raise the quota: ${kubectl(facts, 'describe quota')}`;
    return isSubjectKnown(facts) ? `${add}; ${kubectl(facts, `describe ${objectName(facts)}`)}` : add;
  },
};
