import { describe, expect, test } from '@jest/globals';
import { courseOf } from '../../../src/healing/course.ts';
import type { ActionStatus } from '../../../src/healing/decision.ts';
import { markUndone } from '../../../src/healing/transitions.ts';
import { anAction, aStatus, executed } from '../../support/builders/action.ts';
import { MINUTE, NOW } from '../../support/builders/workload.ts';

const told = (status: ActionStatus): readonly string[] =>
  courseOf(anAction({ status })).map(({ what, message }) => (message === '' ? what : `${what}: ${message}`));

const failedOnce = markUndone(
  executed({ rollback: { dueAtMs: NOW, done: false } }),
  { kind: 'failed', reason: 'Rejected', message: 'a webhook says no' },
  '',
  NOW + MINUTE,
);

describe('what happened to an action is told', () => {
  test.each<[what: string, status: ActionStatus, told: readonly string[]]>([
    ['not at all before anything did', aStatus(), []],
    [
      'as being sent while no answer is known',
      aStatus({ executingAtMs: NOW }),
      ['being sent: no answer is recorded yet'],
    ],
    ['as sent by its answer', executed(), ['applied: evicted']],
    [
      'with who approved it',
      aStatus({ approved: { value: true, by: 'kim', reason: '', atMs: NOW } }),
      ['approved: by kim'],
    ],
    [
      'with who refused it, and why',
      aStatus({ approved: { value: false, by: 'kim', reason: 'not today', atMs: NOW } }),
      ['denied: by kim: not today'],
    ],
    [
      'as rolled back where it was',
      executed({ rollback: { done: true, readBack: '3 replicas were read back', atMs: NOW + MINUTE } }),
      ['applied: evicted', 'rolled back: 3 replicas were read back'],
    ],
    [
      'as abandoned where somebody else changed the field',
      executed({ rollback: { dueAtMs: NOW, done: false, abandoned: 'now 7, Aegis wrote 6', atMs: NOW + MINUTE } }),
      ['applied: evicted', 'rollback abandoned: now 7, Aegis wrote 6'],
    ],
    [
      'as failed where the inverse is tried on',
      failedOnce,
      ['applied: evicted', 'rollback failed: failed: a webhook says no'],
    ],
    [
      'with the failed tries before the one that did it',
      markUndone(failedOnce, { kind: 'applied', detail: 'x' }, '3 read back', NOW + 2 * MINUTE),
      ['applied: evicted', 'rollback failed: failed: a webhook says no', 'rolled back: 3 read back'],
    ],
    [
      'without an inverse that is only due',
      executed({ rollback: { dueAtMs: NOW + MINUTE, done: false } }),
      ['applied: evicted'],
    ],
    [
      'in the order of time, however it is stored',
      executed({ blocked: { reason: 'Cooldown', message: '20 s are left', atMs: NOW - MINUTE, nextLookMs: NOW } }),
      ['blocked: Cooldown: 20 s are left', 'applied: evicted'],
    ],
  ])('%s', (_what, status, expected) => {
    expect(told(status)).toEqual(expected);
  });
});
