import { errorSpeed } from '../discriminators.ts';
import type { CredentialState } from '../evidence.ts';
import type { FailureModel } from '../failure-model.ts';
import { holding, refusing } from '../failure-model.ts';
import type { Facts } from '../facts.ts';
import { claim, given, goes, metric, status, told } from '../findings.ts';
import { RUNGS } from '../rung.ts';
import { kubectl, span } from '../sentences.ts';
import { WEIGHTS } from '../weights.ts';

const SAME_TIME_MS = 300_000;

const isOver = (each: CredentialState, nowMs: number): boolean =>
  each.kind === 'certificate' && (!each.ready || (each.notAfterMs ?? Infinity) <= nowMs);

const expired = (facts: Facts): CredentialState | undefined =>
  (facts.input.credentials ?? []).find((each) => isOver(each, facts.input.nowMs));

/** A credential of this kind was renewed after the youngest pod was created, so that every pod still holds the old one. */
export function renewedSincePodStart(facts: Facts, kind: CredentialState['kind']): boolean {
  const starts = facts.pods.flatMap((pod) => pod.createdAtMs ?? []);
  if (starts.length === 0) return false;
  const youngest = Math.max(...starts);
  return (facts.input.credentials ?? []).some(
    (each) => each.kind === kind && each.ready && (each.renewedAtMs ?? -Infinity) > youngest,
  );
}

/** "the onset is 20 s from the end of the certificate". */
function coincidence(facts: Facts, certificate: CredentialState | undefined): string | undefined {
  if (certificate?.notAfterMs === undefined) return undefined;
  const distance = Math.abs(facts.input.onsetAtMs - certificate.notAfterMs);
  return claim(distance <= SAME_TIME_MS, `the onset is ${span(distance)} from the end of the certificate`);
}

/** A certificate passed its end. */
export const certificateExpired: FailureModel = {
  name: 'certificate_expired',
  category: 'service_down',
  assess(facts) {
    const certificate = expired(facts);
    const isOut = certificate !== undefined;
    const renewed = renewedSincePodStart(facts, 'certificate');
    const atOnce = claim(errorSpeed(facts) === 'rejection', 'the errors come at once');
    return {
      findings: holding([
        status(WEIGHTS.statusDecisive, claim(isOut, `certificate ${certificate?.name} is not valid any more`)),
        status(WEIGHTS.statusHint, coincidence(facts, certificate)),
        told(facts, 'certificate', WEIGHTS.logStrong + 0.5),
        ...given(isOut || facts.logs.has('certificate'), () => [
          status(WEIGHTS.statusHint, claim(renewed, 'the certificate was renewed after the pods started')),
          goes(facts, 'error_rate', 'up', WEIGHTS.metric),
          metric(WEIGHTS.metricHint, atOnce, 'response_time'),
        ]),
      ]),
      contradictions: [],
      traits: renewed ? ['renewal-proven'] : [],
    };
  },
  ladder: (situation) => (situation.traits.includes('renewal-proven') ? [RUNGS.restartPod] : []),
  refuses(action, situation) {
    if (action === 'scale_up') return 'new replicas read the same certificate';
    if (situation.traits.includes('renewal-proven')) return undefined;
    return refusing(['restart_pod'], 'no renewal newer than the pods is proven')(action);
  },
  advice(facts) {
    const name = expired(facts)?.name;
    if (name === undefined) return `Renew the certificate that the lines name: ${kubectl(facts, 'get certificates')}`;
    const namespace = facts.subject.namespace === '' ? '' : ` -n ${facts.subject.namespace}`;
    return `Renew certificate ${name}: cmctl renew ${name}${namespace}`;
  },
};
