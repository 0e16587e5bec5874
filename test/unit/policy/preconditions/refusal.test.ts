import { describe, expect, test } from '@jest/globals';
import type { EffectName } from '../../../../src/policy/action.ts';
import type { GuardInput, Proposal } from '../../../../src/policy/guard.ts';
import { refusal } from '../../../../src/policy/preconditions/refusal.ts';
import { aMetric, anUnscored, aPodVerdict, aVerdict } from '../../../support/builders/incident.ts';
import { inputFor } from '../../../support/builders/effects.ts';
import { aGuardrail, aPath, aPolicy, aRecord, withLimits } from '../../../support/builders/policy.ts';
import {
  aNode,
  aPod,
  aWorkload,
  HOUR,
  MINUTE,
  NOW,
  podRef,
  REF,
  somePods,
  withReplicas,
} from '../../../support/builders/workload.ts';

type Change = (input: GuardInput) => Partial<GuardInput>;
type Row = readonly [string, Change, string];

const pod = (over: Parameters<typeof aPod>[1]): Change => () => ({ workload: aWorkload({ pods: [aPod(0, over), aPod(1), aPod(2), aPod(3)] }) }); // prettier-ignore
const workload =
  (over: Parameters<typeof aWorkload>[0]): Change =>
  () => ({ workload: aWorkload(over) });
const parameters = (change: Partial<Proposal>): Change => ({ proposal }) => ({ proposal: { ...proposal, ...change } }); // prettier-ignore
const both = (...changes: readonly Change[]): Change => (input) => changes.reduce((sum, change) => ({ ...sum, ...change({ ...input, ...sum }) }), {}); // prettier-ignore
const scaleTo = (from: number, to: number, autoscaler?: string) =>
  parameters({ parameters: { kind: 'scale', from, to, returnAfterSeconds: 1800, ...(autoscaler === undefined ? {} : { autoscaler }) } }); // prettier-ignore
const rollout = parameters({ pods: [], parameters: { kind: 'restart', how: 'rollout' } });
const alone = (over: Parameters<typeof aWorkload>[0] = {}, ready = true) =>
  workload({ pods: [aPod(0, { ready })], ...over });
const hpa = { kind: 'HorizontalPodAutoscaler', name: 'checkout', minReplicas: 2, maxReplicas: 9 } as const;

const reasonOf = (effect: EffectName, change: Change): string => {
  const input = inputFor(effect);
  return refusal({ ...input, ...change(input) })?.reason ?? 'passes';
};

const ROWS: Record<EffectName, readonly Row[]> = {
  restart_pod: [
    ['a running pod of a ReplicaSet', () => ({}), 'passes'],
    ['a pod in crash loop is Running too', pod({ ready: false }), 'passes'],
    ['a pod of a Rollout', pod({ controllerKind: 'Rollout' }), 'passes'],
    ['a pod of a Job would not come back the same', pod({ controllerKind: 'Job' }), 'Unsupported'],
    ['a pod that is pending', pod({ phase: 'Pending', ready: false }), 'Unsupported'],
    ['a pod that is terminating', pod({ deletedAtMs: NOW }), 'InFlight'],
    ['a pod that another remover has', pod({ conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI' }] }), 'InFlight'],
    ['a pod that another remover gave up', pod({ conditions: [{ type: 'DisruptionTarget', status: 'False' }] }), 'passes'],
    ['a pod that is gone', pod({ uid: 'uid-9' }), 'TargetGone'],
    ['no pod', parameters({ pods: [] }), 'TargetGone'],
    ['its node is not ready', () => ({ nodes: [aNode({ ready: 'Unknown' })] }), 'NodeOwned'],
    ['its node is not among those that are known', () => ({ nodes: [aNode({ name: 'node-b' })] }), 'NodeOwned'],
    ['nodes may not be read: the pod itself must do', () => ({ nodes: [] }), 'passes'],
    ['nodes may not be read, and the pod says that its node is lost', both(() => ({ nodes: [] }), pod({ reason: 'NodeLost' })), 'NodeOwned'],
    ['OnDelete', workload({ strategy: 'OnDelete' }), 'Unsupported'],
    ['scaled to 0', (input) => ({ workload: withReplicas(input.workload, { desired: 0 }) }), 'SwitchedOff'],
    ['the only pod, ready: evicting it interrupts', alone(), 'WouldInterrupt'],
    ['the only pod, not ready: nothing is interrupted', alone({}, false), 'passes'],
    ['the only pod as a rollout with surge', both(alone(), rollout), 'passes'],
    ['the only pod as a rollout without surge', both(alone({ maxSurge: 0 }), rollout), 'WouldInterrupt'],
    ['the only pod, not ready, as a rollout without surge', both(alone({ maxSurge: 0 }, false), rollout), 'passes'],
    ['a rollout that recreates takes all down', both(workload({ strategy: 'Recreate' }), rollout), 'WouldInterrupt'],
    ['a rollout of four without surge goes one by one', both(workload({ maxSurge: 0 }), rollout), 'passes'],
  ],
  scale_up: [
    ['half as many more', () => ({}), 'passes'],
    ['a DaemonSet', workload({ ref: { ...REF, kind: 'DaemonSet' } }), 'Unsupported'],
    ['a StatefulSet', workload({ ref: { ...REF, kind: 'StatefulSet' } }), 'passes'],
    ['scaled to 0', (input) => ({ workload: withReplicas(input.workload, { desired: 0 }) }), 'SwitchedOff'],
    ['an HPA', workload({ autoscalers: [hpa] }), 'ReplicasOwned'],
    ['KEDA', workload({ autoscalers: [{ kind: 'ScaledObject', name: 'x' }] }), 'ReplicasOwned'],
    ['a GitOps controller', workload({ replicasManagers: ['kustomize-controller'] }), 'ReplicasOwned'],
    ['autoscalers cannot be read', workload({ autoscalersKnown: false }), 'OwnershipUnknown'],
    ['an HPA whose minimum may be raised', both(workload({ autoscalers: [hpa] }), scaleTo(2, 6, 'checkout')), 'passes'],
    ['an HPA whose minimum may be raised, beyond its maximum', both(workload({ autoscalers: [hpa] }), scaleTo(2, 10, 'checkout')), 'ReplicasOwned'],
    ['an HPA that GitOps owns as well', both(workload({ autoscalers: [hpa], replicasManagers: ['argocd-controller'] }), scaleTo(2, 6, 'checkout')), 'ReplicasOwned'],
    ['an HPA of KEDA is not raised', both(workload({ autoscalers: [{ ...hpa, name: 'keda-hpa-checkout' }] }), scaleTo(2, 6, 'keda-hpa-checkout')), 'ReplicasOwned'],
    ['the HPA is gone', scaleTo(2, 6, 'checkout'), 'TargetChanged'],
    ['the minimum of the HPA is another by now', both(workload({ autoscalers: [hpa] }), scaleTo(3, 6, 'checkout')), 'TargetChanged'],
    ['the replicas are others by now', scaleTo(3, 5), 'TargetChanged'],
    ['a pod is pending', pod({ phase: 'Pending', ready: false }), 'PodsPending'],
    ['the pods of the last step are not ready', both(pod({ ready: false }), () => ({ ledger: [aRecord({ action: 'scale_up', from: 2, to: 4 })] })), 'PodsPending'],
    ['pods are not ready, but not by a step of ours', pod({ ready: false }), 'passes'],
    ['twice as many', scaleTo(4, 8), 'passes'],
    ['more than twice as many', both(scaleTo(4, 9), () => ({ policy: withLimits(aPolicy(), { maxReplicas: 20 }) })), 'AtMaximum'],
    ['to maxReplicas', both(scaleTo(4, 5), () => ({ policy: withLimits(aPolicy(), { maxReplicas: 5 }) })), 'passes'],
    ['over maxReplicas', both(scaleTo(4, 6), () => ({ policy: withLimits(aPolicy(), { maxReplicas: 5 }) })), 'AtMaximum'],
    ['not more than now', scaleTo(4, 4), 'AtMaximum'],
    ['twice the baseline, which an earlier step had doubled', () => ({ ledger: [aRecord({ action: 'scale_up', from: 2, to: 4 })] }), 'AtMaximum'],
    ['an earlier step that was taken back does not count', () => ({ ledger: [aRecord({ action: 'scale_up', from: 3, to: 5 })] }), 'passes'],
    ['room in the quota', workload({ quotaPodsLeft: 2 }), 'passes'],
    ['no room in the quota', workload({ quotaPodsLeft: 1 }), 'QuotaExceeded'],
    ['parameters of something else', parameters({ parameters: { kind: 'restart', how: 'evict' } }), 'Unsupported'],
  ],
  scale_down: [
    ['one of four idle pods less', () => ({}), 'passes'],
    ['half of them', scaleTo(4, 2), 'passes'],
    ['less than half of them', scaleTo(4, 1), 'AtMinimum'],
    ['none less', scaleTo(4, 4), 'AtMinimum'],
    ['under minReplicas', both(scaleTo(4, 2), () => ({ policy: withLimits(aPolicy(), { minReplicas: 3 }) })), 'AtMinimum'],
    ['a StatefulSet without minReplicas', workload({ ref: { ...REF, kind: 'StatefulSet' } }), 'Unsupported'],
    ['a StatefulSet with minReplicas', both(workload({ ref: { ...REF, kind: 'StatefulSet' } }), () => ({ policy: withLimits(aPolicy(), { minReplicas: 2 }) })), 'passes'],
    ['an HPA, though its minimum might be raised', workload({ autoscalers: [hpa] }), 'ReplicasOwned'],
    ['a pod that is not measured', ({ verdict }) => ({ verdict: { ...verdict, pods: verdict.pods.slice(1) } }), 'MetricsMissing'],
    ['a metric that is not there', ({ verdict }) => ({ verdict: { ...verdict, pods: verdict.pods.map((each, i) => (i === 0 ? { ...each, metrics: [anUnscored('cpu_usage')] } : each)) } }), 'MetricsMissing'],
    ['not complete now', ({ completeSinceMs: _left, ...input }) => ({ ...input, completeSinceMs: NOW + MINUTE }), 'MetricsMissing'],
    ['complete for less than five minutes', () => ({ completeSinceMs: NOW - 5 * MINUTE + 1 }), 'MetricsMissing'],
    ['complete for five minutes', () => ({ completeSinceMs: NOW - 5 * MINUTE }), 'passes'],
    ['another incident is open', () => ({ openIncidents: ['incident-1', 'incident-2'] }), 'IncidentOpen'],
    ['the others would be too busy: 10 of 70 a pod becomes 40 of 70', both(scaleTo(4, 2), () => ({ verdict: aVerdict({ pods: [0, 1, 2, 3].map((i) => aPodVerdict(podRef(i), { metrics: [aMetric('cpu_usage', 25, 0.9)] })) }) })), 'AtMinimum'],
    ['the others would be just busy enough', both(scaleTo(4, 2), () => ({ verdict: aVerdict({ pods: [0, 1, 2, 3].map((i) => aPodVerdict(podRef(i), { metrics: [aMetric('cpu_usage', 24, 0.9)] })) }) })), 'passes'],
    ['a limit of the policy is what counts', ({ policy }) => ({ policy: { ...policy, detection: { ...policy.detection, metrics: [{ name: 'cpu_usage', unit: '%', direction: 'Above', limit: { enter: 15, leave: 10, forSeconds: 0 } }] } } }), 'AtMinimum'],
  ],
  throttle_api: [
    ['a provider carries the traffic', () => ({}), 'passes'],
    ['none does', () => ({ throttlePaths: [] }), 'UnsupportedByCluster'],
    ['another one does', () => ({ throttlePaths: [aPath('Istio')] }), 'UnsupportedByCluster'],
    ['no limit can be said', ({ proposal }) => ({ proposal: { ...proposal, parameters: { kind: 'throttle', throttle: { provider: 'Auto', percentOfBaseline: 80, ttlSeconds: 900 }, limitPerSecond: 0, routes: [] } } }), 'NoBaseline'],
    ['they could not be looked for', ({ throttlePaths: _left, ...input }) => ({ ...input, throttlePaths: undefined }) as never, 'UnsafeToRead'],
    ['another policy limits the route', () => ({ throttlePaths: [aPath('EnvoyGateway', { routes: ['checkout'], refused: { reason: 'ThrottleConflict', message: 'limited', object: 'theirs' } })] }), 'ThrottleConflict'],
    ['the action’s own object limits it', () => ({ selfName: 'checkout-1', throttlePaths: [aPath('EnvoyGateway', { routes: ['checkout'], refused: { reason: 'ThrottleConflict', message: 'limited', object: 'aegis-checkout-1' } })] }), 'passes'],
    ['the gateway’s definition is too old', () => ({ throttlePaths: [aPath('EnvoyGateway', { routes: ['checkout'], refused: { reason: 'UnsupportedByCluster', message: 'too old' } })] }), 'UnsupportedByCluster'],
    ['the traffic comes another way by now', () => ({ throttlePaths: [aPath('EnvoyGateway', { routes: ['shop'] })] }), 'TargetChanged'],
  ],
  clear_cache: [
    ['over http', () => ({}), 'passes'],
    ['a pod that is not ready', pod({ ready: false }), 'Unsupported'],
    ['a pod on the host network', pod({ hostNetwork: true }), 'Unsupported'],
    ['a pod without a controller', ({ workload: given }) => ({ workload: { ...given, pods: given.pods.map(({ controllerKind: _left, ...each }) => each) } }), 'NoController'],
    ['a pod that is gone', pod({ uid: 'uid-9' }), 'TargetGone'],
    ['two pods at once', parameters({ pods: [podRef(0), podRef(1)] }), 'Unsupported'],
    ['the store behind it is well', () => ({ backingStore: 'healthy' }), 'passes'],
    ['the store behind it is not well', () => ({ backingStore: 'anomalous' }), 'DependencyUnhealthy'],
    ['whether the store behind it is well is not known', () => ({ backingStore: 'unknown' }), 'DependencyUnhealthy'],
    ['cleared an hour ago', () => ({ ledger: [aRecord({ action: 'clear_cache', podUids: ['uid-0'], decidedAtMs: NOW - HOUR })] }), 'passes'],
    ['cleared less than an hour ago', () => ({ ledger: [aRecord({ action: 'clear_cache', podUids: ['uid-0'], decidedAtMs: NOW - HOUR + 1 })] }), 'Cooldown'],
    ['that of another pod was', () => ({ ledger: [aRecord({ action: 'clear_cache', podUids: ['uid-1'], decidedAtMs: NOW - MINUTE })] }), 'passes'],
    ['a command that no guardrail lists', parameters({ parameters: { kind: 'cache', cache: { exec: { container: 'app', command: ['flush'] } } } }), 'CommandNotAllowed'],
    ['a command that the guardrail lists', both(parameters({ parameters: { kind: 'cache', cache: { exec: { container: 'app', command: ['flush'] } } } }), () => ({ guardrails: [aGuardrail({ execCommands: [['flush']] })] })), 'passes'],
    ['a command with one word more', both(parameters({ parameters: { kind: 'cache', cache: { exec: { container: 'app', command: ['flush', 'all'] } } } }), () => ({ guardrails: [aGuardrail({ execCommands: [['flush']] })] })), 'CommandNotAllowed'],
    ['a command on the host network asks no address', both(pod({ hostNetwork: true }), parameters({ parameters: { kind: 'cache', cache: { exec: { container: 'app', command: ['flush'] } } } }), () => ({ guardrails: [aGuardrail({ execCommands: [['flush']] })] })), 'passes'],
    ['it is not declared', parameters({ parameters: { kind: 'restart', how: 'evict' } }), 'NotDeclared'],
  ],
}; // prettier-ignore

describe.each(Object.entries(ROWS) as [EffectName, readonly Row[]][])('%s', (effect, rows) => {
  test.each(rows)('%s', (_sentence, change, expected) => expect(reasonOf(effect, change)).toBe(expected));
});

test('advice: an HPA at its maximum should be raised', () => {
  const input = inputFor('scale_up');
  const full = aWorkload({ pods: somePods(9), autoscalers: [hpa] });
  expect(refusal({ ...input, workload: full })?.message).toContain('it is at its maximum of 9: raise that');
});

test.each(['completeSinceMs', 'openIncidents'] as const)('scaling down while %s is not known is refused', (field) => {
  const { [field]: _left, ...input } = inputFor('scale_down');
  expect(['MetricsMissing', 'IncidentOpen']).toContain(refusal(input)?.reason);
});
