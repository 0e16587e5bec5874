import { describe, expect, test } from '@jest/globals';
import type { ActionStatus, Outcome, Verification } from '../../../src/healing/decision.ts';
import { owesUndo, stateOf } from '../../../src/healing/lifecycle.ts';
import { toRecord } from '../../../src/healing/record.ts';
import {
  markApproval,
  markBlocked,
  markClosed,
  markDelivered,
  markExecuting,
  markOutcome,
  markUndone,
  markVerification,
} from '../../../src/healing/transitions.ts';
import type { Intent } from '../../../src/policy/action.ts';
import { anAlertIntent, anIntent, aScaleUp, aStatus, aThrottle, executed } from '../../support/builders/action.ts';
import { aPolicy } from '../../support/builders/policy.ts';
import { HOUR, MINUTE, NOW, SECOND } from '../../support/builders/workload.ts';

const found = (verdict: Verification['verdict'], reason?: NonNullable<Verification['reason']>): Verification => ({
  verdict,
  message: 'x',
  ...(reason === undefined ? {} : { reason }),
  before: {},
  after: {},
  peers: {},
});
const sent = (intent: Intent, outcome: Outcome): ActionStatus =>
  markOutcome(intent, markExecuting(aStatus(), NOW), outcome, NOW + SECOND);
const applied: Outcome = { kind: 'applied', detail: 'evicted' };
const judged = (intent: Intent, result: Verification, policy = aPolicy()) =>
  markVerification(intent, sent(intent, applied), result, policy, NOW + MINUTE);

/** What the ledger makes of it: state, whether it was an attempt, whether its end is known. */
function inShort(intent: Intent, status: ActionStatus): string {
  const { state, spent, endedAtMs } = toRecord({ intent, status });
  return `${state}${spent ? ' spent' : ''}${endedAtMs === undefined ? '' : ' ended'}`;
}

describe('state, attempt and end follow from what happened', () => {
  const intent = anIntent();
  const asked = anIntent({ approvalRequired: true });
  const yes = { approved: true, by: 'anna', reason: '', atMs: NOW };
  test.each<readonly [string, Intent, ActionStatus, string]>([
    ['just decided', intent, aStatus(), 'Pending'],
    ['waits for a person', asked, aStatus(), 'AwaitingApproval'],
    ['a dry run waits for nobody', anIntent({ approvalRequired: true, execution: 'DryRun' }), aStatus(), 'Pending'],
    ['approved', asked, markApproval(aStatus(), yes, NOW), 'Pending'],
    ['refused', asked, markApproval(aStatus(), { ...yes, approved: false }, NOW), 'Denied ended'],
    ['a blocker came up', intent, markBlocked(aStatus(), { reason: 'StormActive', message: 'x' }, NOW), 'Blocked'],
    ['the blocker went', intent, markExecuting(markBlocked(aStatus(), { reason: 'StormActive', message: 'x' }, NOW), NOW), 'Executing spent'],
    ['the write is under way: whether it was sent is not known, so it counts', intent, markExecuting(aStatus(), NOW), 'Executing spent'],
    ['a budget said 429: no attempt', intent, sent(intent, { kind: 'blocked', reason: 'DisruptionBudget', message: 'x' }), 'Blocked'],
    ['it was sent', intent, sent(intent, applied), 'Verifying spent'],
    ['it had been done already', intent, sent(intent, { kind: 'already', detail: 'x' }), 'Verifying spent'],
    ['the target is gone', intent, sent(intent, { kind: 'refused', reason: 'TargetGone', message: 'x' }), 'Superseded ended'],
    ['it was refused on a live look', intent, sent(intent, { kind: 'refused', reason: 'ReplicasOwned', message: 'x' }), 'Denied ended'],
    ['the API server refused it', intent, sent(intent, { kind: 'failed', reason: 'Rejected', message: 'x' }), 'Failed spent ended'],
    ['the answer was lost', intent, sent(intent, { kind: 'ambiguous', message: 'x' }), 'Failed spent ended'],
    ['the dry run failed: it counts, else it were tried without end', intent, markOutcome(intent, aStatus(), { kind: 'failed', reason: 'Rejected', message: 'x' }, NOW), 'Failed spent ended'],
    ['a dry run that failed is no attempt', anIntent({ execution: 'DryRun' }), markOutcome(intent, aStatus(), { kind: 'failed', reason: 'Rejected', message: 'x' }, NOW), 'Failed ended'],
    ['it is being judged', intent, judged(intent, found('Waiting')), 'Verifying spent'],
    ['it helped', intent, judged(intent, found('Effective')), 'Healed spent ended'],
    ['it did not help and has no inverse', intent, judged(intent, found('Ineffective')), 'Ineffective spent ended'],
    ['nobody can tell', intent, judged(intent, found('Inconclusive')), 'Ineffective spent ended'],
    ['it did not help and is being undone', aScaleUp(), judged(aScaleUp(), found('Ineffective')), 'Verifying spent'],
    ['it did not help and was undone', aScaleUp(), markUndone(judged(aScaleUp(), found('Ineffective')), applied, '4', NOW), 'RolledBack spent ended'],
    ['it did not help and the policy keeps it', aScaleUp(), judged(aScaleUp(), found('Ineffective'), aPolicy({ verification: { stabilizationSeconds: 60, timeoutSeconds: 300, onIneffective: 'Keep' } })), 'Ineffective spent ended'],
    ['somebody undid it: there is nothing to undo', aScaleUp(), judged(aScaleUp(), found('Ineffective', 'Reverted')), 'Ineffective spent ended'],
    ['the inverse was given up', aScaleUp(), markUndone(judged(aScaleUp(), found('Ineffective')), { kind: 'refused', reason: 'TargetChanged', message: 'x' }, '', NOW), 'Ineffective spent ended'],
    ['it helped and went back in time', aThrottle(), markUndone(judged(aThrottle(), found('Effective')), applied, 'gone', NOW), 'Healed spent ended'],
    ['people were told', anAlertIntent(), markDelivered(aStatus(), ['chat'], NOW), 'Healed ended'],
    ['people are being told', anAlertIntent(), aStatus(), 'Pending'],
    ['nobody was reached', anAlertIntent(), markClosed(aStatus(), { state: 'Failed', reason: 'NotDelivered', message: 'x' }, NOW), 'Failed spent ended'],
    ['it expired', intent, markClosed(aStatus(), { state: 'Expired', reason: 'Expired', message: 'x' }, NOW), 'Expired ended'],
  ])('%s', (_sentence, given, status, expected) => expect(inShort(given, status)).toBe(expected)); // prettier-ignore
});

describe('what is owed', () => {
  test.each<readonly [string, Intent, ActionStatus, number | undefined]>([
    ['a limit is owed its end from the moment it is sent', aThrottle(), sent(aThrottle(), applied), NOW + SECOND + 900 * SECOND],
    ['a restart owes nothing', anIntent(), sent(anIntent(), applied), undefined],
    ['added replicas are owed back once they helped', aScaleUp(), judged(aScaleUp(), found('Effective')), NOW + MINUTE + 1800 * SECOND],
    ['added replicas are owed back also where nobody can tell', aScaleUp(), judged(aScaleUp(), found('Inconclusive')), NOW + MINUTE + 1800 * SECOND],
    ['added replicas are owed back at once where they did not help', aScaleUp(), judged(aScaleUp(), found('Ineffective')), NOW + MINUTE],
    ['a limit that did not help is owed its end at once', aThrottle(), judged(aThrottle(), found('Ineffective')), NOW + MINUTE],
    ['taken replicas that did no harm owe nothing', aScaleUp({ action: 'scale_down' }), judged(aScaleUp({ action: 'scale_down' }), found('Effective')), undefined],
    ['taken replicas that did harm are owed back at once', aScaleUp({ action: 'scale_down' }), judged(aScaleUp({ action: 'scale_down' }), found('Ineffective')), NOW + MINUTE],
  ])('%s', (_sentence, _intent, status, dueAtMs) => {
    expect([status.rollback?.dueAtMs, owesUndo(status)]).toEqual([dueAtMs, dueAtMs !== undefined]);
  }); // prettier-ignore

  test('a limit whose verdict says nothing about its end keeps it', () => {
    expect(judged(aThrottle(), found('Effective')).rollback?.dueAtMs).toBe(NOW + SECOND + 900 * SECOND);
  });
});

describe('blockers', () => {
  const storm = { reason: 'StormActive', message: 'x' } as const;
  test('the time is that of the first appearance, the message of the last', () => {
    const first = markBlocked(aStatus(), storm, NOW);
    expect(markBlocked(first, { ...storm, message: 'y' }, NOW + MINUTE).blocked).toMatchObject({
      atMs: NOW,
      message: 'y',
    });
    expect(markBlocked(first, { reason: 'Paused', message: 'y' }, NOW + MINUTE).blocked?.atMs).toBe(NOW + MINUTE);
  });
  test('the next look is where the blocker ends, and never at once', () => {
    expect(markBlocked(aStatus(), { ...storm, retryAtMs: NOW + MINUTE }, NOW).blocked?.nextLookMs).toBe(NOW + MINUTE);
    expect(markBlocked(aStatus(), { ...storm, retryAtMs: NOW }, NOW).blocked?.nextLookMs).toBe(NOW + 15 * SECOND);
  });
  test.each([
    ['one second', 1_000, 15_000],
    ['half a minute', 30_000, 30_000],
    ['an hour is capped at five minutes', 3_600_000, 300_000],
  ])('a server that asks for %s', (_sentence, retryAfterMs, expected) => {
    const status = sent(anIntent(), { kind: 'blocked', reason: 'DisruptionBudget', message: 'x', retryAfterMs });
    expect((status.blocked?.nextLookMs ?? 0) - NOW - SECOND).toBe(expected);
    expect(status.executingAtMs).toBeUndefined();
  });
});

describe('an inverse that fails', () => {
  const failing: Outcome = { kind: 'failed', reason: 'Forbidden', message: 'no right' };
  const once = markUndone(judged(aScaleUp(), found('Ineffective')), failing, '', NOW);
  const thrice = [1, 2].reduce((status) => markUndone(status, failing, '', NOW), once);

  test('is still owed, and its last try is known', () => {
    expect([owesUndo(once), once.rollback?.atMs, stateOf(aScaleUp(), once)]).toEqual([true, NOW, 'Verifying']);
  });
  test('people are told after three times, and it is owed on', () => {
    expect(thrice.closed).toMatchObject({ state: 'Failed', reason: 'RollbackFailed' });
    expect(owesUndo(thrice)).toBe(true);
  });
});

test('a limit that did not help and stays for its time is over for the action, also where the clock was set past its end meanwhile', () => {
  const stays = aPolicy({ verification: { ...aPolicy().verification, onIneffective: 'Keep' } });
  const afterADay = (status: ActionStatus): ActionStatus =>
    markVerification(aThrottle(), status, found('Ineffective'), stays, NOW + 24 * HOUR);
  const status = afterADay(sent(aThrottle(), applied));
  expect([stateOf(aThrottle(), status), owesUndo(status)]).toEqual(['Ineffective', true]);
});

test('polls are counted in the status until there is a verdict', () => {
  const status = judged(anIntent(), { ...found('Waiting'), goodPolls: 2, pollAtMs: NOW });
  expect([status.effectiveGoodPolls, status.effectivePollAtMs, status.verified]).toEqual([2, NOW, undefined]);
});

test('the record carries what the brakes ask for', () => {
  expect(toRecord({ intent: aScaleUp(), status: executed() })).toMatchObject({
    policyUid: 'p-checkout',
    workloadUid: 'w-checkout',
    workload: 'Deployment shop/checkout',
    incidentId: 'incident-1',
    executedAtMs: NOW,
    from: 4,
    to: 6,
    dryRun: false,
  });
  expect(toRecord({ intent: anAlertIntent(), status: aStatus() }).podUids).toEqual([]);
});
