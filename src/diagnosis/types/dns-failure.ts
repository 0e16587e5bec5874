import { reach } from '../discriminators.ts';
import type { FailureModel } from '../failure-model.ts';
import { holding, refusingEffects } from '../failure-model.ts';
import { claim, given, goes, metric, status, told } from '../findings.ts';
import { WEIGHTS } from '../weights.ts';

/** Names are not resolved: a shared cause, never the application's. */
export const dnsFailure: FailureModel = {
  name: 'dns_failure',
  category: 'connection_timeout',
  assess(facts) {
    const dns = facts.input.dependencies?.find((each) => each.kind === 'dns' && each.state === 'unhealthy');
    const isWide = reach(facts) === 'many-workloads';
    return {
      findings: holding([
        status(WEIGHTS.statusDecisive, claim(dns !== undefined, `${dns?.name}: the DNS pods are not ready`)),
        told(facts, 'dns', WEIGHTS.logStrong + 0.3),
        ...given(dns !== undefined || facts.logs.has('dns'), () => [
          goes(facts, 'error_rate', 'up', WEIGHTS.metric),
          goes(facts, 'response_time', 'up', WEIGHTS.metricHint),
          metric(WEIGHTS.metric, claim(isWide, 'many workloads turned anomalous at the same instant')),
        ]),
      ]),
      contradictions: [],
      cause: { kind: 'dns', name: dns?.name ?? 'cluster DNS' },
    };
  },
  ladder: () => [],
  refuses: refusingEffects('the applications are well: the names are not resolved'),
  advice: () =>
    'Look at the DNS pods and their configuration: kubectl -n kube-system get pods,configmap -l k8s-app=kube-dns',
};
