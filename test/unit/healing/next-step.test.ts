import { describe, expect, test } from '@jest/globals';
import { afterSettlement, nextStep } from '../../../src/healing/next-step.ts';
import type { NextStepInput } from '../../../src/healing/next-step.ts';
import type { StoredAction } from '../../../src/healing/stored-action.ts';
import {
  anAction,
  anAlertIntent,
  anIntent,
  aScaleUp,
  aStatus,
  aThrottle,
  executed,
} from '../../support/builders/action.ts';
import { aPolicy } from '../../support/builders/policy.ts';
import { DAY, MINUTE, NOW, SECOND } from '../../support/builders/workload.ts';

const input = (over: Partial<NextStepInput> = {}): NextStepInput => ({
  nowMs: NOW,
  policy: aPolicy(),
  incidentOpen: true,
  isStored: true,
  ...over,
});

const approvable = anIntent({ approvalRequired: true, expiresAtMs: NOW + 20 * MINUTE });
const approval = (decision: 'Approved' | 'Denied') => ({ decision, by: 'anna', reason: 'ok', atMs: NOW - SECOND });
const blocked = (nextLookMs: number) =>
  aStatus({ blocked: { reason: 'DisruptionBudget', message: '0 allowed', atMs: NOW, nextLookMs } });
const verified = (
  verdict: 'Effective' | 'Ineffective' | 'Inconclusive',
  over: StoredAction['status'] = executed(),
) => ({
  ...over,
  verified: { result: { verdict, message: '', before: {}, after: {}, peers: {} }, atMs: NOW },
});
const closed = aStatus({ closed: { state: 'Denied', reason: 'ObserveOnly', message: 'x', atMs: NOW } });
const owed = (dueAtMs: number, atMs?: number) => ({
  rollback: { dueAtMs, done: false, ...(atMs === undefined ? {} : { atMs }) },
});

type Given = readonly [string, Partial<StoredAction>, Partial<NextStepInput>, object];

const UNSENT: readonly Given[] = [
  ['an intent goes to the gate', {}, {}, { do: 'gate' }],
  ['so does a dry run, whoever would have to approve', { intent: anIntent({ execution: 'DryRun', approvalRequired: true }) }, {}, { do: 'gate' }],
  ['its policy is gone', {}, { policy: undefined }, { do: 'finish', state: 'Superseded', reason: 'PolicyChanged' }],
  ['its policy was made anew', {}, { policy: aPolicy({ uid: 'p-2' }) }, { do: 'finish', state: 'Superseded', reason: 'PolicyChanged' }],
  ['its policy is of another generation', {}, { policy: aPolicy({ generation: 2 }) }, { do: 'finish', state: 'Superseded', reason: 'PolicyChanged' }],
  ['its incident is over', {}, { incidentOpen: false }, { do: 'finish', state: 'Superseded', reason: 'IncidentClosed' }],
  ['whether its incident is open is not known: it waits', {}, { incidentOpen: undefined }, { do: 'wait', untilMs: NOW + 15 * SECOND }],
  ['a moment before it expires', {}, { nowMs: NOW + 5 * MINUTE - 1 }, { do: 'gate' }],
  ['it expires', {}, { nowMs: NOW + 5 * MINUTE }, { do: 'finish', state: 'Expired', reason: 'Expired' }],
  ['blocked: it waits for its next look', { status: blocked(NOW + 30 * SECOND) }, {}, { do: 'wait', untilMs: NOW + 30 * SECOND }],
  ['blocked: not beyond its end', { status: blocked(NOW + 30 * MINUTE) }, {}, { do: 'wait', untilMs: NOW + 5 * MINUTE }],
  ['blocked: the time has come', { status: blocked(NOW) }, {}, { do: 'gate' }],
  ['a person is asked', { intent: approvable }, {}, { do: 'await-approval', untilMs: NOW + 20 * MINUTE }],
  ['a person said yes', { intent: approvable, approval: approval('Approved') }, {}, { do: 'record-approval', approved: true, by: 'anna' }],
  ['a person said no', { intent: approvable, approval: approval('Denied') }, {}, { do: 'record-approval', approved: false, by: 'anna' }],
  ['a person said no without being asked', { approval: approval('Denied') }, {}, { do: 'record-approval', approved: false }],
  ['the yes is recorded: the whole gate', { intent: approvable, approval: approval('Approved'), status: aStatus({ approved: { value: true, by: 'anna', reason: '', atMs: NOW } }) }, {}, { do: 'gate' }],
  ['nobody answered', { intent: approvable }, { nowMs: NOW + 20 * MINUTE }, { do: 'finish', state: 'Expired', reason: 'ApprovalExpired' }],
  ['a yes that comes too late is none', { intent: approvable, approval: approval('Approved') }, { nowMs: NOW + 20 * MINUTE }, { do: 'finish', state: 'Expired', reason: 'ApprovalExpired' }],
  ['an alert is delivered', { intent: anAlertIntent() }, {}, { do: 'deliver-alert' }],
  ['an alert outlives an edit of its policy', { intent: anAlertIntent() }, { policy: aPolicy({ generation: 2 }) }, { do: 'deliver-alert' }],
  ['an alert of a closed incident is not sent', { intent: anAlertIntent() }, { incidentOpen: false }, { do: 'finish', state: 'Superseded', reason: 'IncidentClosed' }],
  ['an alert that no sink took waits', { intent: anAlertIntent(), status: blocked(NOW + SECOND) }, {}, { do: 'wait', untilMs: NOW + SECOND }],
]; // prettier-ignore

const SENT: readonly Given[] = [
  ['left in the middle: look', { status: aStatus({ executingAtMs: NOW - MINUTE }) }, {}, { do: 'settle' }],
  ['left in the middle beyond its end: look all the same', { status: aStatus({ executingAtMs: NOW }) }, { nowMs: NOW + DAY, policy: undefined, incidentOpen: false }, { do: 'settle' }],
  ['the effect settles', { status: executed() }, { nowMs: NOW + 59 * SECOND }, { do: 'wait', untilMs: NOW + 60 * SECOND }],
  ['the effect is judged', { status: executed() }, { nowMs: NOW + 60 * SECOND }, { do: 'verify' }],
  ['paused or not: what runs is judged', { status: executed() }, { nowMs: NOW + 60 * SECOND, policy: aPolicy({ pauseRequests: [{ name: 'a', reason: 'b' }] }) }, { do: 'verify' }],
  ['incident closed meanwhile: judged', { status: executed() }, { nowMs: NOW + 60 * SECOND, incidentOpen: false }, { do: 'verify' }],
  ['scaling down is watched from the first moment', { intent: aScaleUp({ action: 'scale_down' }), status: executed() }, {}, { do: 'verify' }],
  ['it did not help and the inverse is owed', { intent: aScaleUp(), status: { ...verified('Ineffective'), ...owed(NOW) } }, {}, { do: 'undo' }],
  ['the inverse failed a moment ago', { intent: aScaleUp(), status: { ...verified('Ineffective'), ...owed(NOW, NOW) } }, { nowMs: NOW + 29 * SECOND }, { do: 'wait', untilMs: NOW + 30 * SECOND }],
  ['the inverse is tried again', { intent: aScaleUp(), status: { ...verified('Ineffective'), ...owed(NOW, NOW) } }, { nowMs: NOW + 30 * SECOND }, { do: 'undo' }],
  ['a limit whose time ends while it is judged', { intent: aThrottle(), status: { ...executed(), ...owed(NOW + 15 * MINUTE) } }, { nowMs: NOW + 15 * MINUTE }, { do: 'undo' }],
  ['a limit whose policy is gone', { intent: aThrottle(), status: { ...executed(), ...owed(NOW + 15 * MINUTE) } }, { policy: undefined }, { do: 'undo' }],
]; // prettier-ignore

const ENDED: readonly Given[] = [
  ['it is kept for people', { status: closed }, {}, { do: 'wait', untilMs: NOW + 7 * DAY }],
  ['it goes once the store holds it', { status: closed }, { nowMs: NOW + 7 * DAY }, { do: 'delete' }],
  ['it stays while the store does not hold it', { status: closed }, { nowMs: NOW + 7 * DAY, isStored: false }, { do: 'wait', untilMs: NOW + 7 * DAY + MINUTE }],
  ['a limit that helped runs on', { intent: aThrottle(), status: { ...verified('Effective'), ...owed(NOW + 15 * MINUTE) } }, {}, { do: 'wait', untilMs: NOW + 15 * MINUTE }],
  ['a limit that helped ends with its time, ill or not', { intent: aThrottle(), status: { ...verified('Effective'), ...owed(NOW) } }, { incidentOpen: true }, { do: 'undo' }],
  ['a limit ends with its policy', { intent: aThrottle(), status: { ...verified('Effective'), ...owed(NOW + 15 * MINUTE) } }, { policy: undefined }, { do: 'undo' }],
  ['added replicas stay until their time', { intent: aScaleUp(), status: { ...verified('Effective'), ...owed(NOW + 30 * MINUTE) } }, { healthySinceMs: NOW }, { do: 'wait', untilMs: NOW + 30 * MINUTE }],
  ['added replicas stay while it is not healthy', { intent: aScaleUp(), status: { ...verified('Effective'), ...owed(NOW) } }, {}, { do: 'wait', untilMs: NOW + 15 * SECOND }],
  ['added replicas stay until it was healthy for long enough', { intent: aScaleUp(), status: { ...verified('Effective'), ...owed(NOW) } }, { healthySinceMs: NOW - 10 * MINUTE }, { do: 'wait', untilMs: NOW + 20 * MINUTE }],
  ['added replicas go back', { intent: aScaleUp(), status: { ...verified('Effective'), ...owed(NOW) } }, { healthySinceMs: NOW - 30 * MINUTE }, { do: 'undo' }],
  ['added replicas go back when promised, though the policy is gone', { intent: aScaleUp(), status: { ...verified('Effective'), ...owed(NOW) } }, { policy: undefined }, { do: 'undo' }],
  ['an undone effect is kept for people', { intent: aThrottle(), status: { ...verified('Effective'), rollback: { dueAtMs: NOW, done: true, atMs: NOW + MINUTE } } }, {}, { do: 'wait', untilMs: NOW + MINUTE + 7 * DAY }],
  ['an abandoned inverse is not tried again', { intent: aScaleUp(), status: { ...verified('Ineffective'), rollback: { dueAtMs: NOW, done: false, abandoned: 'x' } } }, {}, { do: 'wait', untilMs: NOW + 7 * DAY }],
  ['deleted by someone while the inverse is owed', { intent: aThrottle(), status: { ...executed(), ...owed(NOW + MINUTE) }, deletedAtMs: NOW }, {}, { do: 'undo' }],
  ['deleted while an added step is being verified: nobody would watch it', { intent: aScaleUp(), status: executed(), deletedAtMs: NOW }, {}, { do: 'undo' }],
  ['deleted in the middle of the write: looked for first', { intent: aScaleUp(), status: { attempts: [], executingAtMs: NOW - SECOND }, deletedAtMs: NOW }, {}, { do: 'settle' }],
  ['deleted, and the inverse was done', { intent: aScaleUp(), status: { ...executed(), rollback: { dueAtMs: NOW, done: true, atMs: NOW } }, deletedAtMs: NOW }, {}, { do: 'release' }],
  ['deleted by someone and nothing is owed', { status: executed(), deletedAtMs: NOW }, {}, { do: 'release' }],
]; // prettier-ignore

describe.each([
  ['not sent', UNSENT],
  ['sent', SENT],
  ['ended', ENDED],
] as const)('%s', (_name, rows) => {
  test.each(rows)('%s', (_sentence, action, given, expected) => {
    expect(nextStep(anAction(action), input(given))).toMatchObject(expected);
  });
});

describe('after a crash in the middle of an effect', () => {
  test.each([
    ['done: recorded', anIntent(), 'done', NOW, { do: 'record', outcome: { kind: 'already' } }],
    ['absent: once more', anIntent(), 'absent', NOW, { do: 'redo' }],
    ['absent and expired', anIntent(), 'absent', NOW + 5 * MINUTE, { do: 'finish', state: 'Expired' }],
    ['changed by somebody else', anIntent(), 'foreign', NOW, { do: 'finish', state: 'Superseded', reason: 'TargetChanged' }],
    ['not provable', anIntent(), 'unprovable', NOW, { do: 'finish', state: 'Failed', reason: 'Ambiguous' }],
    ['a cache is never cleared twice', anIntent({ action: 'clear_cache' }), 'absent', NOW, { do: 'finish', state: 'Failed', reason: 'Ambiguous' }],
  ] as const)('%s', (_sentence, intent, settlement, nowMs, expected) => {
    expect(afterSettlement(intent, settlement, nowMs)).toMatchObject(expected);
  }); // prettier-ignore
});
