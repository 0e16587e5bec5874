import { changed } from '../discriminators.ts';
import type { FailureModel } from '../failure-model.ts';
import { holding, refusing } from '../failure-model.ts';
import { change, claim, given, goes, status, told } from '../findings.ts';
import { RUNGS } from '../rung.ts';
import { kubectl } from '../sentences.ts';
import { WEIGHTS } from '../weights.ts';
import { renewedSincePodStart } from './certificate-expired.ts';

/** A password, key or token is not accepted any more. */
export const credentialsRejected: FailureModel = {
  name: 'credentials_rejected',
  category: 'service_down',
  assess(facts) {
    const renewed = renewedSincePodStart(facts, 'secret');
    const isFailing = facts.metric('error_rate').direction === 'up';
    return {
      findings: holding([
        told(facts, 'authentication', WEIGHTS.logStrong + 0.5),
        ...given(facts.logs.has('authentication'), () => [
          change(facts, WEIGHTS.changeStrong, changed(facts, 'secret')),
          status(WEIGHTS.statusHint, claim(renewed, 'the secret was refreshed after the pods started')),
          goes(facts, 'error_rate', 'up', WEIGHTS.metric),
          goes(facts, 'response_time', 'up', -WEIGHTS.metric),
          ...given(isFailing, () => [
            goes(facts, 'response_time', 'down', WEIGHTS.metric),
            goes(facts, 'response_time', 'flat', WEIGHTS.metricHint / 2),
          ]),
        ]),
      ]),
      contradictions: [],
      traits: renewed ? ['renewal-proven'] : [],
    };
  },
  ladder: (situation) => (situation.traits.includes('renewal-proven') ? [RUNGS.restartPod] : []),
  refuses(action, situation) {
    if (action === 'scale_up') return 'more replicas try the same credential';
    if (situation.traits.includes('renewal-proven')) return undefined;
    return refusing(['restart_pod'], 'repeated logins with a rejected credential lock the account')(action);
  },
  advice: (facts) =>
    `Compare the credential in use with the one that the server expects: ${kubectl(facts, 'get externalsecrets,secrets')}`,
};
