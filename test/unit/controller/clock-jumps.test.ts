import { describe, expect, jest, test } from '@jest/globals';
import { anOperator } from '../../support/fakes/an-operator.ts';
import type { PodSnapshot } from '../../../src/lib/workload.ts';
import { aGuardrail } from '../../support/builders/policy.ts';
import { asCrashing } from '../../support/fakes/pod-states.ts';
import { crashOne, leakInOne } from '../../support/fakes/troubles.ts';
import { aShop, EVERY_DEPLOYMENT, quickPolicy } from '../../support/fakes/world.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;
const COOLDOWN_MS = 15 * MINUTE;

describe('a wall clock that jumps', () => {
  test.each([
    ['forward by two days', 48 * 60 * MINUTE],
    ['forward by an hour', 60 * MINUTE],
    ['forward by the cooldown', COOLDOWN_MS],
    ['back by a minute', -MINUTE],
    ['back by an hour', -60 * MINUTE],
  ])('%s ends no cooldown, and prolongs none', async (_what, byMs) => {
    const limits = { ...quickPolicy().limits, cooldownSeconds: COOLDOWN_MS / 1000 };
    const world = await aShop({ limits }, 4);
    await anOperator(world);
    await world.run(MINUTE);
    crashOne(world);
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 4 * MINUTE);
    const sentMs =
      world.clock.monotonicMs() - (world.clock.nowMs() - (world.cluster.actions()[0]?.status.executed?.atMs ?? 0));
    leakInOne(world);
    await world.run(3 * MINUTE);
    world.clock.jump(byMs);
    await world.run(COOLDOWN_MS - MINUTE - (world.clock.monotonicMs() - sentMs));
    expect(world.cluster.effects()).toHaveLength(1);
    await world.until('done once it is over', () => world.cluster.effects().length === 2, 4 * MINUTE);
    expect(world.faults()).toEqual([]);
  });

  test.each([
    ['forward by an hour', 60 * MINUTE],
    ['back by a minute', -MINUTE],
  ])('%s lets no young pod pass for an old one, and holds none for longer', async (_what, byMs) => {
    const world = await aShop({ limits: { ...quickPolicy().limits, minPodAgeSeconds: 300 } }, 4);
    await anOperator(world);
    await world.run(MINUTE);
    const [gone] = world.cluster.workload('checkout').pods;
    world.cluster.evict('shop', gone?.name ?? '');
    world.cluster.requests.length = 0;
    await world.run(20_000);
    const young = world.cluster.workload('checkout').pods.at(-1);
    if (young === undefined) throw new Error('no pod');
    const madeMs = world.clock.monotonicMs() - (world.clock.nowMs() - young.createdAtMs);
    world.clock.jump(byMs);
    world.cluster.editPod(young.name, (pod) => asCrashing(pod, world.clock.nowMs()));
    await world.run(5 * MINUTE - 10_000 - (world.clock.monotonicMs() - madeMs));
    expect(world.cluster.effects()).toEqual([]);
    await world.until('old enough', () => world.cluster.effects().length > 0, MINUTE);
    expect(world.cluster.effects()).toEqual([`evict ${young.name}`]);
  });

  test.each([
    ['forward by an hour', 60 * MINUTE],
    ['back by an hour', -60 * MINUTE],
  ])('%s hides no storm that begins, and holds the brake no longer than its ten minutes', async (_what, byMs) => {
    const world = await aShop({ target: EVERY_DEPLOYMENT });
    for (const name of ['cart', 'search', 'mail', 'stock']) world.cluster.addWorkload({ name, pods: 3 });
    const { storms } = await anOperator(world);
    await world.run(MINUTE);
    const whole = ['checkout', 'cart', 'search'].map((name) => [name, world.cluster.workload(name).pods] as const);
    const heal = (): void => {
      for (const [name, pods] of whole) world.cluster.editWorkload(name, (workload) => ({ ...workload, pods }));
    };
    // Two are ill for a moment; the third follows after the jump, within the five minutes.
    crashOne(world, 'checkout');
    crashOne(world, 'cart');
    world.cluster.putGuardrail(aGuardrail({ suspended: true }));
    await world.run(20_000);
    heal();
    await world.run(20_000);
    world.clock.jump(byMs);
    crashOne(world, 'search');
    await world.run(20_000);
    expect(storms.active().map(({ scope }) => scope)).toContain('cluster');
    heal();
    await world.run(5 * MINUTE + 11 * MINUTE);
    expect(storms.active()).toEqual([]);
  });

  test.each([
    ['back by an hour', [-60 * MINUTE]],
    ['back by 50 minutes', [-50 * MINUTE]],
    ['forward by an hour, and back again', [60 * MINUTE, -60 * MINUTE]],
  ])('%s makes no old kill fresh again', async (_what, jumps) => {
    const world = await aShop({}, 4);
    const [killed] = world.cluster.workload('checkout').pods;
    const endedAtMs = world.clock.nowMs() - 50 * MINUTE;
    world.cluster.editPod(killed?.name ?? '', (pod) => killedBefore(pod, endedAtMs));
    const { book } = await anOperator(world);
    await world.run(2 * MINUTE);
    expect(book.tracks().map(({ verdict }) => verdict?.state)).toEqual(['healthy']);
    for (const byMs of jumps) {
      world.clock.jump(byMs);
      await world.run(3 * MINUTE);
      expect(book.tracks().map(({ verdict }) => verdict?.state)).toEqual(['healthy']);
    }
    expect(world.cluster.effects()).toEqual([]);
  });
});

/** It runs again since then, after it was killed for its memory. */
function killedBefore(pod: PodSnapshot, finishedAtMs: number): PodSnapshot {
  const lastTermination = { reason: 'OOMKilled', exitCode: 137, startedAtMs: finishedAtMs - MINUTE, finishedAtMs };
  const again = { restartCount: 1, startedAtMs: finishedAtMs + 1_000, lastTermination };
  return { ...pod, containers: pod.containers.map((container) => ({ ...container, ...again })) };
}

describe('a wall clock that is wrong', () => {
  test.each([
    ['three minutes behind the source’s', 3 * MINUTE],
    ['ten minutes behind the source’s', 10 * MINUTE],
    ['three minutes ahead of the source’s', -3 * MINUTE],
    ['a day ahead of the source’s', -24 * 60 * MINUTE],
  ])('%s: what is ill is healed, and what is old is unknown', async (_what, aheadMs) => {
    const world = await aShop({}, 4);
    world.source.aheadMs = aheadMs;
    const { book } = await anOperator(world);
    await world.run(3 * MINUTE);
    leakInOne(world);
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 6 * MINUTE);
    expect(world.metrics.value('aegis_metrics_clock_ahead_seconds')).toBeCloseTo(aheadMs / 1000, 0);
    // Samples of ten minutes ago: by a clock that is as far behind they are of now.
    world.source.manner = 'stale';
    leakInOne(world);
    await world.run(5 * MINUTE);
    expect(book.tracks().map(({ verdict }) => verdict?.state)).toEqual(['unknown']);
    expect(world.cluster.effects()).toHaveLength(1);
    expect(world.faults()).toEqual([]);
  });
});
