import { describe, expect, jest, test } from '@jest/globals';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { crashOne, releaseBadImage } from '../../support/fakes/troubles.ts';
import { aShop, quickPolicy } from '../../support/fakes/world.ts';
import type { HealingPolicy } from '../../../src/policy/healing-policy.ts';
import { aGuardrail } from '../../support/builders/policy.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;

describe('the policy’s status', () => {
  test('wording alone is written at most once a minute', async () => {
    const world = await aShop();
    await anOperator(world);
    await world.run(MINUTE);
    releaseBadImage(world);
    await world.until('told', () => world.firing().length > 0, 5 * MINUTE);
    await world.run(2 * MINUTE);
    const before = world.cluster.requests.length;
    await world.run(10 * MINUTE);
    const writes = world.cluster.requests.slice(before).filter(({ verb }) => verb === 'policy-status');
    expect(writes.length).toBeLessThanOrEqual(10);
  });

  test('a foreign hand in it is put right, and not raced against', async () => {
    const world = await aShop();
    await anOperator(world);
    await world.run(3 * MINUTE);
    const forge = (): void => void world.cluster.putPolicyStatus('shop', 'checkout', { observedGeneration: 1 });
    forge();
    await world.run(2 * MINUTE);
    expect(world.condition('checkout', 'Healthy')).toBe('True Healthy');
    const before = world.cluster.requests.length;
    for (let second = 0; second < 120; second++) {
      forge();
      await world.run(1_000);
    }
    expect(world.cluster.requests.length - before).toBeLessThanOrEqual(3);
  });

  test('a lagging watch does not make it written twice', async () => {
    const world = await aShop();
    await anOperator(world, { lagMs: 20_000 });
    await world.run(5 * MINUTE);
    const before = world.cluster.requests.length;
    await world.run(10 * MINUTE);
    expect(world.cluster.requests.slice(before)).toEqual([]);
  });

  test('a policy that is not accepted says why, and all others run', async () => {
    const world = await aShop();
    const problems = [{ path: 'spec.target', reason: 'SpecInvalid', message: 'is missing' }];
    world.cluster.putInvalidPolicy({
      kind: 'invalid',
      name: 'broken',
      namespace: 'shop',
      uid: 'p-x',
      generation: 4,
      problems,
    });
    world.cluster.putPolicy(
      quickPolicy({ name: 'faxed', uid: 'p-fax', notifications: [{ sink: 'fax', minSeverity: 'low' }] }),
    );
    await anOperator(world);
    await world.run(MINUTE);
    expect(world.condition('broken', 'Accepted')).toBe('False SpecInvalid');
    expect(world.condition('faxed', 'Accepted')).toBe('False SinkUnknown');
    expect(world.condition('checkout', 'Accepted')).toBe('True Valid');
    expect(world.events.filter(({ reason }) => reason === 'PolicyNotAccepted')).toHaveLength(2);
    crashOne(world);
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 4 * MINUTE);
  });

  test('what a guardrail or the installation keeps it from', async () => {
    const steps = [{ action: 'scale_up' as const, attempts: 1, timeoutSeconds: 300 }];
    const world = await aShop({ remedies: [{ on: ['any'], minSeverity: 'low', steps }] });
    world.cluster.putGuardrail(aGuardrail({ maxMode: 'Observe' }));
    await anOperator(world, { enabled: ['restart_pod'] });
    await world.run(MINUTE);
    const limited = world.cluster.policyStatus('checkout')?.conditions.find(({ type }) => type === 'Limited');
    expect(limited?.message).toContain('caps the mode at Observe');
    expect(limited?.message).toContain('scale_up is not enabled');
  });

  const only = (on: string, action: 'restart_pod' | 'scale_up'): HealingPolicy['remedies'] => [
    { on: [on], minSeverity: 'low', steps: [{ action, attempts: 1, timeoutSeconds: 300 }] },
  ];
  test.each<[string, HealingPolicy['remedies'], readonly string[]]>([
    ['all that the default ladders do, where it names none', [], ['scale_up', 'throttle_api']],
    ['those and its own, where it names some', only('crash_loop', 'scale_up'), ['scale_up', 'throttle_api']],
    ['its own alone, where they are for any failure', only('any', 'scale_up'), ['scale_up']],
    ['nothing, where it asks for what is allowed', only('any', 'restart_pod'), []],
  ])('of what a guardrail does not allow: %s', async (_, remedies, kept) => {
    const world = await aShop({ remedies });
    world.cluster.putGuardrail(aGuardrail({ allowedActions: ['restart_pod', 'alert_admin'] }));
    await anOperator(world);
    await world.run(MINUTE);
    const limited = world.cluster.policyStatus('checkout')?.conditions.find(({ type }) => type === 'Limited');
    expect(limited?.message).toBe(
      kept.length === 0
        ? 'every rung can be used'
        : kept.map((action) => `a guardrail does not allow ${action}`).join('; '),
    );
  });
});

describe('the view from outside', () => {
  test('incidents, actions and policies as they are, the newest first', async () => {
    const world = await aShop();
    const { view } = await anOperator(world);
    await world.run(MINUTE);
    expect(await view.incidents(10)).toEqual({ incidents: [], isComplete: true });
    const pod = crashOne(world);
    await world.until('verifying', () => world.ends().includes('restart_pod Verifying'), 4 * MINUTE);
    expect((await view.incidents(10)).incidents).toMatchObject([
      { workload: 'Deployment shop/checkout', policy: 'checkout', failureType: 'crash_loop', pods: [pod] },
    ]);
    expect(await view.actions(10)).toMatchObject([{ action: 'restart_pod', state: 'Verifying', dryRun: false }]);
    expect(await view.policies(10)).toMatchObject([{ name: 'checkout', mode: 'Auto', targets: { matched: 1 } }]);
    expect(await view.actions(0)).toEqual([]);
  });

  test('an incident that is over is shown as it was stored, with the decision that ended it', async () => {
    const world = await aShop();
    const { view } = await anOperator(world);
    await world.run(MINUTE);
    crashOne(world);
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 10 * MINUTE);
    await world.until('resolved', () => world.firing().length === 0, MINUTE);
    await world.run(MINUTE);
    const { incidents, isComplete } = await view.incidents(10);
    const [action] = await view.actions(10);
    expect(isComplete).toBe(true);
    expect(incidents).toMatchObject([
      { failureType: 'crash_loop', policy: 'checkout', reason: 'resolved', decisionId: action?.name },
    ]);
    expect(incidents[0]?.resolvedAtMs).toBeGreaterThan(incidents[0]?.openedAtMs ?? Infinity);
  });
});

describe('a decision, why and why not', () => {
  const rungs = [
    { action: 'clear_cache', attempts: 1, timeoutSeconds: 60 },
    { action: 'restart_pod', attempts: 1, timeoutSeconds: 60 },
  ] as const;

  test('to act: evidence, the rung that was passed over, what became of it', async () => {
    const world = await aShop({ remedies: [{ on: ['any'], minSeverity: 'low', steps: rungs }] });
    const { view } = await anOperator(world, { enabled: ['restart_pod'] });
    await world.run(MINUTE);
    crashOne(world);
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 10 * MINUTE);
    const [action] = await view.actions(10);
    const decision = await view.decision(action?.name ?? '');
    expect(decision).toMatchObject({
      ...{ kind: 'act', action: 'restart_pod', policy: 'checkout', workload: 'Deployment shop/checkout' },
      ...{ failureType: 'crash_loop', state: 'Healed', step: 1, attempt: 1 },
      whyNot: [{ step: 0, action: 'clear_cache' }],
    });
    expect(decision?.evidence.length).toBeGreaterThan(0);
    expect(decision?.outcome.map(({ what }) => what)).toEqual(['applied', 'verified: Effective']);
  });

  test('to wait: poll after poll it is the same decision, and it is known after a restart', async () => {
    const world = await aShop();
    world.cluster.putGuardrail(aGuardrail({ suspended: true }));
    const { view } = await anOperator(world);
    await world.run(MINUTE);
    crashOne(world);
    const held = async () => (await view.incidents(1)).incidents[0];
    await world.until('held', () => world.events.some(({ reason }) => reason === 'ActionHeld'), 5 * MINUTE);
    const before = await held();
    await world.run(MINUTE);
    expect((await held())?.decisionId).toBe(before?.decisionId);
    const live = await view.decision(before?.decisionId ?? '');
    expect(live).toMatchObject({ kind: 'hold', reason: 'Suspended', policy: 'checkout', failureType: 'crash_loop' });
    const restarted = await anOperator(world);
    expect(await restarted.view.decision(before?.decisionId ?? '')).toMatchObject({
      ...{ kind: 'hold', reason: 'Suspended', policy: 'checkout', action: live?.action },
    });
  });

  test('that never was is none', async () => {
    const { view } = await anOperator(await aShop());
    expect(await view.decision('no-such-decision')).toBeUndefined();
  });
});

describe('would the policies allow it', () => {
  const question = { kind: 'deployment', name: 'checkout', namespace: 'shop', context: {} };

  test.each([
    ['an effect on a covered workload', { action: 'restart_pod' }, true, 'Allowed by policy: checkout'],
    ['without a namespace, where the name is unique', { action: 'restart_pod', namespace: undefined }, true, 'Allowed'],
    ['what changes nothing', { action: 'alert_admin' }, true, 'changes nothing'],
    ['an unknown action', { action: 'reboot' }, false, 'unknown action reboot'],
    ['a workload that no policy covers', { action: 'restart_pod', name: 'cart' }, false, 'No policy covers'],
    ['a kind that is none', { action: 'restart_pod', kind: 'pod' }, false, 'No policy covers'],
    ['another namespace', { action: 'restart_pod', namespace: 'bank' }, false, 'No policy covers'],
  ])('%s', async (_, over, allowed, reason) => {
    const world = await aShop();
    const { view } = await anOperator(world);
    const { namespace, ...asked } = { ...question, ...over };
    const answer = await view.evaluate({ ...asked, ...(namespace !== undefined && { namespace }) });
    expect(answer.allowed).toBe(allowed);
    expect(answer.reason).toContain(reason);
  });

  test.each([
    ['the kill switch is on', { suspended: true }, 'Suspended'],
    ['the guardrail does not allow it', { allowedActions: ['alert_admin'] as const }, 'ActionNotAllowed'],
  ])('%s', async (_, over, reason) => {
    const world = await aShop();
    world.cluster.putGuardrail(aGuardrail(over));
    const { view } = await anOperator(world);
    const answer = await view.evaluate({ ...question, action: 'restart_pod' });
    expect(answer).toEqual({
      ...{ allowed: false, reason: 'Denied by policy: checkout', appliedPolicies: ['checkout'] },
      because: expect.stringContaining(reason) as unknown,
    });
  });
});
