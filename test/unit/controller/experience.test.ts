import { describe, expect, jest, test } from '@jest/globals';
import type { Step } from '../../../src/policy/action.ts';
import { aRecord } from '../../support/builders/policy.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { leakInOne } from '../../support/fakes/troubles.ts';
import { aShop, type World } from '../../support/fakes/world.ts';

jest.setTimeout(120_000);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const step = (action: 'clear_cache' | 'restart_pod', group?: string): Step => ({
  ...{ action, attempts: 1, timeoutSeconds: 300 },
  ...(group !== undefined && { group }),
  ...(action === 'clear_cache' && { cache: { http: { port: 8080, path: '/cache/clear' } } }),
});
const EQUALS = [step('clear_cache', 'memory'), step('restart_pod', 'memory')];
const SEQUENCE = [step('clear_cache'), step('restart_pod')];

/** Six incidents of some days ago: the cache was cleared in vain in five of them, a restart helped in all. */
async function remember(world: World): Promise<void> {
  const decidedAtMs = world.clock.nowMs() - 3 * DAY;
  for (let incident = 1; incident <= 6; incident++) {
    const shared = { incidentId: `past-${incident}`, decidedAtMs, endedAtMs: decidedAtMs + 5 * MINUTE };
    const cleared = incident === 1 ? 'Healed' : 'Ineffective';
    await world.store.saveAction(
      aRecord({ ...shared, action: 'clear_cache', state: cleared, reason: 'StillAnomalous' }),
    );
    await world.store.saveAction(aRecord({ ...shared, action: 'restart_pod', state: 'Healed', reason: 'Recovered' }));
  }
}

async function aLeakyShop(steps: readonly Step[]): Promise<World> {
  const world = await aShop({ remedies: [{ on: ['any'], minSeverity: 'low', steps }] });
  await remember(world);
  return world;
}

/** The first effect that a leak leads to. */
async function firstEffect(world: World) {
  await world.run(2 * MINUTE);
  leakInOne(world);
  await world.until('decided', () => world.cluster.actions().length > 0, 15 * MINUTE);
  const intent = world.cluster.actions()[0]?.intent;
  return { action: intent?.action, reason: intent?.reason ?? '', step: intent?.step };
}

describe('what effects taught an operator', () => {
  test('puts alternatives in order, says so in the action and in the decision, and is kept over a restart', async () => {
    const world = await aLeakyShop(EQUALS);
    const before = await anOperator(world);
    await world.run(MINUTE);
    before.kill();
    const { view, operator } = await anOperator(world);
    const { action, reason, step } = await firstEffect(world);
    expect([action, step]).toEqual(['restart_pod', 1]);
    const why =
      'before clear_cache, since restart_pod helped in 6 of 6 incidents, clear_cache helped in 1 of 6 incidents';
    expect(reason).toContain(why);
    const decision = await view.decision(world.cluster.actions()[0]?.intent.name ?? '');
    expect(decision?.message).toContain(why);
    expect(world.faults()).toEqual([]);
    await operator.stop();
  });

  test('never changes what somebody wrote down as a sequence', async () => {
    const world = await aLeakyShop(SEQUENCE);
    await anOperator(world);
    expect(await firstEffect(world)).toMatchObject({ action: 'clear_cache', step: 0 });
  });

  test('is forgotten on a person’s word at once, and the next effects teach anew', async () => {
    const world = await aLeakyShop(EQUALS);
    const { effectiveness } = await anOperator(world);
    await world.run(MINUTE);
    await effectiveness.reset({ of: {}, reason: 'a new release', by: 'key:kim', idempotencyKey: 'k-1' });
    const { action, reason } = await firstEffect(world);
    expect(action).toBe('clear_cache');
    expect(reason).not.toContain('before');
    const row = (await world.history()).find(({ kind }) => kind === 'reset');
    expect(row).toMatchObject({ facts: { by: 'key:kim', reason: 'a new release' } });
    expect(row?.message).toBe('key:kim took back what was learnt of every effect: a new release');
    await world.until('judged', () => world.ends().includes('clear_cache Ineffective'), 20 * MINUTE);
    expect((await effectiveness.read()).effectiveness).toMatchObject([
      { failureType: 'memory_leak', action: 'clear_cache', incidents: 1, helped: 0 },
    ]);
  });

  test('a reset that another replica took is known within two minutes', async () => {
    const world = await aLeakyShop(EQUALS);
    await anOperator(world);
    const { effectiveness } = await anOperator(world, { leads: false });
    await world.run(MINUTE);
    await effectiveness.reset({ of: { action: 'restart_pod' }, reason: 'x', by: 'key:kim', idempotencyKey: 'k-1' });
    expect(await firstEffect(world)).toMatchObject({ action: 'restart_pod' });
    // clear_cache is still known to help little, and restart_pod counts as never tried.
    expect(world.cluster.actions()[0]?.intent.reason).toContain('restart_pod was not tried yet');
  });

  test('a store that is away when it begins to lead leaves ladders as written, until it is back', async () => {
    const world = await aLeakyShop(EQUALS);
    const history = world.store.history.bind(world.store);
    let isAway = true;
    world.store.history = (query) => (isAway ? Promise.reject(new Error('away')) : history(query));
    await anOperator(world);
    await world.run(2 * MINUTE);
    expect(world.log.lines.some(({ message }) => message.includes('ladders stay as written'))).toBe(true);
    isAway = false;
    expect(await firstEffect(world)).toMatchObject({ action: 'restart_pod' });
  });

  test('is reported, and what a reset took back is reported as nothing', async () => {
    const world = await aLeakyShop(EQUALS);
    const { effectiveness } = await anOperator(world);
    await world.run(MINUTE);
    const labels = { failure_type: 'memory_leak', action: 'restart_pod', workload_kind: 'Deployment' };
    expect(world.metrics.value('aegis_effect_incidents', labels)).toBe(6);
    expect(world.metrics.value('aegis_effect_estimate', labels)).toBe(0.8);
    await effectiveness.reset({ of: {}, reason: 'x', by: 'key:kim', idempotencyKey: 'k-1' });
    await world.run(MINUTE);
    expect(world.metrics.value('aegis_effect_incidents', labels)).toBe(0);
    expect(world.metrics.value('aegis_effect_estimate', labels)).toBe(0.5);
  });
});
