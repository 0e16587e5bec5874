import { describe, expect, test } from '@jest/globals';
import { withTransitions } from '../../../src/healing/conditions.ts';
import { improvement, improvementOf } from '../../../src/healing/improvement.ts';
import type { PolicyCondition } from '../../../src/healing/policy-status.ts';
import { policyStatus } from '../../../src/healing/status.ts';
import type { StatusInput } from '../../../src/healing/status.ts';
import { aDiagnosis, anIncident } from '../../support/builders/incident.ts';
import { aGuardrail, aPolicy, aRecord } from '../../support/builders/policy.ts';
import { MINUTE, NOW, REF } from '../../support/builders/workload.ts';

const FIRST: StatusInput = {
  nowMs: NOW,
  generation: 2,
  policy: aPolicy(),
  problems: [],
  guardrails: [],
  incidents: [],
  actions: [],
};
const SETTLED: StatusInput = {
  ...FIRST,
  targets: { matched: 2, anomalous: 0, unknown: 0 },
  metrics: { available: ['cpu_usage', 'memory_usage'], problems: [] },
  learned: { samples: 120, wanted: 100 },
  conflicts: [],
  limits: [],
};
type Type = PolicyCondition['type'];
const condition = (input: StatusInput, type: Type) => policyStatus(input).conditions.find((each) => each.type === type);
const inShort = (input: StatusInput, type: Type) =>
  `${condition(input, type)?.status} ${condition(input, type)?.reason}`;
const TYPES: readonly Type[] = ['Accepted', 'Ready', 'MetricsAvailable', 'Learned', 'Healthy', 'Paused', 'Conflict', 'Limited']; // prettier-ignore

test('all eight conditions are there on the first visit, Unknown included', () => {
  const { conditions, observedGeneration } = policyStatus(FIRST);
  expect(conditions.map(({ type, status }) => [type, status])).toEqual([
    ['Accepted', 'True'],
    ['Ready', 'Unknown'],
    ['MetricsAvailable', 'Unknown'],
    ['Learned', 'Unknown'],
    ['Healthy', 'Unknown'],
    ['Paused', 'False'],
    ['Conflict', 'Unknown'],
    ['Limited', 'Unknown'],
  ]);
  expect(observedGeneration).toBe(2);
  expect(new Set(conditions.map((each) => each.observedGeneration))).toEqual(new Set([2]));
});

test('a policy that is well and free', () => {
  expect(TYPES.map((type) => inShort(SETTLED, type))).toEqual([
    'True Valid',
    'True Ready',
    'True Available',
    'True Learned',
    'True Healthy',
    'False Running',
    'False Alone',
    'False Unlimited',
  ]);
});

describe('conditions', () => {
  const problem = { path: 'spec.rules[0]', reason: 'RuleInvalid', message: 'Unknown variable: pod' };
  const broken = { metric: 'cpu_usage', reason: 'Unreachable', message: 'connection refused' };
  test.each<readonly [string, Partial<StatusInput>, Type, string]>([
    ['a rule is invalid', { problems: [problem] }, 'Accepted', 'False RuleInvalid'],
    ['a policy with problems is not ready', { problems: [problem] }, 'Ready', 'False NotAccepted'],
    ['it cannot be read at all', { policy: undefined }, 'Accepted', 'False Invalid'],
    ['it cannot be read: whether it is paused is not known', { policy: undefined }, 'Paused', 'Unknown NotKnownYet'],
    ['no workload is selected', { targets: { matched: 0, anomalous: 0, unknown: 0 } }, 'Ready', 'False TargetNotFound'],
    ['no workload is selected: nobody knows about health', { targets: { matched: 0, anomalous: 0, unknown: 0 } }, 'Healthy', 'Unknown TargetNotFound'],
    ['Prometheus is down', { metrics: { available: [], problems: [broken] } }, 'MetricsAvailable', 'False Unreachable'],
    ['Prometheus is down: not ready, with that reason', { metrics: { available: [], problems: [broken] } }, 'Ready', 'False Unreachable'],
    ['no series exists', { metrics: { available: [], problems: [] } }, 'MetricsAvailable', 'False NoSeries'],
    ['it learns', { learned: { samples: 99, wanted: 100 } }, 'Learned', 'False Learning'],
    ['a workload is anomalous', { targets: { matched: 2, anomalous: 1, unknown: 0 } }, 'Healthy', 'False Anomalous'],
    ['a workload cannot be judged', { targets: { matched: 2, anomalous: 0, unknown: 1 } }, 'Healthy', 'Unknown InsufficientData'],
    ['an incident is open', { incidents: [{ incident: anIncident() }] }, 'Healthy', 'False IncidentOpen'],
    ['a pause request', { policy: aPolicy({ pauseRequests: [{ name: 'anna', reason: 'x' }] }) }, 'Paused', 'True Paused'],
    ['a pause request: not ready', { policy: aPolicy({ pauseRequests: [{ name: 'anna', reason: 'x' }] }) }, 'Ready', 'False Paused'],
    ['the kill switch', { guardrails: [aGuardrail({ suspended: true })] }, 'Paused', 'True Suspended'],
    ['guardrails cannot be read', { guardrails: undefined }, 'Paused', 'Unknown GuardrailUnknown'],
    ['guardrails cannot be read: whether it is ready is not known', { guardrails: undefined }, 'Ready', 'Unknown GuardrailUnknown'],
    ['another policy has precedence', { conflicts: [{ workload: 'Deployment shop/checkout', policy: 'shop' }] }, 'Conflict', 'True Conflict'],
    ['a guardrail is stricter', { limits: ['maxMode Observe by guardrail cluster'] }, 'Limited', 'True Limited'],
    ['a rung cannot be used here', { unsupported: ['throttle_api is not enabled'] }, 'Limited', 'True UnsupportedByCluster'],
    ['a rung cannot be used and a guardrail is stricter', { unsupported: ['x'], limits: ['y'] }, 'Limited', 'True UnsupportedByCluster'],
  ])('%s', (_sentence, over, type, expected) => expect(inShort({ ...SETTLED, ...over }, type)).toBe(expected)); // prettier-ignore

  test('a transition time moves only with the status, not with reason or message', () => {
    const first = policyStatus(SETTLED);
    const later = { ...SETTLED, nowMs: NOW + MINUTE, previous: first };
    expect(policyStatus(later).conditions).toEqual(first.conditions);
    const renamed = { ...later, metrics: { available: ['cpu_usage'], problems: [] } };
    expect(condition(renamed, 'MetricsAvailable')).toMatchObject({ message: 'cpu_usage', lastTransitionMs: NOW });
    const broken = { ...later, metrics: { available: [], problems: [] } };
    expect(condition(broken, 'MetricsAvailable')?.lastTransitionMs).toBe(NOW + MINUTE);
  });

  test('a condition that is new begins now', () => {
    expect(withTransitions([{ type: 'A', status: 'True' }], [], NOW)).toEqual([{ type: 'A', status: 'True', lastTransitionMs: NOW }]); // prettier-ignore
  });
});

describe('incidents', () => {
  const hold = (message: string) => ({ kind: 'hold', id: 'd', reason: 'Cooldown', message, action: 'restart_pod', step: 1, skipped: [] }) as const; // prettier-ignore
  const one = (message: string) => [{ incident: anIncident(), diagnosis: aDiagnosis(), decision: hold(message) }];

  test('each says why it acts or why not', () => {
    expect(policyStatus({ ...SETTLED, incidents: one('45 s ago') }).incidents).toEqual([
      {
        id: 'incident-1',
        workload: 'Deployment shop/checkout',
        failureType: 'memory_leak',
        severity: 'critical',
        sinceMs: NOW - MINUTE,
        step: 1,
        decision: 'hold',
        reason: 'Cooldown: 45 s ago',
      },
    ]);
  });

  test('numbers that grow with every poll do not change the status', () => {
    const first = policyStatus({ ...SETTLED, incidents: one('45 s ago') });
    expect(policyStatus({ ...SETTLED, nowMs: NOW + MINUTE, previous: first, incidents: one('60 s ago') })).toEqual(
      first,
    );
  });

  test('another reason does', () => {
    const previous = policyStatus({ ...SETTLED, incidents: one('45 s ago') });
    const incidents = [{ incident: anIncident(), diagnosis: aDiagnosis(), decision: { ...hold('x'), reason: 'Backoff' as const } }]; // prettier-ignore
    expect(policyStatus({ ...SETTLED, previous, incidents }).incidents[0]?.reason).toBe('Backoff: x');
  });

  test('at most ten, the worst first, then the oldest', () => {
    const incidents = Array.from({ length: 12 }, (_, n) => ({
      incident: anIncident({ id: `i-${n}`, peakScore: n === 11 ? 1 : 0.5, openedAtMs: NOW - n * MINUTE, workload: { ...REF, name: `w-${n}` } }),
    })); // prettier-ignore
    const shown = policyStatus({ ...SETTLED, incidents }).incidents.map(({ id }) => id);
    expect(shown).toEqual(['i-11', 'i-10', 'i-9', 'i-8', 'i-7', 'i-6', 'i-5', 'i-4', 'i-3', 'i-2']);
  });
});

test('the last action, with its outcome', () => {
  const actions = [aRecord({ name: 'old', decidedAtMs: NOW - 2 * MINUTE }), aRecord({ name: 'new', decidedAtMs: NOW - MINUTE, state: 'Ineffective', reason: 'NotReady' })]; // prettier-ignore
  expect(policyStatus({ ...SETTLED, actions }).lastAction).toEqual({
    name: 'new',
    action: 'restart_pod',
    target: 'Deployment shop/checkout',
    outcome: 'Ineffective (NotReady)',
    atMs: NOW - MINUTE,
  });
  expect(policyStatus(SETTLED).lastAction).toBeUndefined();
});

describe('improvement', () => {
  test.each([
    [100, 70, 'Above', 0.3],
    [100, 130, 'Above', -0.3],
    [100, 130, 'Below', 0.3],
    [100, 70, 'Both', 0.3],
    [-10, -13, 'Above', 0.3],
    [0, 5, 'Above', -1],
    [0, 0, 'Above', 0],
  ] as const)('from %d to %d (%s is harmful) is %d', (before, after, direction, expected) => {
    expect(improvement(before, after, direction)).toBeCloseTo(expected);
  });
  test('is the mean over what is known on both sides', () => {
    expect(improvementOf({ a: 100, b: 100, c: 1 }, { a: 50, b: 90 })).toBeCloseTo(0.3);
    expect(improvementOf({ a: 1 }, {})).toBeUndefined();
  });
});
