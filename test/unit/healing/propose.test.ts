import { describe, expect, test } from '@jest/globals';
import type { DecisionInput } from '../../../src/healing/decision-input.ts';
import { chooseLadder, nextAttempt, startOf } from '../../../src/healing/ladder.ts';
import { alertSinks, propose } from '../../../src/healing/propose.ts';
import type { Step } from '../../../src/policy/action.ts';
import { aDecisionInput } from '../../support/builders/decision.ts';
import { aDiagnosis, anIllPod, anIncident, aVerdict } from '../../support/builders/incident.ts';
import { aPath, aPolicy, aRecord, aStep, withLimits } from '../../support/builders/policy.ts';
import { aPod, aWorkload, MINUTE, NOW, podRef, somePods } from '../../support/builders/workload.ts';

const remedy = (on: string[], action: Step['action'], minSeverity: 'low' | 'critical' = 'low') => ({ on, minSeverity, steps: [aStep(action)] }); // prettier-ignore
const refs = (...indices: number[]) => indices.map(podRef);

const routes = (count: number): string[] => Array.from({ length: count }, (_, i) => `route-${i}`);

describe('the ladder', () => {
  const ladder = (over: Partial<DecisionInput>) => {
    const { steps, source, basis } = chooseLadder(aDecisionInput(over));
    return [steps.map(({ action }) => action).join(' '), source, basis];
  };
  const policy = (...remedies: ReturnType<typeof remedy>[]) => ({ policy: aPolicy({ remedies }) });
  test.each([
    ['no remedy: the one of the type', {}, ['clear_cache restart_pod alert_admin', 'default', 'diagnosis']],
    ['a remedy for the type', policy(remedy(['memory_leak'], 'restart_pod')), ['restart_pod alert_admin', 'remedies[0]', 'diagnosis']],
    ['the first match wins', policy(remedy(['oom_kill'], 'scale_up'), remedy(['any'], 'restart_pod'), remedy(['memory_leak'], 'clear_cache')), ['restart_pod alert_admin', 'remedies[1]', 'diagnosis']],
    ['not severe enough: the next', { ...policy(remedy(['any'], 'scale_up', 'critical')), diagnosis: aDiagnosis({ severityScore: 0.89 }) }, ['clear_cache restart_pod alert_admin', 'default', 'diagnosis']],
    ['a category', { ...policy(remedy(['service_down'], 'restart_pod')), diagnosis: aDiagnosis({ failureType: 'crash_loop' }) }, ['restart_pod alert_admin', 'remedies[0]', 'diagnosis']],
    ['memory_leak means the type, not the category', { ...policy(remedy(['memory_leak'], 'restart_pod')), diagnosis: aDiagnosis({ failureType: 'oom_kill' }) }, ['clear_cache alert_admin', 'default', 'diagnosis']],
    ['any does not match unknown', { ...policy(remedy(['any'], 'restart_pod')), diagnosis: aDiagnosis({ failureType: 'unknown' }) }, ['alert_admin', 'default', 'diagnosis']],
    ['a metric', policy(remedy(['anomaly:memory_usage'], 'restart_pod')), ['restart_pod alert_admin', 'remedies[0]', 'anomaly-rule']],
    ['another metric', policy(remedy(['anomaly:cpu_usage'], 'restart_pod')), ['clear_cache restart_pod alert_admin', 'default', 'diagnosis']],
    ['a metric and the type: the type', policy(remedy(['anomaly:memory_usage', 'memory_leak'], 'restart_pod')), ['restart_pod alert_admin', 'remedies[0]', 'diagnosis']],
    ['what stands behind alert_admin is not reached', { policy: aPolicy({ remedies: [{ on: ['any'], minSeverity: 'low', steps: [aStep('alert_admin'), aStep('restart_pod')] }] }) }, ['alert_admin', 'remedies[0]', 'diagnosis']],
  ] as const)('%s', (_sentence, over, expected) => expect(ladder(over)).toEqual(expected)); // prettier-ignore

  test('after two returns the ladder starts behind the last cure, after three at its end', () => {
    const cure = (ago: number, step: number) =>
      aRecord({ incidentId: `i-${ago}`, step, decidedAtMs: NOW - ago * MINUTE, endedAtMs: NOW - ago * MINUTE });
    const start = (...ledger: ReturnType<typeof cure>[]) => {
      const input = aDecisionInput({ ledger });
      const { passed, because } = startOf(input, chooseLadder(input));
      return { passed: [...passed], because };
    };
    expect(start()).toEqual({ passed: [], because: undefined });
    expect(start(cure(30, 0))).toEqual({ passed: [0], because: expect.stringContaining('29 min') });
    expect(start(cure(40, 0), cure(20, 1))).toMatchObject({ passed: [0, 1] });
    expect(start(cure(50, 0), cure(40, 0), cure(20, 0))).toEqual({ passed: [0, 1], because: expect.stringContaining('3 times') }); // prettier-ignore
  });

  test('the next object at a rung has the next number, whatever became of the others', () => {
    const at = (step: number, attempt: number) => aRecord({ incidentId: 'incident-1', step, attempt, dryRun: attempt === 2 }); // prettier-ignore
    const input = aDecisionInput({ ledger: [at(1, 1), at(1, 2), at(0, 7)] });
    expect([nextAttempt(input, 1), nextAttempt(input, 0), nextAttempt(input, 2)]).toEqual([3, 8, 1]);
  });
});

function proposed(step: Step, over: Partial<DecisionInput> = {}) {
  const input = aDecisionInput(over);
  const result = propose(input, chooseLadder(input), 1, step);
  return result.ok
    ? { pods: result.value.pods.map(({ name }) => name), ...result.value.parameters }
    : result.error.reason;
}

const ill = (...indices: number[]) => ({
  diagnosis: aDiagnosis({ pods: refs(...indices) }),
  verdict: aVerdict({ pods: [0, 1, 2, 3].map((index) => anIllPod(podRef(index))) }),
});

describe('restart_pod', () => {
  const restart = (over: Partial<DecisionInput> = {}) => proposed(aStep('restart_pod'), over);
  const evict = (...pods: string[]) => ({ pods, kind: 'restart', how: 'evict' });
  const rollout = { pods: [], kind: 'restart', how: 'rollout' };
  const all = (policy = withLimits(aPolicy(), { progressive: 'All' })) => ({ policy });
  const twelve = { workload: aWorkload({ pods: somePods(12) }), diagnosis: aDiagnosis({ pods: refs(0, 1, 2, 3, 4) }), verdict: aVerdict({ pods: somePods(12).map(anIllPod) }) }; // prettier-ignore
  const healed = aRecord({ incidentId: 'incident-1', step: 1, podUids: ['uid-99'] });
  const under = (disruptionsAllowed: number, unready: readonly number[] = []) => ({
    workload: aWorkload({
      pods: somePods(12).map((pod, index) => ({ ...pod, ready: !unready.includes(index) })),
      disruptionBudgets: [{ name: 'web', disruptionsAllowed }],
    }),
  });
  test.each([
    ['one of four', {}, evict('pod-0')],
    ['two of four: one first', ill(0, 1), evict('pod-0')],
    ['three of four: most need it', ill(0, 1, 2), rollout],
    ['the most affected first', ill(2, 0), evict('pod-2')],
    ['the diagnosis names none: those of the incident', { diagnosis: aDiagnosis({ pods: [] }) }, evict('pod-0')],
    ['nobody names any', { diagnosis: aDiagnosis({ pods: [] }), incident: anIncident({ pods: [] }) }, 'InsufficientData'],
    ['the only one, ready', { workload: aWorkload({ pods: [aPod(0)] }) }, rollout],
    ['the only one, not ready', { workload: aWorkload({ pods: [aPod(0, { ready: false })] }) }, evict('pod-0')],
    ['the first is too young: the second', { ...ill(0, 1), workload: aWorkload({ pods: [aPod(0, { createdAtMs: NOW }), aPod(1), aPod(2), aPod(3)] }) }, evict('pod-1')],
    ['all are too young: proposed, for the guard to say so', { workload: aWorkload({ pods: [aPod(0, { createdAtMs: NOW }), aPod(1), aPod(2), aPod(3)] }) }, evict('pod-0')],
    ['the first is on a lost node: the second', { ...ill(0, 1), workload: aWorkload({ pods: [aPod(0, { nodeName: 'node-z' }), aPod(1), aPod(2), aPod(3)] }) }, evict('pod-1')],
    ['all are on a lost node', { workload: aWorkload({ pods: [aPod(0, { nodeName: 'node-z' }), aPod(1), aPod(2), aPod(3)] }) }, 'NodeOwned'],
    ['the first could not be judged: the second', { ...ill(0, 1), verdict: aVerdict({ pods: [anIllPod(podRef(1))] }) }, evict('pod-1')],
    ['five of twelve: one first', twelve, evict('pod-0')],
    ['five of twelve, the first healed: as many as may be down', { ...twelve, ledger: [healed] }, evict('pod-0', 'pod-1', 'pod-2')],
    ['five of twelve, no first one wanted: as many as may be down', { ...twelve, ...all() }, evict('pod-0', 'pod-1', 'pod-2')],
    ['five of twelve, and the budget has two left', { ...twelve, ...all(withLimits(aPolicy(), { progressive: 'All', maxActionsPerHour: 2 })) }, evict('pod-0', 'pod-1')],
    ['five of twelve, and one may be treated at once', { ...twelve, ...all(), ledger: ['a', 'b'].map((workloadUid) => aRecord({ workloadUid, state: 'Verifying' })) }, evict('pod-0')],
    ['five of twelve, the first healed, and a disruption budget lets one go', { ...twelve, ...under(1), ledger: [healed] }, evict('pod-0')],
    ['five of twelve, the first healed, and a disruption budget lets two go, of which the one that is not ready is none', { ...twelve, ...under(2, [1]), ledger: [healed] }, evict('pod-0', 'pod-1', 'pod-2')],
    ['five of twelve, the first healed, and a disruption budget lets none go: one, for the guard to say so', { ...twelve, ...under(0), ledger: [healed] }, evict('pod-0')],
    ['the cache of this pod was cleared in this incident: it is restarted', { ledger: [aRecord({ incidentId: 'incident-1', action: 'clear_cache', podUids: ['uid-0'] })] }, evict('pod-0')],
    ['what is being treated in this incident is left out', { ...ill(0, 1), ledger: [aRecord({ incidentId: 'incident-1', state: 'Verifying', podUids: ['uid-0'] })] }, evict('pod-1')],
    ['what was to be treated and still stands when its wave is over is not', { ...ill(0, 1), ledger: [aRecord({ incidentId: 'incident-1', podUids: ['uid-0', 'uid-99'] })] }, evict('pod-0')],
    ['a Recreate deployment of which most need it', { ...ill(0, 1, 2), workload: aWorkload({ strategy: 'Recreate' }) }, 'WouldInterrupt'],
  ] as const)('%s', (_sentence, over, expected) => expect(restart(over)).toEqual(expected)); // prettier-ignore
});

describe('the other effects', () => {
  const hpa = { kind: 'HorizontalPodAutoscaler', name: 'checkout', minReplicas: 2, maxReplicas: 5 } as const;
  const raise = aStep('scale_up', { scale: { percent: 50, returnAfterSeconds: 60, autoscaler: 'RaiseMinimum' } });
  const scale = (from: number, to: number) => ({ pods: [], kind: 'scale', from, to, returnAfterSeconds: 1800 });
  const down = aStep('scale_down');
  const cache = { http: { port: 80, path: '/c' } };
  test.each([
    ['half as many more', aStep('scale_up'), {}, scale(4, 6)],
    ['no more than maxReplicas', aStep('scale_up'), { policy: withLimits(aPolicy(), { maxReplicas: 5 }) }, scale(4, 5)],
    ['at maxReplicas', aStep('scale_up'), { policy: withLimits(aPolicy(), { maxReplicas: 4 }) }, 'AtMaximum'],
    ['over maxReplicas already', aStep('scale_up'), { policy: withLimits(aPolicy(), { maxReplicas: 3 }) }, 'AtMaximum'],
    ['no more than the quota has room for', aStep('scale_up'), { workload: aWorkload({ quotaPodsLeft: 1 }) }, scale(4, 5)],
    ['no room in the quota', aStep('scale_up'), { workload: aWorkload({ quotaPodsLeft: 0 }) }, 'QuotaExceeded'],
    ['an HPA is left alone', aStep('scale_up'), { workload: aWorkload({ autoscalers: [hpa] }) }, 'ReplicasOwned'],
    ['an HPA whose minimum may be raised, up to its maximum', raise, { workload: aWorkload({ autoscalers: [hpa] }) }, { pods: [], kind: 'scale', from: 2, to: 5, returnAfterSeconds: 60, autoscaler: 'checkout' }],
    ['an HPA whose minimum may be raised, without any HPA', raise, {}, { pods: [], kind: 'scale', from: 4, to: 6, returnAfterSeconds: 60 }],
    ['half, where everything is idle', down, { openIncidents: ['incident-1'], completeSinceMs: NOW - 10 * MINUTE, verdict: aVerdict({ pods: somePods(4).map((pod) => ({ ...anIllPod(pod), metrics: [] })) }) }, 'MetricsMissing'],
    ['no provider', aStep('throttle_api'), { healthyRequestRate: 100, throttlePaths: [] }, 'UnsupportedByCluster'],
    ['providers could not be looked for', aStep('throttle_api'), { healthyRequestRate: 100 }, 'UnsafeToRead'],
    ['the first provider is limited already: the other one', aStep('throttle_api'), { throttlePaths: [aPath('EnvoyGateway', { refused: { reason: 'ThrottleConflict', message: 'limited', object: 'theirs' } }), aPath('Istio')], healthyRequestRate: 100 }, { pods: [], kind: 'throttle', limitPerSecond: 80, routes: [], throttle: { provider: 'Istio', percentOfBaseline: 80, ttlSeconds: 900 } }],
    ['the only provider is limited already', aStep('throttle_api'), { throttlePaths: [aPath('EnvoyGateway', { refused: { reason: 'ThrottleConflict', message: 'limited', object: 'theirs' } })], healthyRequestRate: 100 }, 'ThrottleConflict'],
    ['sixteen routes', aStep('throttle_api'), { throttlePaths: [aPath('EnvoyGateway', { routes: routes(16) })], healthyRequestRate: 100 }, { pods: [], kind: 'throttle', limitPerSecond: 80, routes: routes(16), throttle: { provider: 'EnvoyGateway', percentOfBaseline: 80, ttlSeconds: 900 } }],
    ['more routes than one limit can name', aStep('throttle_api'), { throttlePaths: [aPath('EnvoyGateway', { routes: routes(17) })], healthyRequestRate: 100 }, 'TooManyRoutes'],
    ['more routes than one limit can name: the other provider', aStep('throttle_api'), { throttlePaths: [aPath('EnvoyGateway', { routes: routes(17) }), aPath('Istio')], healthyRequestRate: 100 }, { pods: [], kind: 'throttle', limitPerSecond: 80, routes: [], throttle: { provider: 'Istio', percentOfBaseline: 80, ttlSeconds: 900 } }],
    ['no healthy traffic was observed', aStep('throttle_api'), { throttlePaths: [aPath('Istio')] }, 'NoBaseline'],
    ['80 % of healthy traffic, by the provider that is there', aStep('throttle_api'), { throttlePaths: [aPath('Istio')], healthyRequestRate: 100 }, { pods: [], kind: 'throttle', limitPerSecond: 80, routes: [], throttle: { provider: 'Istio', percentOfBaseline: 80, ttlSeconds: 900 } }],
    ['not less than the minimum', aStep('throttle_api', { throttle: { provider: 'Istio', percentOfBaseline: 50, minPerSecond: 70, ttlSeconds: 60 } }), { throttlePaths: [aPath('Istio')], healthyRequestRate: 100 }, { pods: [], kind: 'throttle', limitPerSecond: 70, routes: [], throttle: { provider: 'Istio', percentOfBaseline: 50, minPerSecond: 70, ttlSeconds: 60 } }],
    ['Auto does not try ingress-nginx', aStep('throttle_api'), { throttlePaths: [aPath('IngressNginx'), aPath('Hook')], healthyRequestRate: 100 }, 'UnsupportedByCluster'],
    ['no cache is declared', aStep('clear_cache'), {}, 'NotDeclared'],
    ['the cache of the step', aStep('clear_cache', { cache }), {}, { pods: ['pod-0'], kind: 'cache', cache }],
    ['the cache that another step of the policy declares', aStep('clear_cache'), { policy: aPolicy({ remedies: [{ on: ['oom_kill'], minSeverity: 'low', steps: [aStep('clear_cache', { cache })] }] }) }, { pods: ['pod-0'], kind: 'cache', cache }],
    ['rather a pod that is ready', aStep('clear_cache', { cache }), { ...ill(0, 1), workload: aWorkload({ pods: [aPod(0, { ready: false }), aPod(1), aPod(2), aPod(3)] }) }, { pods: ['pod-1'], kind: 'cache', cache }],
  ] as const)('%s', (_sentence, step, over, expected) => expect(proposed(step, over)).toEqual(expected)); // prettier-ignore
});

test.each([
  ['the step names them', aStep('alert_admin', { notify: { sinks: ['chat'] } }), aPolicy(), ['chat']],
  ['nobody names any: all', aStep('alert_admin'), aPolicy(), []],
  ['none wants this severity', aStep('alert_admin'), aPolicy({ notifications: [{ sink: 'pager', minSeverity: 'critical' }] }), undefined],
] as const)('sinks: %s', (_sentence, step, policy, expected) => {
  expect(alertSinks(aDecisionInput({ policy, diagnosis: aDiagnosis({ severityScore: 0.8 }) }), step)).toEqual(expected);
}); // prettier-ignore
