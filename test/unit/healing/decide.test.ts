import { describe, expect, test } from '@jest/globals';
import { decide } from '../../../src/healing/decide.ts';
import type { DecisionInput } from '../../../src/healing/decide.ts';
import { aDecisionInput, inShort, intentOf } from '../../support/builders/decision.ts';
import { aDiagnosis, anIllPod, anIncident, aVerdict } from '../../support/builders/incident.ts';
import { aGuardrail, aPath, aPolicy, aRecord, aStep } from '../../support/builders/policy.ts';
import { aPod, aWorkload, HOUR, MINUTE, NOW, podRef, REF, SECOND } from '../../support/builders/workload.ts';

const ALL = [0, 1, 2, 3].map(podRef);
const storm = { active: true, scope: 'cluster', anomalous: 5, watched: 6 } as const;
const openedMinutesAgo = (minutes: number) => anIncident({ openedAtMs: NOW - minutes * MINUTE });

/** A restart in this incident, at the second rung of the leak's ladder (clear_cache, restart_pod, alert_admin). */
const aRestart = (over: Parameters<typeof aRecord>[0]) =>
  aRecord({ incidentId: 'incident-1', step: 1, podUids: ['uid-0'], ...over });

const anAlert = (over: Parameters<typeof aRecord>[0] = {}) =>
  aRecord({ incidentId: 'incident-1', step: 2, action: 'alert_admin', spent: false, state: 'Healed', ...over });

const surge = (over: Partial<DecisionInput> = {}): Partial<DecisionInput> => ({
  diagnosis: aDiagnosis({ failureType: 'traffic_surge', pods: ALL }),
  incident: anIncident({ pods: ALL, metrics: ['request_rate'] }),
  verdict: aVerdict({ pods: ALL.map(anIllPod) }),
  ...over,
});

/** Named, with the callee; `payments` has its own policy or none. */
const dependencyDown: Partial<DecisionInput> = {
  ...surge(),
  diagnosis: aDiagnosis({ failureType: 'dependency_down', cause: { kind: 'dependency', name: 'payments' }, pods: ALL }),
  throttlePaths: [],
};

const ROWS: readonly (readonly [string, Partial<DecisionInput>, string])[] = [
  ['a leak in one of four pods: that pod is restarted, the undeclared cache is skipped', {}, 'act restart_pod 1'],
  ['a surge on all pods: scaled up', surge(), 'act scale_up 0'],
  ['a surge on a workload that an HPA scales: the next rung finds no provider, people are told', surge({
    throttlePaths: [],
    workload: aWorkload({ autoscalers: [{ kind: 'HorizontalPodAutoscaler', name: 'checkout' }] }) }), 'act alert_admin 2'],
  ['a bad image: people at once', { diagnosis: aDiagnosis({ failureType: 'image_error' }) }, 'act alert_admin 0'],
  ['a crash loop of all pods: people at once', { diagnosis: aDiagnosis({ failureType: 'crash_loop', pods: ALL }) }, 'act alert_admin 0'],
  ['a crash loop of all pods in a storm: the storm has its own alert', { storm, diagnosis: aDiagnosis({ failureType: 'crash_loop', pods: ALL }) }, 'hold StormActive 0'],
  ['a crash loop of all pods after a storm: people are told then', { storm: { ...storm, active: false }, incident: openedMinutesAgo(60), diagnosis: aDiagnosis({ failureType: 'crash_loop', pods: ALL }) }, 'act alert_admin 0'],
  ['a crash loop of one of four: restarted', { diagnosis: aDiagnosis({ failureType: 'crash_loop' }),
    workload: aWorkload({ pods: [aPod(0, { ready: false }), aPod(1), aPod(2), aPod(3)] }) }, 'act restart_pod 0'],
  ['no type named: people, with the evidence', { diagnosis: aDiagnosis({ failureType: 'unknown', abstained: 'two causes' }) }, 'act alert_admin 0'],
  ['no type named in the first polls: it may still show its shape', { incident: openedMinutesAgo(0.2), diagnosis: aDiagnosis({ failureType: 'unknown', abstained: 'two causes' }) }, 'hold LowConfidence 0'],
  ['no type named in a storm: the storm has its own alert', { storm, diagnosis: aDiagnosis({ failureType: 'unknown', abstained: 'x' }) }, 'hold StormActive 0'],
  ['no type named during a rollout: the rollout is named', { workload: aWorkload({ generation: 4 }), diagnosis: aDiagnosis({ failureType: 'unknown', abstained: 'x' }) }, 'hold RolloutInProgress 0'],
  ['no type named, a node explains it: the node is named', { diagnosis: aDiagnosis({ failureType: 'unknown', abstained: 'x', cause: { kind: 'node', name: 'n' } }) }, 'hold CauseElsewhere 0'],
  ['a dependency is down and its callers cannot be limited: they wait for it', { ...dependencyDown, incident: openedMinutesAgo(2) }, 'hold CauseElsewhere 1'],
  ['it stays down for long: people are told by its callers as well', { ...dependencyDown, incident: openedMinutesAgo(6) }, 'act alert_admin 1'],
  ['a dependency is down and its callers can be limited', { ...dependencyDown, throttlePaths: [aPath('Istio')], healthyRequestRate: 50 }, 'act throttle_api 0'],
  ['no type named on stale samples: nobody is told yet', { diagnosis: aDiagnosis({ failureType: 'unknown', abstained: 'x' }), verdict: aVerdict({ oldestSampleMs: NOW - 10 * MINUTE }) }, 'hold StaleData 0'],
  ['a storm holds effects', { storm }, 'hold StormActive 1'],
  ['a storm holds, however long: it has its own alert', { storm, incident: openedMinutesAgo(60) }, 'hold StormActive 1'],
  ['a pause holds', { policy: aPolicy({ pauseRequests: [{ name: 'anna', reason: 'x' }] }) }, 'hold Paused 1'],
  ['a pause that outlasts the rung: people are told', { policy: aPolicy({ pauseRequests: [{ name: 'anna', reason: 'x' }] }), incident: openedMinutesAgo(6) }, 'act alert_admin 2'],
  ['the kill switch outlasts the rung: people are told', { guardrails: [aGuardrail({ suspended: true })], incident: openedMinutesAgo(6) }, 'act alert_admin 2'],
  ['unreadable guardrails hold', { guardrails: undefined }, 'hold GuardrailUnknown 1'],
  ['told already: the wait goes on', { policy: aPolicy({ pauseRequests: [{ name: 'anna', reason: 'x' }] }), incident: openedMinutesAgo(6), ledger: [anAlert()] }, 'hold Paused 1'],
  ['not the leader', { leader: false }, 'hold NotLeader 0'],
  ['another policy has precedence: it neither acts nor tells', { actingPolicyUid: 'p-other', incident: openedMinutesAgo(60) }, 'hold Conflict 0'],
  ['the incident is over', { incident: anIncident({ resolvedAtMs: NOW - SECOND }) }, 'ignore'],
  ['the workload was deleted and made anew', { workload: aWorkload({ ref: { ...REF, uid: 'w-2' } }) }, 'hold TargetGone 0'],
  ['the history cannot be read', { ledger: undefined }, 'hold HistoryUnavailable 0'],
  ['the history cannot be read for long: people are told all the same', { ledger: undefined, incident: openedMinutesAgo(6) }, 'act alert_admin 2'],
  ['an action is under way', { ledger: [aRestart({ state: 'Verifying' })] }, 'hold InFlight 1'],
  ['an eviction that a full budget blocks is waited for', { ledger: [aRestart({ state: 'Blocked', reason: 'DisruptionBudget', spent: false, decidedAtMs: NOW - MINUTE })], incident: openedMinutesAgo(2) }, 'hold DisruptionBudget 1'],
  ['it stays blocked for longer than the rung: people are told', { ledger: [aRestart({ state: 'Blocked', reason: 'DisruptionBudget', spent: false, decidedAtMs: NOW - MINUTE })], incident: openedMinutesAgo(6) }, 'act alert_admin 2'],
  ['people know of the blocked eviction already', { ledger: [aRestart({ state: 'Blocked', reason: 'DisruptionBudget', spent: false, decidedAtMs: NOW - MINUTE }), anAlert()], incident: openedMinutesAgo(20) }, 'hold DisruptionBudget 1'],
  ['an action of another policy is under way on the workload', { ledger: [aRecord({ state: 'Executing', policyUid: 'p-2' })] }, 'hold InFlight 0'],
  ['an excluded workload: people', { workload: aWorkload({ labels: { 'healing.aegis.dev/exclude': 'true' } }) }, 'act alert_admin 2'],
  ['kube-system: people', { workload: aWorkload({ ref: { ...REF, namespace: 'kube-system' } }) }, 'act alert_admin 2'],
  ['the action is not allowed: the next rung', surge({ guardrails: [aGuardrail({ allowedActions: ['throttle_api', 'alert_admin'] })], throttlePaths: [aPath('Istio')], healthyRequestRate: 50 }), 'act throttle_api 1'],
  ['a rule denies: the next rung', surge({ policy: aPolicy({ rules: [{ name: 'no-scale', expression: 'action.name == "scale_up"', effect: 'Deny' }] }), throttlePaths: [aPath('Istio')], healthyRequestRate: 50 }), 'act throttle_api 1'],
  ['the rung is spent and did not help: people', { ledger: [aRestart({ state: 'Ineffective', decidedAtMs: NOW - 20 * MINUTE })] }, 'act alert_admin 2'],
  ['people were told after the ladder: nothing more', { ledger: [aRestart({ state: 'Ineffective', decidedAtMs: NOW - 20 * MINUTE }), anAlert()] }, 'hold AttemptsSpent 2'],
  ['told of an empty ladder: nothing more', { diagnosis: aDiagnosis({ failureType: 'image_error' }), ledger: [anAlert({ step: 0 })] }, 'ignore'],
  ['no sink took the alert: tried anew later', { diagnosis: aDiagnosis({ failureType: 'image_error' }), ledger: [anAlert({ state: 'Failed', endedAtMs: NOW - 11 * MINUTE })] }, 'act alert_admin 0'],
  ['no sink took the alert a moment ago', { diagnosis: aDiagnosis({ failureType: 'image_error' }), ledger: [anAlert({ state: 'Failed', endedAtMs: NOW - MINUTE })] }, 'ignore'],
  ['a first pod was healed: the next wave waits for the cooldown', { ledger: [aRestart({ state: 'Healed', podUids: ['uid-9'], decidedAtMs: NOW - 2 * MINUTE })] }, 'hold Cooldown 1'],
  ['a first pod was healed: the next wave', { ledger: [aRestart({ state: 'Healed', podUids: ['uid-9'], decidedAtMs: NOW - 10 * MINUTE })] }, 'act restart_pod 1'],
  ['the only carrier was treated and is still there', { ledger: [aRestart({ state: 'Healed', decidedAtMs: NOW - 10 * MINUTE })] }, 'hold InsufficientData 1'],
  ['a person refused: the next rung', { ledger: [aRestart({ state: 'Denied', spent: false, reason: 'DeniedByPerson' })] }, 'act alert_admin 2'],
  ['nobody approved in time: the next rung', { ledger: [aRestart({ state: 'Expired', spent: false, reason: 'ApprovalExpired' })] }, 'act alert_admin 2'],
  ['a live read found the only carrier gone, the caches show it still: no second object', { ledger: [aRestart({ state: 'Superseded', spent: false, reason: 'TargetGone', endedAtMs: NOW - 5 * SECOND })] }, 'hold TargetChanged 1'],
  ['it is found gone and another pod carries the failure too: that one', { ledger: [aRestart({ state: 'Superseded', spent: false, reason: 'TargetGone', endedAtMs: NOW - 5 * SECOND })],
    diagnosis: aDiagnosis({ pods: [0, 1].map(podRef) }), incident: anIncident({ pods: [0, 1].map(podRef) }), verdict: aVerdict({ pods: [anIllPod(podRef(0)), anIllPod(podRef(1))] }) }, 'act restart_pod 1'],
  ['one of two that were to be treated is not shown any more: the other is looked at again', { ledger: [aRestart({ state: 'Superseded', spent: false, reason: 'TargetGone', podUids: ['uid-0', 'uid-8'], endedAtMs: NOW - 5 * SECOND })] }, 'act restart_pod 1'],
  ['it was found gone ten minutes ago and is still shown: tried again', { ledger: [aRestart({ state: 'Superseded', spent: false, reason: 'TargetGone', decidedAtMs: NOW - 11 * MINUTE, endedAtMs: NOW - 11 * MINUTE })] }, 'act restart_pod 1'],
  ['a live read found the workload made anew: no second object', { ledger: [aRestart({ state: 'Superseded', spent: false, reason: 'TargetChanged', endedAtMs: NOW - 5 * SECOND })] }, 'hold TargetChanged 1'],
  ['Observe: found gone before the dry run, no second object', { policy: aPolicy({ mode: 'Observe' }), ledger: [aRestart({ dryRun: true, state: 'Superseded', spent: false, reason: 'TargetGone', endedAtMs: NOW - 5 * SECOND })] }, 'hold TargetChanged 1'],
  ['refused at the write for what waiting does not cure: the next rung, not the same again', { ledger: [aRestart({ state: 'Denied', spent: false, reason: 'NoController', endedAtMs: NOW - 5 * SECOND })] }, 'act alert_admin 2'],
  ['refused at the write ten minutes ago: it may be tried again', { ledger: [aRestart({ state: 'Denied', spent: false, reason: 'NoController', decidedAtMs: NOW - 11 * MINUTE, endedAtMs: NOW - 11 * MINUTE })] }, 'act restart_pod 1'],
  ['found excluded at the write: the ladder ends', surge({ ledger: [aRecord({ incidentId: 'incident-1', action: 'scale_up', state: 'Denied', spent: false, reason: 'Excluded', decidedAtMs: NOW - MINUTE, endedAtMs: NOW - 5 * SECOND })], throttlePaths: [aPath('Istio')], healthyRequestRate: 50 }), 'act alert_admin 2'],
  ['Observe: refused before the dry run would not have been done, so the next rung is looked at', surge({ policy: aPolicy({ mode: 'Observe' }), ledger: [aRecord({ incidentId: 'incident-1', dryRun: true, action: 'scale_up', state: 'Denied', spent: false, reason: 'ReplicasOwned', decidedAtMs: NOW - MINUTE, endedAtMs: NOW - 5 * SECOND })], throttlePaths: [aPath('Istio')], healthyRequestRate: 50 }), 'act throttle_api 1'],
  ['an intent expired unsent: proposed anew', { ledger: [aRestart({ state: 'Expired', spent: false, reason: 'Expired' })] }, 'act restart_pod 1'],
  ['a scaling was undone: the next rung', surge({ ledger: [aRecord({ incidentId: 'incident-1', action: 'scale_up', state: 'RolledBack', decidedAtMs: NOW - 20 * MINUTE })], throttlePaths: [aPath('Istio')], healthyRequestRate: 50 }), 'act throttle_api 1'],
  ['a leak returns half an hour after its cure: the rung after it', { ledger: [aRecord({ step: 1, endedAtMs: NOW - 30 * MINUTE })] }, 'act alert_admin 2'],
  ['another failure was cured half an hour ago: from the bottom', { ledger: [aRecord({ step: 1, failureType: 'crash_loop', endedAtMs: NOW - 30 * MINUTE })] }, 'act restart_pod 1'],
  ['a leak returns after two hours: from the bottom', { ledger: [aRecord({ step: 1, decidedAtMs: NOW - 2 * HOUR, endedAtMs: NOW - 2 * HOUR })] }, 'act restart_pod 1'],
  ['three effects in a day did not help: people', { diagnosis: aDiagnosis({ failureType: 'cpu_saturation' }), ledger: [2, 3, 4].map((n) => aRecord({ state: 'Ineffective', incidentId: `i-${n}`, decidedAtMs: NOW - n * HOUR })) }, 'act alert_admin 1'],
  ['Observe: a dry run', { policy: aPolicy({ mode: 'Observe' }) }, 'act restart_pod 1'],
  ['Observe: once an incident', { policy: aPolicy({ mode: 'Observe' }), ledger: [aRestart({ dryRun: true, spent: false, state: 'Denied', reason: 'ObserveOnly' })] }, 'hold ObserveOnly 1'],
  ['Observe: nobody is told', { policy: aPolicy({ mode: 'Observe' }), diagnosis: aDiagnosis({ failureType: 'image_error' }) }, 'hold ObserveOnly 0'],
  ['Observe: nobody is told of a wait either', { policy: aPolicy({ mode: 'Observe' }), leader: true, guardrails: [aGuardrail({ suspended: true })], incident: openedMinutesAgo(60) }, 'hold Suspended 1'],
  ['from Observe to Auto: the dry run is no attempt', { ledger: [aRestart({ dryRun: true, spent: false, state: 'Denied', reason: 'ObserveOnly' })] }, 'act restart_pod 1'],
  ['well again by the last poll: nobody is told', { diagnosis: aDiagnosis({ failureType: 'image_error' }), verdict: aVerdict({ state: 'healthy' }) }, 'hold InsufficientData 0'],
  ['a remedy that asks for nothing', { policy: aPolicy({ remedies: [{ on: ['any'], minSeverity: 'low', steps: [aStep('no_action')] }] }) }, 'ignore'],
  ['a severity that no notification asks for', { diagnosis: aDiagnosis({ failureType: 'image_error', severityScore: 0.6 }), policy: aPolicy({ notifications: [{ sink: 'pager', minSeverity: 'critical' }] }) }, 'ignore'],
  ['the policy engine was not asked yet', { policyEngineConfigured: true }, 'hold PolicyEngineUnavailable 1'],
]; // prettier-ignore

describe('decide', () => {
  test.each(ROWS)('%s', (_sentence, over, expected) => {
    expect(inShort(decide(aDecisionInput(over)))).toBe(expected);
  });

  test('a policy rule for a metric acts without a named type', () => {
    const decision = decide(
      aDecisionInput({
        policy: aPolicy({
          remedies: [{ on: ['anomaly:memory_usage'], minSeverity: 'low', steps: [aStep('restart_pod')] }],
        }),
        diagnosis: aDiagnosis({ failureType: 'unknown', confidence: 0.1, lead: 0, abstained: 'no signature fits' }),
      }),
    );
    expect(inShort(decision)).toBe('act restart_pod 0');
  });

  test('the skipped rungs answer "why not"', () => {
    const decision = decide(aDecisionInput());
    expect(decision.kind === 'act' && decision.skipped).toEqual([
      { step: 0, action: 'clear_cache', reason: 'NotDeclared', message: 'no step of the policy declares the cache' },
    ]);
  });
});

describe('what is decided', () => {
  test('the intent carries everything to do it, to undo it and to tell whether it helped', () => {
    const intent = intentOf(decide(aDecisionInput()));
    expect(intent).toMatchObject({
      namespace: 'shop',
      policy: { name: 'checkout', uid: 'p-checkout', generation: 1 },
      incidentId: 'incident-1',
      attempt: 1,
      pods: [podRef(0)],
      parameters: { kind: 'restart', how: 'evict' },
      baseline: {
        podUids: ['uid-0', 'uid-1', 'uid-2', 'uid-3'],
        desiredReplicas: 4,
        readyReplicas: 4,
        templateHash: 'abc',
        metrics: { memory_usage: 93 },
        peerMetrics: { memory_usage: 50 },
        unhealthyPeerUids: [],
      },
      metrics: ['memory_usage'],
      reason: 'memory_leak in pod pod-0: restart pod pod-0',
      expiresAtMs: NOW + 300 * SECOND,
      execution: 'Enforce',
      approvalRequired: false,
    });
  });

  test('the same input gives the same decision, id and name', () => {
    expect(decide(aDecisionInput())).toEqual(decide(aDecisionInput()));
  });

  test('what does harm is named as harm, even where it could not be done now', () => {
    const ladder = [{ on: ['image_error'], minSeverity: 'low' as const, steps: [aStep('scale_up')] }];
    const decision = decide(
      aDecisionInput({
        policy: aPolicy({ remedies: ladder }),
        diagnosis: aDiagnosis({ failureType: 'image_error', pods: ALL }),
        workload: aWorkload({ pods: [aPod(0, { ready: false }), aPod(1), aPod(2), aPod(3)] }),
      }),
    );
    expect(decision).toMatchObject({ kind: 'act', skipped: [{ action: 'scale_up', reason: 'HarmfulForType' }] });
  });

  test('another moment gives the same object, and the decision is found by its name', () => {
    const [now, later] = [decide(aDecisionInput()), decide(aDecisionInput({ nowMs: NOW + SECOND }))];
    expect(intentOf(later).name).toBe(intentOf(now).name);
    expect([now.id, later.id]).toEqual([intentOf(now).name, intentOf(now).name]);
  });

  test('the number of an object counts objects, so that no name comes twice', () => {
    const first = intentOf(decide(aDecisionInput()));
    const expired = aRestart({ name: first.name, state: 'Expired', spent: false, reason: 'Expired' });
    const second = intentOf(decide(aDecisionInput({ ledger: [expired] })));
    expect([second.attempt, second.name === first.name]).toEqual([2, false]);
  });

  test.each([
    ['Auto needs no person', aPolicy(), [], { execution: 'Enforce', approvalRequired: false }],
    ['Approve does', aPolicy({ mode: 'Approve' }), [], { execution: 'Enforce', approvalRequired: true }],
    ['Observe is a dry run', aPolicy({ mode: 'Observe' }), [], { execution: 'DryRun', approvalRequired: false }],
    ['a guardrail caps Auto to Approve', aPolicy(), [aGuardrail({ maxMode: 'Approve' })], { execution: 'Enforce', approvalRequired: true }],
    ['a guardrail caps Approve to Observe', aPolicy({ mode: 'Approve' }), [aGuardrail({ maxMode: 'Observe' })], { execution: 'DryRun', approvalRequired: false }],
    ['a guardrail never raises the mode', aPolicy({ mode: 'Observe' }), [aGuardrail()], { execution: 'DryRun', approvalRequired: false }],
    ['a rule asks for a person', aPolicy({ rules: [{ name: 'ask', expression: 'target.replicas < 5', effect: 'RequireApproval' }] }), [], { execution: 'Enforce', approvalRequired: true }],
    ['a rule that cannot be judged asks too', aPolicy({ rules: [{ name: 'ask', expression: 'target.labels["tier"] == "x"', effect: 'RequireApproval' }] }), [], { execution: 'Enforce', approvalRequired: true }],
    ['a rule that does not apply asks nobody', aPolicy({ rules: [{ name: 'ask', expression: 'target.replicas > 5', effect: 'RequireApproval' }] }), [], { execution: 'Enforce', approvalRequired: false }],
  ])('%s', (_sentence, policy, guardrails, expected) => {
    expect(intentOf(decide(aDecisionInput({ policy, guardrails })))).toMatchObject(expected);
  }); // prettier-ignore

  test('an approval prolongs the life of the intent', () => {
    expect(intentOf(decide(aDecisionInput({ policy: aPolicy({ mode: 'Approve' }) }))).expiresAtMs).toBe(
      NOW + 1200 * SECOND,
    );
  });

  test('an alert before its turn says since when and why', () => {
    const input = aDecisionInput({ guardrails: [aGuardrail({ suspended: true })], incident: openedMinutesAgo(6) });
    expect(intentOf(decide(input)).reason).toContain('blocked for 6 min by Suspended (suspended by guardrail cluster)');
  });

  test('an alert goes to the sinks that want its severity', () => {
    const policy = aPolicy({ notifications: [{ sink: 'chat', minSeverity: 'low' }, { sink: 'pager', minSeverity: 'critical' }] }); // prettier-ignore
    const at = (severityScore: number) =>
      intentOf(
        decide(aDecisionInput({ policy, diagnosis: aDiagnosis({ failureType: 'image_error', severityScore }) })),
      );
    expect(at(0.95).parameters).toEqual({ kind: 'alert', sinks: ['chat', 'pager'] });
    expect(at(0.75).parameters).toEqual({ kind: 'alert', sinks: ['chat'] });
  });
});
