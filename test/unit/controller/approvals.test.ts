import { describe, expect, jest, test } from '@jest/globals';
import { ActionTimes } from '../../../src/controller/action-times.ts';
import { createApprovals, type ApprovalAnswer, type ApprovalOutcome } from '../../../src/controller/approvals.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { FakeClusterWriter } from '../../support/fakes/fake-cluster-io.ts';
import { crashOne } from '../../support/fakes/troubles.ts';
import { aShop, type World } from '../../support/fakes/world.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;

/** The desk of a running operator where actions are approved. */
function deskOf(world: World, { leadership, process }: Awaited<ReturnType<typeof anOperator>>) {
  const writer = new FakeClusterWriter(world.cluster, process, () => leadership.mayWrite());
  const times = new ActionTimes(process.clock);
  return createApprovals({ writer, leadership, times, clock: process.clock, log: world.log });
}

/** An action that waits for somebody to approve it, and the desk where that is done. */
async function anActionThatWaits() {
  const world = await aShop({ mode: 'Approve' });
  const running = await anOperator(world);
  await world.run(MINUTE);
  crashOne(world);
  await world.until('awaited', () => world.ends().includes('restart_pod AwaitingApproval'), 4 * MINUTE);
  const approvals = deskOf(world, running);
  const { intent } = world.cluster.actions()[0] ?? {};
  if (intent === undefined) throw new Error('there is no action');
  const answer = (over: Partial<ApprovalAnswer> = {}): Promise<ApprovalOutcome> =>
    approvals.answer({
      ...{ namespace: 'shop', name: intent.name, decision: 'Approved', reason: 'looked at it' },
      ...{ policyHash: intent.policyHash, by: 'key:ops', ...over },
    });
  return { world, running, intent, answer };
}

describe('an answer by API', () => {
  test('that approves lets the action go on, with the name of the key', async () => {
    const { world, intent, answer } = await anActionThatWaits();
    expect(await answer()).toBe('recorded');
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 4 * MINUTE);
    expect(world.cluster.effects()).toHaveLength(1);
    const { status } = world.cluster.action('shop', intent.name) ?? {};
    expect(status?.approved).toMatchObject({ value: true, by: 'key:ops', reason: 'looked at it' });
  });

  test('that denies ends it, and nothing is done by it', async () => {
    const { world, answer } = await anActionThatWaits();
    expect(await answer({ decision: 'Denied' })).toBe('recorded');
    await world.run(30_000);
    expect(world.ends()).toContain('restart_pod Denied');
    expect(world.cluster.effects()).toEqual([]);
  });

  test('is one answer when it is repeated, and never becomes another', async () => {
    const { world, answer } = await anActionThatWaits();
    expect([await answer(), await answer()]).toEqual(['recorded', 'recorded']);
    expect(world.cluster.requests.filter(({ verb }) => verb === 'approve')).toHaveLength(1);
    expect(await answer({ decision: 'Denied' })).toBe('answered');
    expect(await answer({ by: 'key:other' })).toBe('answered');
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 4 * MINUTE);
    expect(await answer()).toBe('recorded');
    expect(await answer({ decision: 'Denied' })).toBe('answered');
  });

  test.each<[what: string, over: Partial<ApprovalAnswer>, outcome: ApprovalOutcome]>([
    ['an action that does not exist', { name: 'checkout-0' }, 'not-found'],
    ['one of another namespace', { namespace: 'bank' }, 'not-found'],
    ['what was decided under another policy', { policyHash: 'hash-99' }, 'other-policy'],
  ])('to %s is refused', async (_, over, outcome) => {
    const { world, answer } = await anActionThatWaits();
    expect(await answer(over)).toBe(outcome);
    expect(world.cluster.requests.filter(({ verb }) => verb === 'approve')).toEqual([]);
  });

  test('after the time to answer changes nothing', async () => {
    const { world, intent, answer } = await anActionThatWaits();
    await world.run(Math.max(0, intent.expiresAtMs - world.clock.nowMs()) + 60_000);
    expect(['expired', 'not-awaited']).toContain(await answer());
    await world.run(MINUTE);
    expect(world.cluster.effects()).toEqual([]);
  });

  test('is not written by a process that does not lead', async () => {
    const { world, running, answer } = await anActionThatWaits();
    running.leadership.set(false);
    expect(await answer()).toBe('not-leading');
    expect(world.cluster.requests.filter(({ verb }) => verb === 'approve')).toEqual([]);
  });

  test('while the API server is away is told to come again', async () => {
    const { world, answer } = await anActionThatWaits();
    world.isApiDown = true;
    expect(await answer()).toBe('unavailable');
  });

  test('to an action that needs none is refused', async () => {
    const world = await aShop();
    const running = await anOperator(world);
    await world.run(MINUTE);
    crashOne(world);
    await world.until('verifying', () => world.ends().includes('restart_pod Verifying'), 4 * MINUTE);
    const approvals = deskOf(world, running);
    const { intent } = world.cluster.actions()[0] ?? {};
    const { name = '', policyHash = '' } = intent ?? {};
    const answer = { namespace: 'shop', name, policyHash, decision: 'Denied', reason: '', by: 'key:ops' } as const;
    expect(await approvals.answer(answer)).toBe('not-awaited');
  });
});
