import { describe, expect, test } from '@jest/globals';
import { GUARDS } from '../../../../src/policy/chain.ts';
import type { GuardInput } from '../../../../src/policy/guard.ts';
import { aDiagnosis, anIncident, aVerdict } from '../../../support/builders/incident.ts';
import { aGuardInput, aGuardrail, aPolicy, aProposal, aRecord } from '../../../support/builders/policy.ts';
import { aPod, aWorkload, MINUTE, NOW, podRef, SECOND } from '../../../support/builders/workload.ts';

const messageOf = (guard: string, over: Partial<GuardInput>): string | undefined =>
  GUARDS.find(({ name }) => name === guard)?.check(aGuardInput(over))?.message;

const PAUSES = [
  { name: 'anna', reason: 'migration' },
  { name: 'bert', reason: 'test' },
  { name: 'carl', reason: 'load test' },
];
const scaling = (action: 'scale_up' | 'scale_down', from: number, to: number) =>
  aProposal({ action, pods: [], parameters: { kind: 'scale', from, to, returnAfterSeconds: 0 } });
const budgeted = (disruptionsAllowed: number, pods = [aPod(0), aPod(1)], policy = 'IfHealthyBudget') => ({
  workload: aWorkload({
    pods,
    disruptionBudgets: [
      { name: 'web', disruptionsAllowed, ...(policy === '' ? {} : { unhealthyPodEvictionPolicy: policy }) },
    ],
  }),
});
const half = [aPod(0), aPod(1), aPod(2, { ready: false })];
const threeTreated = { proposal: aProposal({ pods: [podRef(0), podRef(1), podRef(2)] }) };
const ADVICE = '; unhealthyPodEvictionPolicy: AlwaysAllow would let those go that are not ready';
const young = (...ages: number[]) => ages.map((seconds, i) => aPod(i, { createdAtMs: NOW - seconds * SECOND }));

/** What a person reads when it holds: who asked, which numbers were compared, and by how much it failed. */
describe('a hold says its numbers', () => {
  test.each<[string, string, Partial<GuardInput>, string]>([
    ['paused', 'one request', { policy: aPolicy({ pauseRequests: PAUSES.slice(0, 1) }) }, 'paused by anna: migration'],
    ['paused', 'three requests', { policy: aPolicy({ pauseRequests: PAUSES }) }, 'paused by anna: migration (and 2 more)'],
    ['actionNotAllowed', 'only those guardrails that are against it', { guardrails: [aGuardrail(), aGuardrail({ name: 'strict', allowedActions: ['scale_up'] }), aGuardrail({ name: 'tight', allowedActions: [] })] }, 'guardrail strict, tight does not allow restart_pod'],
    ['disruptionBudget', 'all treated are ready', { ...budgeted(0), proposal: aProposal({ pods: [podRef(0), podRef(1)] }) }, 'the budget web allows 0 disruptions now, 2 are asked'],
    ['disruptionBudget', 'some are not, and the budget guards them too', { ...budgeted(1, half), ...threeTreated }, `the budget web allows 1 disruptions now, 2 are asked${ADVICE}`],
    ['disruptionBudget', 'some are not, and the budget lets them go', { ...budgeted(1, half, 'AlwaysAllow'), ...threeTreated }, 'the budget web allows 1 disruptions now, 2 are asked'],
    ['disruptionBudget', 'a step down', { ...budgeted(1), proposal: scaling('scale_down', 6, 2) }, 'the budget web allows 1 disruptions now, 4 pods would go'],
    ['tooYoung', 'of the treated the youngest is named', { proposal: aProposal({ pods: [podRef(0), podRef(1), podRef(2)] }), workload: aWorkload({ pods: young(50, 20, 70) }) }, `pod ${podRef(1).name} is 20 s old, 2 min are asked`],
    ['tooYoung', 'of a whole workload the oldest, which is the first to be old enough', { proposal: aProposal({ pods: [] }), incident: anIncident({ pods: [podRef(0), podRef(1), podRef(2)] }), workload: aWorkload({ pods: young(50, 20, 70) }) }, `pod ${podRef(2).name} is 1 min 10 s old, 2 min are asked`],
    ['backoff', 'how many, and how long of how long', { ledger: [10, 1].map((ago) => aRecord({ state: 'Ineffective', decidedAtMs: NOW - ago * MINUTE, endedAtMs: NOW - ago * MINUTE })) }, '2 effects in a row did not help; 1 min of 2 min have passed'],
    ['cooldown', 'how far the evidence reaches back', { lookBackMs: 10 * MINUTE, verdict: aVerdict({ oldestSampleMs: NOW - 10 * SECOND }), ledger: [aRecord({ decidedAtMs: NOW - 10 * MINUTE })] }, 'evidence reaches back 10 s before the last effect'],
    ['stormActive', 'when it ends', { storm: { active: true, scope: 'shop', anomalous: 5, watched: 10, endsAtMs: NOW + 90 * SECOND } }, '5 of 10 workloads (shop) turned anomalous together; the brake ends in 1 min 30 s'],
    ['stormActive', 'five of its workloads', { storm: { active: true, scope: 'shop', anomalous: 7, watched: 10, workloads: ['a', 'b', 'c', 'd', 'e', 'f'] } }, '7 of 10 workloads (shop) turned anomalous together: a, b, c, d, e and 2 more'],
    ['stormActive', 'an end that is not known', { storm: { active: true, scope: 'shop', anomalous: 5, watched: 10 } }, '5 of 10 workloads (shop) turned anomalous together'],
    ['staleEvidence', 'how far ahead a wrong clock is', { verdict: aVerdict({ oldestSampleMs: NOW + 90 * SECOND }) }, 'a sample lies 1 min 30 s in the future'],
    ['oppositeScaling', 'how small the change back is', { proposal: scaling('scale_down', 20, 19), ledger: [aRecord({ action: 'scale_up', state: 'Healed', decidedAtMs: NOW - 600 * MINUTE })] }, 'a change back of 5 % lies within the dead band of 10 %'],
    ['lowConfidence', 'nothing fits, and why is not said', { diagnosis: aDiagnosis({ failureType: 'unknown' }) }, 'no failure type is named: no signature fits'],
    ['lowConfidence', 'abstained, and why', { diagnosis: aDiagnosis({ abstained: 'two signatures contradict' }) }, 'no failure type is named: two signatures contradict'],
    ['lowConfidence', 'a lead over a named second', { diagnosis: aDiagnosis({ lead: 0.1, candidates: [...aDiagnosis().candidates, ...aDiagnosis({ failureType: 'oom_kill' }).candidates] }) }, 'memory_leak leads oom_kill by 0.10 only, 0.2 is asked'],
    ['lowConfidence', 'a lead over nothing', { diagnosis: aDiagnosis({ lead: 0.1 }) }, 'memory_leak leads the next by 0.10 only, 0.2 is asked'],
  ])('%s: %s', (guard, _, over, message) => {
    expect(messageOf(guard, over)).toBe(message);
  }); // prettier-ignore
});

test('the first to be old enough sets the time of the next look, of a whole workload', () => {
  const input = aGuardInput({
    proposal: aProposal({ pods: [] }),
    incident: anIncident({ pods: [podRef(0), podRef(1)] }),
    workload: aWorkload({ pods: young(20, 70) }),
  });
  const found = GUARDS.find(({ name }) => name === 'tooYoung')?.check(input);
  expect(found?.retryAtMs).toBe(NOW + 50 * SECOND);
});

test('of the last effect in the other direction the rest is counted', () => {
  const ledger = [aRecord({ action: 'scale_up', state: 'Healed', decidedAtMs: NOW - 2 * MINUTE })];
  const found = GUARDS.find(({ name }) => name === 'oppositeScaling')?.check(
    aGuardInput({ proposal: scaling('scale_down', 10, 5), ledger }),
  );
  expect(found?.retryAtMs).toBe(NOW + 3 * MINUTE);
});
