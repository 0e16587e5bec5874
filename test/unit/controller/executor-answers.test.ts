import { describe, expect, jest, test } from '@jest/globals';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { TROUBLE } from '../../support/fakes/fake-kube-client.ts';
import { crashOne, overload } from '../../support/fakes/troubles.ts';
import { aShop } from '../../support/fakes/world.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;
const MANY = Array.from({ length: 500 });

/** One pod of three crashes; the operator is about to evict it. */
async function aCrash() {
  const world = await aShop();
  const operator = await anOperator(world);
  await world.run(MINUTE);
  return { world, operator, crash: () => crashOne(world) };
}

describe('what the API server answers to an eviction', () => {
  test('nothing, though it was done: seen, recorded, not repeated', async () => {
    const { world, crash } = await aCrash();
    world.troubleNext('evict', TROUBLE.unanswered);
    const pod = crash();
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 4 * MINUTE);
    expect(world.cluster.effects()).toEqual([`evict ${pod}`]);
    expect((await world.history()).filter(({ kind }) => kind === 'effect')).toHaveLength(1);
  });

  test('nothing, and nothing was done: repeated once that is proven', async () => {
    const { world, crash } = await aCrash();
    world.troubleNext('evict', TROUBLE.lost);
    const pod = crash();
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 4 * MINUTE);
    expect(world.cluster.effects()).toEqual([`evict ${pod}`]);
    expect(world.cluster.foreignWrites()).toHaveLength(2);
  });

  test('nothing to the dry runs before it: blocked, no attempt spent, asked again, and healed by the same action', async () => {
    const { world, crash, operator } = await aCrash();
    world.troubleNext('dry-run evict', ...Array.from({ length: 4 }, () => TROUBLE.lost));
    const pod = crash();
    await world.until('blocked', () => world.ends().includes('restart_pod Blocked'), 4 * MINUTE);
    expect(world.cluster.actions()[0]?.status.blocked?.reason).toBe('UnsafeToRead');
    expect(operator.ledger.get(world.cluster.actions()[0]?.intent.name ?? '')).toMatchObject({ spent: false });
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 4 * MINUTE);
    expect(world.ends()).toEqual(['restart_pod Healed']);
    expect(world.cluster.effects()).toEqual([`evict ${pod}`]);
  });

  test('409 four times: read and judged again each time, then done', async () => {
    const { world, crash } = await aCrash();
    world.troubleNext('evict', ...Array.from({ length: 4 }, () => TROUBLE.conflict));
    const pod = crash();
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 4 * MINUTE);
    expect(world.cluster.effects()).toEqual([`evict ${pod}`]);
    expect((await world.history()).filter(({ kind }) => kind === 'effect')).toHaveLength(1);
  });

  test('409 five times: it stops, blocked, with the attempt unspent', async () => {
    const { world, crash, operator } = await aCrash();
    world.troubleNext('evict', ...Array.from({ length: 5 }, () => TROUBLE.conflict));
    crash();
    await world.until('blocked', () => world.ends().includes('restart_pod Blocked'), 4 * MINUTE);
    expect(world.cluster.foreignWrites()).toHaveLength(5);
    expect(operator.ledger.get(world.cluster.actions()[0]?.intent.name ?? '')).toMatchObject({ spent: false });
    expect(world.cluster.actions()[0]?.status.blocked?.reason).toBe('TargetChanged');
  });

  test('409, and the guards then refuse: no attempt is spent', async () => {
    const { world, crash, operator } = await aCrash();
    world.troubleNext('evict', TROUBLE.conflict);
    world.afterMutation = () => {
      if (world.cluster.foreignWrites().length === 0) return;
      world.afterMutation = undefined;
      world.cluster.editWorkload('checkout', (workload) => ({
        ...workload,
        annotations: { 'healing.aegis.dev/exclude': 'true' },
      }));
    };
    crash();
    await world.until('refused', () => world.ends().some((end) => end.startsWith('restart_pod Denied')), 4 * MINUTE);
    expect(operator.ledger.get(world.cluster.actions()[0]?.intent.name ?? '')).toMatchObject({ spent: false });
    expect(world.cluster.effects()).toEqual([]);
  });

  test('403: blocked, tried at most once a minute, expired in the end', async () => {
    const { world, crash } = await aCrash();
    world.troubleNext('evict', ...MANY.map(() => TROUBLE.forbidden));
    crash();
    await world.until('expired', () => world.ends().includes('restart_pod Expired'), 8 * MINUTE);
    const times = world.cluster.foreignWrites().map(({ atMs }) => atMs);
    expect(times.slice(1).every((atMs, i) => atMs - (times[i] ?? 0) >= MINUTE)).toBe(true);
    expect(world.cluster.effects()).toEqual([]);
  });

  test('422: failed, at most five attempts an incident, one alert', async () => {
    const { world, crash } = await aCrash();
    world.troubleNext('evict', ...MANY.map(() => TROUBLE.rejected));
    crash();
    await world.until('failed', () => world.ends().includes('restart_pod Failed'), 4 * MINUTE);
    await world.run(40 * MINUTE);
    expect(world.cluster.foreignWrites().length).toBeLessThanOrEqual(5);
    expect(new Set(world.firing().map(({ key }) => key)).size).toBe(1);
  });

  test('the lease is too old to begin: nothing is sent, blocked, and done once it is fresh', async () => {
    const { world, crash, operator } = await aCrash();
    operator.leadership.isFresh = false;
    const pod = crash();
    await world.until('blocked', () => world.ends().includes('restart_pod Blocked'), 4 * MINUTE);
    expect(world.cluster.foreignWrites()).toEqual([]);
    operator.leadership.isFresh = true;
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 4 * MINUTE);
    expect(world.cluster.effects()).toEqual([`evict ${pod}`]);
  });

  test('the workload is deleted and made anew before the write: the new one is not touched', async () => {
    const { world, crash } = await aCrash();
    world.afterMutation = () => {
      if (world.cluster.actions().length === 0) return;
      world.afterMutation = undefined;
      world.cluster.editWorkload('checkout', (workload) => ({ ...workload, ref: { ...workload.ref, uid: 'w-new' } }));
    };
    crash();
    await world.until('superseded', () => world.ends().includes('restart_pod Superseded'), 4 * MINUTE);
    expect(world.cluster.effects().length).toBeLessThanOrEqual(1);
    expect(world.cluster.actions()[0]?.status.closed?.reason).toMatch(/TargetChanged|TargetGone|IncidentClosed/);
  });
});

describe('an action that somebody deletes', () => {
  const steps = [
    {
      ...{ action: 'scale_up' as const, attempts: 1, timeoutSeconds: 300 },
      scale: { percent: 100, returnAfterSeconds: 1_800, autoscaler: 'Leave' as const },
    },
  ];

  test('while its replicas are owed back: they go back first, then the object goes', async () => {
    const world = await aShop({ remedies: [{ on: ['any'], minSeverity: 'low', steps }] });
    await anOperator(world);
    await world.run(3 * MINUTE);
    const ease = overload(world, 2.4);
    await world.until('healed', () => world.ends().includes('scale_up Healed'), 5 * MINUTE);
    ease();
    world.cluster.requestDeletion(world.cluster.actions()[0]?.intent.name ?? '');
    expect(world.cluster.actions()).toHaveLength(1);
    await world.until('gone', () => world.cluster.actions().length === 0, MINUTE);
    expect(world.cluster.effects()).toEqual(['scale checkout to 6', 'scale checkout to 3']);
    expect((await world.history()).map(({ kind }) => kind)).toContain('undo');
  });

  test('while the API server does not take the finalizer off: tried again', async () => {
    const world = await aShop({ remedies: [{ on: ['any'], minSeverity: 'low', steps }] });
    await anOperator(world);
    await world.run(3 * MINUTE);
    const ease = overload(world, 2.4);
    await world.until('healed', () => world.ends().includes('scale_up Healed'), 5 * MINUTE);
    ease();
    world.refusesOwn = (verb) => verb === 'finalizer';
    world.cluster.requestDeletion(world.cluster.actions()[0]?.intent.name ?? '');
    await world.run(MINUTE);
    expect(world.cluster.actions()).toHaveLength(1);
    world.refusesOwn = () => false;
    await world.until('gone', () => world.cluster.actions().length === 0, 10_000);
  });
});
