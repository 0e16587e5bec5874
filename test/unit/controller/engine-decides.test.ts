import { describe, expect, jest, test } from '@jest/globals';
import type { EngineAnswer } from '../../../src/policy/guard.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { crashOne } from '../../support/fakes/troubles.ts';
import { aShop, type World } from '../../support/fakes/world.ts';

jest.setTimeout(60_000);
const SECOND = 1_000;
const MINUTE = 60_000;

const allowed: EngineAnswer = { kind: 'allowed', policies: ['base'] };
const denied: EngineAnswer = { kind: 'denied', reason: 'freeze', policies: ['freeze'] };
const silent = (failurePolicy: 'Deny' | 'Allow'): EngineAnswer => ({
  ...{ kind: 'unavailable', message: 'no answer', failurePolicy },
});

/** A crash loop where an engine has a say. */
async function crashed(answer: EngineAnswer): Promise<World> {
  const world = await aShop();
  world.engine = answer;
  await anOperator(world);
  await world.run(MINUTE);
  crashOne(world);
  return world;
}

const asked = (world: World): number =>
  ['allowed', 'denied', 'unavailable'].reduce(
    (sum, result) => sum + world.metrics.value('aegis_policy_engine_requests_total', { result }),
    0,
  );
const heldFor = async (world: World): Promise<readonly (string | undefined)[]> =>
  (await world.history()).filter(({ kind }) => kind === 'hold').map(({ reason }) => reason);

describe('what an external engine says decides', () => {
  test.each<[string, EngineAnswer, readonly string[]]>([
    ['allowed: done', allowed, ['restart_pod Healed']],
    ['no answer, and that allows: done', silent('Allow'), ['restart_pod Healed']],
    ['denied: people are told', denied, ['alert_admin Healed']],
  ])('%s', async (_, answer, ends) => {
    const world = await crashed(answer);
    await world.run(6 * MINUTE);
    expect(world.ends()).toEqual(ends);
    expect(world.cluster.effects()).toHaveLength(ends[0]?.startsWith('restart') === true ? 1 : 0);
    expect(world.faults()).toEqual([]);
  });

  test('no answer, and that denies: it waits, people are told when the rung’s time is over, and it is done once the engine answers', async () => {
    const world = await crashed(silent('Deny'));
    await world.run(2 * MINUTE);
    expect([world.ends(), await heldFor(world)]).toEqual([[], ['PolicyEngineUnavailable']]);
    await world.run(6 * MINUTE);
    expect(world.ends()).toEqual(['alert_admin Healed']);
    world.engine = allowed;
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 6 * MINUTE);
    expect(world.cluster.effects()).toHaveLength(1);
  });

  test('it is asked once a poll about an incident that waits for it, and about none for which another guard holds', async () => {
    const world = await crashed(silent('Deny'));
    await world.until('held', () => asked(world) > 0, MINUTE);
    const before = asked(world);
    await world.run(60 * SECOND);
    expect(asked(world) - before).toBe(12); // polls of five seconds
    world.cluster.editPolicy('checkout', (policy) => ({
      ...policy,
      pauseRequests: [{ name: 'ada', reason: 'release' }],
    }));
    await world.run(5 * SECOND);
    const paused = asked(world);
    await world.run(MINUTE);
    expect(asked(world)).toBe(paused);
  });

  test('an incident is diagnosed once a poll: one Event for its name, whoever is asked', async () => {
    const world = await crashed(allowed);
    await world.until('decided', () => world.cluster.actions().length > 0, 2 * MINUTE);
    expect(world.events.filter(({ reason }) => reason === 'Diagnosed')).toHaveLength(1);
    expect(world.metrics.value('aegis_incidents_total', { failure_type: 'crash_loop' })).toBe(1);
  });
});
