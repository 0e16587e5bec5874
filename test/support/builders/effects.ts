import type { EffectName } from '../../../src/policy/action.ts';
import type { GuardInput } from '../../../src/policy/guard.ts';
import { aDiagnosis, aMetric, anIllPod, anIncident, aPodVerdict, aVerdict } from './incident.ts';
import { aGuardInput, aPath, aProposal, aStep } from './policy.ts';
import { MINUTE, NOW, podRef } from './workload.ts';

const ALL = [0, 1, 2, 3].map(podRef);

/** For each effect a world in which nothing speaks against it. */
export function inputFor(effect: EffectName): GuardInput {
  switch (effect) {
    case 'restart_pod':
      return aGuardInput();
    case 'scale_up':
      return aGuardInput({
        proposal: aProposal({
          action: 'scale_up',
          step: aStep('scale_up'),
          pods: [],
          parameters: { kind: 'scale', from: 4, to: 6, returnAfterSeconds: 1800 },
        }),
        diagnosis: aDiagnosis({ failureType: 'traffic_surge', pods: ALL }),
        incident: anIncident({ pods: ALL, metrics: ['request_rate'] }),
        verdict: aVerdict({ pods: ALL.map(anIllPod) }),
      });
    case 'scale_down':
      return aGuardInput({
        proposal: aProposal({
          action: 'scale_down',
          step: aStep('scale_down'),
          pods: [],
          parameters: { kind: 'scale', from: 4, to: 3, returnAfterSeconds: 1800 },
          basis: 'anomaly-rule',
        }),
        diagnosis: aDiagnosis({ failureType: 'unknown', confidence: 0, lead: 0 }),
        incident: anIncident({ pods: ALL, metrics: ['cpu_usage'] }),
        verdict: aVerdict({
          pods: ALL.map((pod) => aPodVerdict(pod, { state: 'unhealthy', metrics: [aMetric('cpu_usage', 10, 0.9)] })),
        }),
        openIncidents: ['incident-1'],
        completeSinceMs: NOW - 10 * MINUTE,
      });
    case 'throttle_api':
      return aGuardInput({
        proposal: aProposal({
          action: 'throttle_api',
          step: aStep('throttle_api'),
          pods: [],
          parameters: {
            kind: 'throttle',
            throttle: { provider: 'EnvoyGateway', percentOfBaseline: 80, ttlSeconds: 900 },
            limitPerSecond: 80,
            routes: ['checkout'],
          },
        }),
        diagnosis: aDiagnosis({ failureType: 'retry_storm', pods: ALL }),
        incident: anIncident({ pods: ALL, metrics: ['request_rate'] }),
        verdict: aVerdict({ pods: ALL.map(anIllPod) }),
        throttlePaths: [aPath('EnvoyGateway', { routes: ['checkout'] })],
        healthyRequestRate: 100,
      });
    case 'clear_cache':
      return aGuardInput({
        proposal: aProposal({
          action: 'clear_cache',
          step: aStep('clear_cache'),
          parameters: { kind: 'cache', cache: { http: { port: 8080, path: '/cache/clear' } } },
        }),
      });
  }
}
