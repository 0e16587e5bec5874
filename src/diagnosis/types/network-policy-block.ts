import { changed } from '../discriminators.ts';
import type { FailureModel } from '../failure-model.ts';
import { holding, refusing } from '../failure-model.ts';
import type { Facts } from '../facts.ts';
import { change, claim, given, goes, metric, status, told } from '../findings.ts';
import { kubectl } from '../sentences.ts';
import { WEIGHTS } from '../weights.ts';

const NEARLY_ALL = 0.9;

/** A Service of ready pods has no endpoint: its selector or its port does not fit. */
function emptyService(facts: Facts): string | undefined {
  const isReady = facts.pods.length > 0 && facts.pods.every((pod) => pod.ready);
  const empty = (facts.input.endpoints ?? []).find((each) => each.readyEndpoints === 0);
  if (empty === undefined || !isReady) return undefined;
  return `service ${empty.service} has no ready endpoint although the pods are ready`;
}

const isHurt = (facts: Facts): boolean =>
  facts.metric('error_rate').direction === 'up' ||
  facts.metric('request_rate').direction === 'down' ||
  facts.metric('response_time').direction === 'up';

/** A Service without endpoints, or a NetworkPolicy that lets nothing through. */
export const networkPolicyBlock: FailureModel = {
  name: 'network_policy_block',
  category: 'service_down',
  assess(facts) {
    const edit = isHurt(facts) ? changed(facts, 'network-policy', 'service') : undefined;
    const empty = emptyService(facts);
    const errors = facts.metric('error_rate');
    const isTotal = errors.direction === 'up' && (errors.worst?.value ?? 0) >= NEARLY_ALL;
    const isSilent = facts.metric('request_rate').direction === 'down';
    return {
      findings: holding([
        change(facts, isTotal || isSilent ? WEIGHTS.changeStrong + 0.5 : WEIGHTS.changeHint, edit),
        status(WEIGHTS.statusStrong, empty),
        ...given(edit !== undefined || empty !== undefined, () => [
          metric(WEIGHTS.metric, claim(isTotal, 'nearly every call fails'), 'error_rate'),
          goes(facts, 'error_rate', 'up', WEIGHTS.metricHint),
          goes(facts, 'request_rate', 'down', WEIGHTS.metricHint),
          told(facts, 'connection-refused', WEIGHTS.logHint),
          told(facts, 'deadline', WEIGHTS.logHint),
        ]),
      ]),
      contradictions: [],
    };
  },
  ladder: () => [],
  refuses: refusing(['restart_pod', 'scale_up'], 'new pods stand behind the same rule'),
  advice(facts) {
    const edit = changed(facts, 'network-policy', 'service');
    if (edit === undefined) {
      const look = kubectl(facts, 'get service,endpointslices,networkpolicy -o wide');
      return `Compare selectors and ports of the Service with the pods: ${look}`;
    }
    const object = `${edit.kind === 'service' ? 'service' : 'networkpolicy'} ${edit.name}`;
    return `Revert the change of ${object}: ${kubectl(facts, `get ${object} -o yaml`)}`;
  },
};
