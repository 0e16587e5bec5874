import { expect, jest, test } from '@jest/globals';
import type { Guardrail } from '../../../src/policy/healing-policy.ts';
import { aGuardrail } from '../../support/builders/policy.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { crashOne } from '../../support/fakes/troubles.ts';
import { aShop, type World } from '../../support/fakes/world.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;

/** Lets go, or not, of what a full disruption budget blocks. */
function allow(world: World, disruptionsAllowed: number): void {
  const disruptionBudgets = [{ name: 'checkout', disruptionsAllowed }];
  world.cluster.editWorkload('checkout', (workload) => ({ ...workload, disruptionBudgets }));
}

/** A guardrail that comes after an action was decided and before it can be sent. */
async function cappedBy(guardrail: Guardrail): Promise<World> {
  const world = await aShop();
  allow(world, 0);
  await anOperator(world);
  await world.run(MINUTE);
  crashOne(world);
  await world.until('blocked', () => world.ends().includes('restart_pod Blocked'), 4 * MINUTE);
  world.cluster.putGuardrail(guardrail);
  await world.run(5_000);
  allow(world, 1);
  await world.run(3 * MINUTE);
  return world;
}

const ask = { name: 'ask', expression: 'true', effect: 'RequireApproval' } as const;

test.each([
  ['caps the mode at Observe: it is only shown', { maxMode: 'Observe' }, 'Denied', 'the mode is Observe by now'],
  ['caps the mode at Approve: people are asked', { maxMode: 'Approve' }, 'AwaitingApproval', 'the mode is Approve'],
  ['has a rule that asks: people are asked', { rules: [ask] }, 'AwaitingApproval', 'the rule ask asks for approval'],
] as const)('a guardrail that comes before a blocked action is sent, and %s', async (_, over, then, why) => {
  const world = await cappedBy(aGuardrail(over));
  expect(world.cluster.effects()).toEqual([]);
  expect(world.ends()).toEqual(['restart_pod Superseded', `restart_pod ${then}`]);
  expect(world.cluster.actions()[0]?.status.closed).toMatchObject({ reason: 'PolicyChanged' });
  expect(world.cluster.actions()[0]?.status.closed?.message).toContain(why);
});

test.each([
  ['Approve: it is sent', 'Approve', 1],
  ['Observe: it is not', 'Observe', 0],
] as const)('what a person approved, under a guardrail that caps the mode at %s', async (_, maxMode, effects) => {
  const world = await aShop({ mode: 'Approve' });
  await anOperator(world);
  await world.run(MINUTE);
  crashOne(world);
  await world.until('asked', () => world.ends().includes('restart_pod AwaitingApproval'), 4 * MINUTE);
  world.cluster.putGuardrail(aGuardrail({ maxMode, rules: [ask] }));
  world.cluster.answerApproval(world.cluster.actions()[0]?.intent.name ?? '', 'Approved');
  await world.run(MINUTE);
  expect(world.cluster.effects()).toHaveLength(effects);
});
