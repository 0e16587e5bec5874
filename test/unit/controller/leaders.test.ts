import { describe, expect, jest, test } from '@jest/globals';
import { anOperator, type RunningProcess } from '../../support/fakes/an-operator.ts';
import { differences, play, SCENARIOS } from '../../support/fakes/scenarios.ts';
import { crashOne, overload, releaseBadImage } from '../../support/fakes/troubles.ts';
import { aShop } from '../../support/fakes/world.ts';

jest.setTimeout(300_000);
const SECOND = 1_000;
const MINUTE = 60_000;

describe('two leaders at once', () => {
  test.each([0, 500, 1_300, 2_500, 4_900])('started %d ms apart: one eviction', async (apartMs) => {
    const world = await aShop();
    await anOperator(world, { name: 'a' });
    await world.run(apartMs);
    await anOperator(world, { name: 'b' });
    await world.run(MINUTE);
    const pod = crashOne(world);
    await world.run(10 * MINUTE);
    expect(world.cluster.effects()).toEqual([`evict ${pod}`]);
    expect(world.ends().filter((end) => end.endsWith('Healed'))).toHaveLength(1);
  });

  test.each([0, 500, 1_300, 2_500, 4_900])('started %d ms apart: one step up', async (apartMs) => {
    const steps = [{ action: 'scale_up' as const, attempts: 1, timeoutSeconds: 300 }];
    const world = await aShop({ remedies: [{ on: ['any'], minSeverity: 'low', steps }] });
    await anOperator(world, { name: 'a', lagMs: 2_000 });
    await world.run(apartMs);
    await anOperator(world, { name: 'b', lagMs: 2_000 });
    await world.run(MINUTE);
    overload(world, 2.4);
    await world.run(5 * MINUTE);
    expect(world.cluster.effects()).toEqual(['scale checkout to 5']);
  });
});

describe('a bystander', () => {
  test('learns and watches, and writes nothing, neither into the cluster nor into the store', async () => {
    const world = await aShop();
    await anOperator(world, { leads: false });
    await world.run(MINUTE);
    crashOne(world);
    await world.run(6 * MINUTE);
    expect(world.mutations).toEqual([]);
    expect(world.cluster.requests).toEqual([]);
    expect(world.events).toEqual([]);
  });

  test('that takes over in the middle goes on with the same incident and the same action', async () => {
    const world = await aShop();
    const first = await anOperator(world, { name: 'a' });
    const second = await anOperator(world, { name: 'b', leads: false });
    await world.run(MINUTE);
    const pod = crashOne(world);
    await world.until('verifying', () => world.ends().includes('restart_pod Verifying'), 4 * MINUTE);
    first.kill();
    await world.run(20 * SECOND);
    second.leadership.set(true);
    await world.run(6 * MINUTE);
    expect(world.cluster.effects()).toEqual([`evict ${pod}`]);
    expect(world.ends()).toEqual(['restart_pod Healed']);
    expect((await world.incidents()).map(({ resolvedAtMs }) => resolvedAtMs === undefined)).toEqual([false]);
  });

  test('does not take the leader’s storm brake off', async () => {
    const world = await aShop();
    await anOperator(world, { name: 'a' });
    await world.run(10 * SECOND);
    await world.store.saveBlob('storm-states', new TextEncoder().encode('[{"active":true,"scope":"shop"}]'));
    await anOperator(world, { name: 'b', leads: false });
    await world.run(MINUTE);
    const kept = await world.store.loadBlob('storm-states');
    expect(new TextDecoder().decode(kept)).toContain('shop');
  });

  test('that led before does not repeat an alert which another has resolved', async () => {
    const world = await aShop();
    const [a, b] = [await anOperator(world, { name: 'a' }), await anOperator(world, { name: 'b', leads: false })];
    await world.run(MINUTE);
    const whole = world.cluster.workload('checkout').pods;
    releaseBadImage(world);
    await world.until('told', () => world.firing().length > 0, 5 * MINUTE);
    a.leadership.set(false);
    await world.run(20 * SECOND);
    b.leadership.set(true);
    await world.run(10 * SECOND);
    world.cluster.editWorkload('checkout', (workload) => ({ ...workload, pods: whole }));
    await world.until('resolved', () => world.sent.some(({ status }) => status === 'resolved'), 5 * MINUTE);
    b.leadership.set(false);
    a.leadership.set(true);
    const count = world.sent.length;
    await world.run(5 * MINUTE);
    // That it is over may be told a second time, under the same key: nobody knows whether the other one came to it.
    expect(world.sent.slice(count).filter(({ status }) => status === 'firing')).toEqual([]);
    expect(new Set(world.sent.map(({ key }) => key)).size).toBe(1);
  });
});

test('an incident of a workload that went while nobody led is closed, and its alert with it', async () => {
  const world = await aShop();
  const first = await anOperator(world);
  await world.run(MINUTE);
  releaseBadImage(world);
  await world.until('told', () => world.firing().length > 0, 5 * MINUTE);
  first.kill();
  world.cluster.deleteWorkload('checkout');
  await anOperator(world);
  await world.run(6 * MINUTE);
  expect((await world.incidents()).every(({ resolvedAtMs }) => resolvedAtMs !== undefined)).toBe(true);
  expect(world.sent.at(-1)?.status).toBe('resolved');
});

describe.each(SCENARIOS)('the lease is lost after each write and comes back: $name', (scenario) => {
  test('the same end', async () => {
    const reference = await play(scenario);
    const divergences: string[] = [];
    for (let at = reference.from; at <= reference.to; at++) {
      const depose = ({ leadership, process }: RunningProcess): void => {
        process.world.afterMutation = (n) => {
          if (n !== at) return;
          leadership.set(false);
          process.clock.after(20 * SECOND, () => leadership.set(true));
        };
      };
      const where = `${at}: ${reference.world.mutations[at - 1]}`;
      divergences.push(...differences(where, await play(scenario, undefined, {}, depose), reference));
    }
    expect({ reference: reference.end, divergences }).toEqual({ reference: reference.end, divergences: [] });
  });
});
