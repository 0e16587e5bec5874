import { describe, expect, jest, test } from '@jest/globals';
import { anOperator } from '../../support/fakes/an-operator.ts';
import type { Manner } from '../../support/fakes/fake-metric-source.ts';
import { crashOne, leakInOne, overload } from '../../support/fakes/troubles.ts';
import { aShop, quickPolicy } from '../../support/fakes/world.ts';
import { aGuardrail } from '../../support/builders/policy.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;

describe('brakes', () => {
  test('a disruption budget that allows nothing: blocked, no pod gone, no attempt spent; then healed', async () => {
    const world = await aShop();
    const budget = { name: 'checkout', disruptionsAllowed: 0 };
    world.cluster.editWorkload('checkout', (workload) => ({ ...workload, disruptionBudgets: [budget] }));
    const { ledger } = await anOperator(world);
    await world.run(MINUTE);
    const pod = crashOne(world);
    await world.until('blocked', () => world.ends().includes('restart_pod Blocked'), 4 * MINUTE);
    await world.run(MINUTE);
    expect(world.cluster.actions()[0]?.status.blocked?.reason).toBe('DisruptionBudget');
    expect(world.cluster.effects()).toEqual([]);
    expect(ledger.get(world.cluster.actions()[0]?.intent.name ?? '')).toMatchObject({ spent: false });
    const free = [{ ...budget, disruptionsAllowed: 1 }];
    world.cluster.editWorkload('checkout', (workload) => ({ ...workload, disruptionBudgets: free }));
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 4 * MINUTE);
    expect(world.cluster.effects()).toEqual([`evict ${pod}`]);
  });

  test.each<[Manner, string]>([
    ['unreachable', 'Unreachable'],
    ['empty', 'NoSeries'],
    ['partial', 'Partial'],
    ['stale', 'Available'],
  ])('a metrics source that is %s: no effect on metrics, and it recovers by itself', async (manner, reason) => {
    const world = await aShop();
    await anOperator(world);
    await world.run(3 * MINUTE);
    leakInOne(world);
    world.source.manner = manner;
    await world.run(10 * MINUTE);
    expect(world.cluster.requests.filter(({ verb }) => verb === 'create')).toEqual([]);
    if (manner !== 'stale') expect(world.condition('checkout', 'MetricsAvailable')).toBe(`False ${reason}`);
    expect(world.condition('checkout', 'Healthy')).toMatch(/^Unknown/);
    world.source.manner = 'well';
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 10 * MINUTE);
    expect(world.cluster.effects()).toHaveLength(1);
    expect(world.condition('checkout', 'MetricsAvailable')).toMatch(/^True/);
  });

  test('what is read of a workload during an outage is unknown, never healthy, also for pods and processes that are new', async () => {
    const world = await aShop();
    world.source.manner = 'unreachable';
    const { book } = await anOperator(world);
    await world.run(MINUTE);
    const [pod] = world.cluster.workload('checkout').pods;
    world.cluster.evict('shop', pod?.name ?? '');
    const states = new Set<string | undefined>();
    for (let minute = 0; minute < 70; minute++) {
      await world.run(MINUTE);
      for (const { verdict } of book.tracks()) states.add(verdict?.state);
    }
    expect(states).toEqual(new Set(['unknown']));
  });

  test.each([
    ['the policy holds a pause request', 'policy', 'Paused'],
    ['a guardrail has the kill switch on', 'guardrail', 'Suspended'],
    ['the guardrails cannot be read', 'unreadable', 'GuardrailUnknown'],
  ])('%s: nothing is done until it is gone', async (_, brake, reason) => {
    const world = await aShop();
    const set = (on: boolean): void => {
      const pauseRequests = on ? [{ name: 'ada', reason: 'release' }] : [];
      if (brake === 'policy') world.cluster.editPolicy('checkout', (policy) => ({ ...policy, pauseRequests }));
      if (brake === 'guardrail') world.cluster.putGuardrail(aGuardrail({ suspended: on }));
      if (brake === 'unreadable') {
        world.cluster.guardrailsReadable = !on;
        world.cluster.putGuardrail(aGuardrail());
      }
    };
    set(true);
    await anOperator(world);
    await world.run(MINUTE);
    const pod = crashOne(world);
    await world.run(4 * MINUTE);
    expect(world.cluster.effects()).toEqual([]);
    expect(world.cluster.policyStatus('checkout')?.incidents[0]?.reason).toContain(reason);
    set(false);
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 5 * MINUTE);
    expect(world.cluster.effects()).toEqual([`evict ${pod}`]);
  });

  test('the kill switch stops what was decided and not sent', async () => {
    const world = await aShop({ mode: 'Approve' });
    await anOperator(world);
    await world.run(MINUTE);
    crashOne(world);
    await world.until('asked', () => world.ends().includes('restart_pod AwaitingApproval'), 4 * MINUTE);
    world.cluster.putGuardrail(aGuardrail({ suspended: true }));
    world.cluster.answerApproval(world.cluster.actions()[0]?.intent.name ?? '', 'Approved');
    await world.run(2 * MINUTE);
    expect(world.ends()).toContain('restart_pod Blocked');
    expect(world.cluster.effects()).toEqual([]);
  });

  test('a policy that is edited on the way: the unsent intent is superseded, and it is decided anew', async () => {
    const world = await aShop({ mode: 'Approve' });
    await anOperator(world);
    await world.run(MINUTE);
    const pod = crashOne(world);
    await world.until('asked', () => world.ends().includes('restart_pod AwaitingApproval'), 4 * MINUTE);
    world.cluster.editPolicy('checkout', (policy) => ({ ...policy, mode: 'Auto' }));
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 4 * MINUTE);
    expect(world.ends()).toEqual(['restart_pod Superseded', 'restart_pod Healed']);
    expect(world.cluster.effects()).toEqual([`evict ${pod}`]);
  });

  test('a policy that is deleted on the way: nothing is sent any more', async () => {
    const world = await aShop({ mode: 'Approve' });
    await anOperator(world);
    await world.run(MINUTE);
    crashOne(world);
    await world.until('asked', () => world.ends().includes('restart_pod AwaitingApproval'), 4 * MINUTE);
    world.cluster.deletePolicy('checkout');
    await world.until('superseded', () => world.ends().includes('restart_pod Superseded'), 2 * MINUTE);
    await world.run(6 * MINUTE);
    expect(world.cluster.effects()).toEqual([]);
    expect((await world.incidents()).every(({ resolvedAtMs }) => resolvedAtMs !== undefined)).toBe(true);
  });

  test('two policies on one workload: one acts, the other says Conflict', async () => {
    const world = await aShop();
    world.cluster.putPolicy(quickPolicy({ name: 'second', uid: 'p-second', priority: 50 }));
    await anOperator(world);
    await world.run(MINUTE);
    const pod = crashOne(world);
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 4 * MINUTE);
    await world.run(5 * MINUTE);
    expect(world.cluster.effects()).toEqual([`evict ${pod}`]);
    expect(world.cluster.actions().map(({ intent }) => intent.policy.name)).toEqual(['checkout']);
    expect([world.condition('checkout', 'Conflict'), world.condition('second', 'Conflict')]).toEqual([
      'False Alone',
      'True Conflict',
    ]);
  });

  test('caches that nothing confirms: no effect', async () => {
    const world = await aShop();
    const { reader } = await anOperator(world);
    await world.run(MINUTE);
    reader.silentMs = 61_000;
    crashOne(world);
    await world.run(4 * MINUTE);
    expect(world.cluster.effects()).toEqual([]);
    reader.silentMs = 0;
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 4 * MINUTE);
  });

  test('an external policy engine is asked, and its refusal stands', async () => {
    const world = await aShop();
    world.engine = { kind: 'denied', reason: 'Denied by policy: freeze', policies: ['freeze'] };
    await anOperator(world);
    await world.run(MINUTE);
    crashOne(world);
    await world.until('told', () => world.firing().length > 0, 5 * MINUTE);
    expect(world.cluster.effects()).toEqual([]);
    world.engine = { kind: 'unavailable', message: 'no answer', failurePolicy: 'Deny' };
    await world.run(2 * MINUTE);
    expect(world.cluster.effects()).toEqual([]);
  });
});

describe('the store', () => {
  test('down when it begins: no effect and no action; people are told; healed when it is back', async () => {
    const world = await aShop();
    await anOperator(world);
    await world.run(MINUTE);
    world.isStoreDown = true;
    const pod = crashOne(world);
    await world.run(4 * MINUTE);
    expect(world.cluster.effects()).toEqual([]);
    expect(world.cluster.policyStatus('checkout')?.incidents[0]?.reason).toContain('HistoryUnavailable');
    await world.until('told', () => world.firing().length > 0, 5 * MINUTE);
    world.isStoreDown = false;
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 5 * MINUTE);
    expect(world.cluster.effects()).toEqual([`evict ${pod}`]);
    const history = await world.history();
    expect(history.filter(({ kind }) => kind === 'effect')).toHaveLength(1);
    expect(history.filter(({ kind }) => kind === 'alert')).toHaveLength(1);
  });

  test('down while an effect is verified: its end is known once it is back, and stands in nobody’s way', async () => {
    const world = await aShop();
    const { ledger } = await anOperator(world);
    await world.run(MINUTE);
    crashOne(world);
    await world.until('verifying', () => world.ends().includes('restart_pod Verifying'), 4 * MINUTE);
    world.isStoreDown = true;
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 4 * MINUTE);
    world.isStoreDown = false;
    await world.run(2 * MINUTE);
    expect(ledger.get(world.cluster.actions()[0]?.intent.name ?? '')?.state).toBe('Healed');
    expect((await world.incidents()).every(({ resolvedAtMs }) => resolvedAtMs !== undefined)).toBe(true);
  });
});

test('the API server down for ten minutes: no effect, no fault, and it goes on within 30 s', async () => {
  const world = await aShop();
  await anOperator(world);
  await world.run(MINUTE);
  world.isApiDown = true;
  const pod = crashOne(world);
  await world.run(10 * MINUTE);
  expect(world.cluster.effects()).toEqual([]);
  world.isApiDown = false;
  await world.until('acted', () => world.cluster.effects().length > 0, 30_000);
  expect(world.cluster.effects()).toEqual([`evict ${pod}`]);
});

test('an overload that lasts however much is added: undone, read back, told', async () => {
  const steps = [{ action: 'scale_up' as const, attempts: 1, timeoutSeconds: 300 }];
  const world = await aShop({ remedies: [{ on: ['any'], minSeverity: 'low', steps }] });
  await anOperator(world);
  await world.run(3 * MINUTE);
  overload(world, 2.4, false);
  await world.until('undone', () => world.ends().includes('scale_up RolledBack'), 10 * MINUTE);
  expect(world.cluster.effects()).toEqual(['scale checkout to 5', 'scale checkout to 3']);
  expect(world.cluster.actions()[0]?.status.rollback).toMatchObject({ done: true });
  expect(world.cluster.actions()[0]?.status.rollback?.readBack).toContain('3 replicas');
  await world.until('told', () => world.firing().length > 0, 10 * MINUTE);
  await world.run(10 * MINUTE);
  expect(world.cluster.effects()).toHaveLength(2);
});
