import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ActionTimes } from '../../../src/controller/action-times.ts';
import type { StoredAction } from '../../../src/controller/ports.ts';
import { heldBackByLaterStep } from '../../../src/healing/later-step.ts';
import { afterSettlement, nextStep, outlived } from '../../../src/healing/next-step.ts';
import { anAction, anIntent, aScaleUp, aStatus, aThrottle } from '../../support/builders/action.ts';
import { aPolicy } from '../../support/builders/policy.ts';
import { HOUR, MINUTE, NOW, SECOND } from '../../support/builders/workload.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const JUMPS: readonly (readonly [string, number])[] = [
  ['forward by two days', 48 * HOUR],
  ['forward by an hour', HOUR],
  ['back by a minute', -MINUTE],
  ['back by an hour', -HOUR],
];

/** What a process does next with an action that it saw before the wall clock jumped, so long after the jump. */
function aProcess() {
  const clock = fakeClock(NOW);
  const times = new ActionTimes(clock);
  const policy = aPolicy();
  const next = (action: StoredAction) =>
    nextStep(times.steady(action), { nowMs: clock.nowMs(), policy, incidentOpen: true, isStored: true });
  return { clock, times, policy, next };
}

/** Milliseconds until it does something else than wait. */
const waitsMs = (step: ReturnType<typeof nextStep>, nowMs: number): number =>
  step.do === 'wait' || step.do === 'await-approval' ? step.untilMs - nowMs : 0;

const decided = anIntent({ decidedAtMs: NOW, expiresAtMs: NOW + 5 * MINUTE, policy: aPolicyRef() });

function aPolicyRef() {
  const { name, uid, generation } = aPolicy();
  return { name, uid, generation };
}

const SCALE = { kind: 'scale', from: 3, to: 6, returnAfterSeconds: 600 } as const;
const applied = { outcome: 'applied', message: '', atMs: NOW } as const;
const result = { verdict: 'Effective', message: '', before: {}, after: {}, peers: {} } as const;

/** Each phase of an action's life, and how long it lasts from now on. */
const PHASES: readonly (readonly [string, StoredAction, number])[] = [
  [
    'waits for approval',
    anAction({ intent: { ...decided, approvalRequired: true, expiresAtMs: NOW + 15 * MINUTE }, status: aStatus() }),
    15 * MINUTE,
  ],
  [
    'is blocked until its next look',
    anAction({
      intent: decided,
      status: aStatus({ blocked: { reason: 'StormActive', message: '', atMs: NOW, nextLookMs: NOW + 4 * MINUTE } }),
    }),
    4 * MINUTE,
  ],
  [
    'settles before it is judged',
    anAction({ intent: decided, status: aStatus({ executingAtMs: NOW, executed: applied }) }),
    MINUTE,
  ],
  [
    'limits for its time',
    anAction({
      intent: aThrottle({ policy: aPolicyRef() }),
      status: aStatus({
        executed: applied,
        verified: { result, atMs: NOW },
        rollback: { dueAtMs: NOW + 15 * MINUTE, done: false },
      }),
    }),
    15 * MINUTE,
  ],
  [
    'added replicas that go back later',
    anAction({
      intent: aScaleUp({ policy: aPolicyRef() }),
      status: aStatus({
        executed: applied,
        verified: { result, atMs: NOW },
        rollback: { dueAtMs: NOW + 30 * MINUTE, done: false },
      }),
    }),
    30 * MINUTE,
  ],
  [
    'waits for another try of its inverse',
    anAction({
      intent: aThrottle({ policy: aPolicyRef() }),
      status: aStatus({
        executed: applied,
        verified: { result, atMs: NOW },
        rollback: { dueAtMs: NOW, done: false, atMs: NOW },
      }),
    }),
    30 * SECOND,
  ],
  [
    'is kept for people once it has ended',
    anAction({ intent: decided, status: aStatus({ executed: applied, verified: { result, atMs: NOW } }) }),
    7 * 24 * HOUR,
  ],
];

describe.each(JUMPS)('a wall clock that is set %s', (_what, byMs) => {
  test.each(PHASES)('while an action %s: for as long as without it', (_phase, action, lastsMs) => {
    const { clock, next } = aProcess();
    expect(waitsMs(next(action), clock.nowMs())).toBe(lastsMs);
    clock.jump(byMs);
    clock.advance(lastsMs - SECOND);
    expect(waitsMs(next(action), clock.nowMs())).toBe(SECOND);
    clock.advance(SECOND);
    const step = next(action);
    expect(step.do === 'wait' && step.untilMs - clock.nowMs() > MINUTE).toBe(false);
    expect(step.do).not.toBe('await-approval');
  });

  test('an intent that was not sent is meant for its five minutes, no less and no more', () => {
    const { clock, times, policy } = aProcess();
    const action = anAction({ intent: decided, status: aStatus() });
    const isOver = (): boolean =>
      outlived(times.steady(action), { policy, incidentOpen: true, nowMs: clock.nowMs() }) !== undefined;
    const isRedone = (): boolean => afterSettlement(times.steady(action).intent, 'absent', clock.nowMs()).do === 'redo';
    times.note(action);
    clock.jump(byMs);
    clock.advance(5 * MINUTE - SECOND);
    expect([isOver(), isRedone()]).toEqual([false, true]);
    clock.advance(SECOND);
    expect([isOver(), isRedone()]).toEqual([true, false]);
  });

  test('steps that stand on one another go back in the order in which they were made', () => {
    const { clock, times } = aProcess();
    const standing = (name: string, from: number, to: number): StoredAction =>
      anAction({
        uid: name,
        intent: { ...aScaleUp(), name, decidedAtMs: clock.nowMs(), parameters: { ...SCALE, from, to } },
        status: aStatus({
          executed: { ...applied, atMs: clock.nowMs() },
          verified: { result, atMs: clock.nowMs() },
          rollback: { dueAtMs: clock.nowMs(), done: false },
        }),
      });
    const first = standing('first', 3, 6);
    times.note(first);
    clock.jump(byMs);
    clock.advance(10 * SECOND);
    const second = standing('second', 6, 12);
    const all = [first, second].map((each) => times.steady(each));
    const waits = all.map((each) => heldBackByLaterStep(each, all, clock.nowMs())?.because);
    expect(waits).toEqual(['second stands on it and goes back first', undefined]);
  });
});

describe('the times of an action', () => {
  test('however the wall clock jumps between them, each lies as far from now as it really does', () => {
    const jump = fc.integer({ min: -600_000, max: 600_000 }).map((seconds) => seconds * SECOND);
    fc.assert(
      fc.property(jump, jump, jump, fc.integer({ min: 1, max: 500 }), (first, second, third, seconds) => {
        const clock = fakeClock(NOW);
        const times = new ActionTimes(clock);
        const passes = seconds * SECOND;
        const pass = (byMs: number): void => {
          clock.jump(byMs);
          clock.advance(passes);
        };
        let action = anAction({
          intent: { ...decided, decidedAtMs: clock.nowMs(), expiresAtMs: clock.nowMs() + 10 * passes },
          status: aStatus(),
        });
        times.note(action);
        pass(first);
        action = { ...action, status: aStatus({ executed: { ...applied, atMs: clock.nowMs() } }) };
        times.note(action);
        pass(second);
        const rollback = { dueAtMs: clock.nowMs() + 10 * passes, done: false };
        action = { ...action, status: { ...action.status, verified: { result, atMs: clock.nowMs() }, rollback } };
        times.note(action);
        pass(third);
        const { intent, status } = times.steady(action);
        const all = [
          intent.decidedAtMs,
          intent.expiresAtMs,
          status.executed?.atMs,
          status.verified?.atMs,
          status.rollback?.dueAtMs,
        ];
        expect(all.map((atMs = NaN) => atMs - clock.nowMs())).toEqual([-3, 7, -2, -1, 9].map((n) => n * passes));
      }),
    );
  });

  test('without a jump it is the very action that was read', () => {
    const { clock, times } = aProcess();
    const action = anAction({ intent: decided, status: aStatus({ executed: applied }) });
    times.note(action);
    clock.advance(HOUR);
    clock.jump(900);
    expect(times.steady(action)).toBe(action);
  });

  test('of a predecessor’s that are still to come the latest counts as now, and the others keep their distance from it', () => {
    const { clock, times } = aProcess();
    const ahead = 3 * HOUR;
    const action = anAction({
      intent: { ...decided, decidedAtMs: NOW + ahead - MINUTE, expiresAtMs: NOW + ahead + 4 * MINUTE },
      status: aStatus({
        executed: { ...applied, atMs: NOW + ahead },
        rollback: { dueAtMs: NOW + ahead + 15 * MINUTE, done: false },
      }),
    });
    const { intent, status } = times.steady(action);
    const all = [intent.decidedAtMs, status.executed?.atMs, intent.expiresAtMs, status.rollback?.dueAtMs];
    expect(all.map((atMs = NaN) => atMs - clock.nowMs())).toEqual([-MINUTE, 0, 4 * MINUTE, 15 * MINUTE]);
    clock.advance(MINUTE);
    expect((times.steady(action).status.executed?.atMs ?? 0) - clock.nowMs()).toBe(-MINUTE);
  });

  test('what no object bears any more is forgotten, and seen anew as if by another process', () => {
    const { clock, times } = aProcess();
    const action = anAction({ intent: decided, status: aStatus() });
    times.note(action);
    times.forget(() => false);
    clock.jump(HOUR);
    expect(times.steady(action)).toBe(action);
  });
});
