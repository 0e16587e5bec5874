import { describe, expect, jest, test } from '@jest/globals';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { crashOne } from '../../support/fakes/troubles.ts';
import { aShop, quickPolicy, type World } from '../../support/fakes/world.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;
const QUERY = 'rate(up)';
const WORDS = 'status 400: 1:6: parse error: expected type range vector in call to function "rate", got instant vector';

/** A policy with a query that reads as PromQL and that the server does not take. */
async function aShopWithABadQuery(): Promise<World> {
  const { detection } = quickPolicy();
  const metrics = [{ name: 'ups', query: QUERY, unit: '1/s', direction: 'Below' as const }];
  const world = await aShop({ detection: { ...detection, metrics } });
  world.source.refusals.set(QUERY, WORDS);
  return world;
}

const statusWrites = (world: World): number =>
  world.cluster.requests.filter(({ verb }) => verb === 'policy-status').length;

const accepted = (world: World) =>
  world.cluster.policyStatus('checkout')?.conditions.find(({ type }) => type === 'Accepted');

describe('a query that only the server can refuse', () => {
  test('makes its policy not accepted, in the server’s words, and nothing is done under it', async () => {
    const world = await aShopWithABadQuery();
    await anOperator(world);
    await world.run(MINUTE);
    expect(world.condition('checkout', 'Accepted')).toBe('False QueryInvalid');
    expect(accepted(world)?.message).toBe(`spec.detection.metrics[0].query: ${WORDS}`);
    expect(world.condition('checkout', 'Ready')).toBe('False NotAccepted');
    expect(world.events.filter(({ reason }) => reason === 'PolicyNotAccepted')).toHaveLength(1);
    crashOne(world);
    await world.run(5 * MINUTE);
    expect(world.cluster.effects()).toEqual([]);
    expect(await world.incidents()).toEqual([]);
  });

  test('is not written about again while nothing changes, also not by the next leader', async () => {
    const world = await aShopWithABadQuery();
    const first = await anOperator(world);
    await world.run(2 * MINUTE);
    const before = statusWrites(world);
    await world.run(10 * MINUTE);
    first.kill();
    await anOperator(world);
    await world.run(10 * MINUTE);
    expect(statusWrites(world) - before).toBe(0);
    expect(world.condition('checkout', 'Accepted')).toBe('False QueryInvalid');
  });

  test('that is mended is accepted at the next poll, and healing begins', async () => {
    const world = await aShopWithABadQuery();
    await anOperator(world);
    await world.run(MINUTE);
    world.cluster.editPolicy('checkout', ({ detection, ...policy }) => ({
      ...policy,
      detection: { ...detection, metrics: detection.metrics.map((each) => ({ ...each, query: 'rate(up[5m])' })) },
    }));
    await world.run(10_000);
    expect(world.condition('checkout', 'Accepted')).toBe('True Valid');
    const pod = crashOne(world);
    await world.until('treated', () => world.cluster.effects().length > 0, 5 * MINUTE);
    expect(world.cluster.effects()).toEqual([`evict ${pod}`]);
  });

  test('that the server takes by now is accepted without an edit', async () => {
    const world = await aShopWithABadQuery();
    await anOperator(world);
    await world.run(MINUTE);
    world.source.refusals.clear();
    await world.run(10_000);
    expect(world.condition('checkout', 'Accepted')).toBe('True Valid');
  });

  test('is no fault of the policy’s when the server said so once or twice only', async () => {
    const world = await aShopWithABadQuery();
    world.source.refusals.clear();
    await anOperator(world);
    await world.run(MINUTE);
    for (let time = 0; time < 20; time++) {
      if (time % 3 === 0) world.source.refusals.clear();
      else world.source.refusals.set(QUERY, WORDS);
      await world.run(5_000);
      expect(world.condition('checkout', 'Accepted')).toBe('True Valid');
    }
  });

  test('stays refused while the server is away: that is no answer', async () => {
    const world = await aShopWithABadQuery();
    await anOperator(world);
    await world.run(MINUTE);
    world.source.manner = 'unreachable';
    await world.run(5 * MINUTE);
    expect(world.condition('checkout', 'Accepted')).toBe('False QueryInvalid');
  });

  test('harms no other policy', async () => {
    const world = await aShopWithABadQuery();
    world.cluster.addWorkload({ name: 'till', pods: 3 });
    const target = { kind: 'Deployment' as const, name: 'till' };
    world.cluster.putPolicy(quickPolicy({ name: 'till', uid: 'p-till', target }));
    await anOperator(world);
    await world.run(MINUTE);
    crashOne(world, 'till');
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 5 * MINUTE);
    expect(world.condition('till', 'Accepted')).toBe('True Valid');
  });
});
