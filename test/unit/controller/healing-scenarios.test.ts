import { describe, expect, jest, test } from '@jest/globals';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { asCrashing } from '../../support/fakes/pod-states.ts';
import { crashOne, leakInOne, overload, releaseBadImage } from '../../support/fakes/troubles.ts';
import { aShop, EVERY_DEPLOYMENT, type World } from '../../support/fakes/world.ts';

const MINUTE = 60_000;
jest.setTimeout(60_000);

/** Five workloads under one policy: three of them together are a storm. */
async function aShopOfFive(): Promise<World> {
  const world = await aShop({ target: EVERY_DEPLOYMENT });
  for (const name of ['cart', 'search', 'mail', 'stock']) world.cluster.addWorkload({ name, pods: 3 });
  return world;
}

describe('what is healed', () => {
  test('one pod of three that crash-loops is evicted once, and its replacement proves it', async () => {
    const world = await aShop();
    await anOperator(world);
    await world.run(MINUTE);
    expect(world.ends()).toEqual([]);
    const pod = crashOne(world);
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 4 * MINUTE);
    await world.run(10 * MINUTE);
    expect(world.cluster.effects()).toEqual([`evict ${pod}`]);
    expect(world.ends()).toEqual(['restart_pod Healed']);
    const effects = (await world.history()).filter(({ kind }) => kind === 'effect');
    expect(effects).toMatchObject([{ action: 'restart_pod', outcome: { reason: 'applied' } }]);
    expect((await world.incidents()).map(({ resolvedAtMs }) => resolvedAtMs !== undefined)).toEqual([true]);
    expect(world.condition('checkout', 'Healthy')).toBe('True Healthy');
    expect(world.sent).toEqual([]);
    expect(world.faults()).toEqual([]);
  });

  test('a leak in one pod of three ends with that pod’s restart', async () => {
    const world = await aShop();
    await anOperator(world);
    await world.run(3 * MINUTE);
    const pod = leakInOne(world);
    await world.until('healed', () => world.ends().includes('restart_pod Healed'), 10 * MINUTE);
    await world.run(10 * MINUTE);
    expect(world.cluster.effects()).toEqual([`evict ${pod}`]);
    expect(world.faults()).toEqual([]);
  });

  test('an overload of all gets more replicas, and they go back after health', async () => {
    const remedies = [
      {
        on: ['any'],
        minSeverity: 'low' as const,
        steps: [
          {
            ...{ action: 'scale_up' as const, attempts: 1, timeoutSeconds: 300 },
            scale: { percent: 100, returnAfterSeconds: 120, autoscaler: 'Leave' as const },
          },
        ],
      },
    ];
    const world = await aShop({ remedies });
    await anOperator(world);
    await world.run(3 * MINUTE);
    const ease = overload(world, 2.4);
    await world.until('scaled', () => world.cluster.effects().length > 0, 5 * MINUTE);
    expect(world.cluster.effects()).toEqual(['scale checkout to 6']);
    await world.until('healed', () => world.ends().includes('scale_up Healed'), 5 * MINUTE);
    ease();
    await world.until('returned', () => world.cluster.effects().length > 1, 20 * MINUTE);
    await world.run(10 * MINUTE);
    expect(world.cluster.effects()).toEqual(['scale checkout to 6', 'scale checkout to 3']);
    expect(world.ends()).toEqual(['scale_up Healed']);
    expect((await world.history()).map(({ kind }) => kind).filter((kind) => kind !== 'hold')).toEqual([
      'undo',
      'effect',
      'decision',
    ]);
    expect(world.faults()).toEqual([]);
  });
});

describe('what is not healed, but told', () => {
  test('an image that nobody has: one alert, nothing restarted', async () => {
    const world = await aShop();
    await anOperator(world);
    await world.run(MINUTE);
    releaseBadImage(world);
    await world.until('told', () => world.firing().length > 0, 5 * MINUTE);
    await world.run(30 * MINUTE);
    expect(world.cluster.foreignWrites()).toEqual([]);
    expect(world.ends()).toEqual(['alert_admin Healed']);
    expect(new Set(world.firing().map(({ key }) => key)).size).toBe(1);
    expect((await world.history()).filter(({ kind }) => kind === 'alert')).toHaveLength(1);
    expect(world.faults()).toEqual([]);
  });

  test('the alert is resolved when the incident is over', async () => {
    const world = await aShop();
    await anOperator(world);
    await world.run(MINUTE);
    const before = world.cluster.workload('checkout').pods;
    releaseBadImage(world);
    await world.until('told', () => world.firing().length > 0, 5 * MINUTE);
    world.cluster.editWorkload('checkout', (workload) => ({ ...workload, pods: before }));
    await world.until('resolved', () => world.sent.some(({ status }) => status === 'resolved'), 5 * MINUTE);
    const count = world.sent.length;
    await world.run(5 * MINUTE);
    expect(world.sent).toHaveLength(count);
  });

  test('a sink that is down keeps nothing from being healed, and is tried again', async () => {
    const world = await aShop();
    await anOperator(world);
    await world.run(MINUTE);
    world.areSinksDown = true;
    releaseBadImage(world);
    await world.until('tried', () => world.ends().includes('alert_admin Failed'), 5 * MINUTE);
    world.areSinksDown = false;
    await world.until('told', () => world.firing().length > 0, 20 * MINUTE);
    expect(world.ends()).toEqual(['alert_admin Failed', 'alert_admin Healed']);
  });

  test('three of five workloads crash at once: no effect, one grouped alert', async () => {
    const world = await aShopOfFive();
    await anOperator(world);
    await world.run(MINUTE);
    for (const name of ['checkout', 'cart', 'search']) crashOne(world, name);
    await world.until('told', () => world.firing().length > 0, MINUTE);
    await world.run(3 * MINUTE);
    expect(world.cluster.effects()).toEqual([]);
    expect(new Set(world.firing().map(({ key }) => key))).toEqual(new Set(['storm/cluster']));
    // It stands for as long as the storm does: receivers let what is not repeated lapse.
    expect(world.firing().at(-1)?.endsAtMs).toBeGreaterThan(world.clock.nowMs());
    expect(world.faults()).toEqual([]);
  });

  test('three of five workloads wait for an image that does not exist: one alert names them, what they share and what to do', async () => {
    const world = await aShopOfFive();
    await anOperator(world);
    await world.run(MINUTE);
    for (const name of ['checkout', 'cart', 'search']) releaseBadImage(world, name);
    await world.until('told', () => world.firing().length > 0, MINUTE);
    const names = 'Deployment shop/cart, Deployment shop/checkout, Deployment shop/search';
    const [alert] = world.firing();
    expect(alert?.summary).toContain(`3 of 5 workloads turned anomalous within five minutes (cluster): ${names}`);
    expect(alert?.summary).toContain('3 of 3 show image_error');
    expect(alert?.evidence).toEqual([`image_error: ${names}`]);
    expect(alert?.advice).toContain('kubectl -n shop set image deployment/checkout');
    expect(alert?.advice).toContain('kubectl get events');
    await world.run(3 * MINUTE);
    expect(new Set(world.firing().map(({ key }) => key))).toEqual(new Set(['storm/cluster']));
    const told = world.events.find(({ reason }) => reason === 'StormStarted');
    expect(told?.note).toContain(names);
    expect(world.log.lines.find(({ message }) => message.startsWith('a storm began'))?.facts).toMatchObject({
      workloads: names.split(', '),
    });
    expect(world.cluster.policyStatus('checkout')?.incidents[0]?.reason).toContain(names);
  });

  test('the storm’s alert is resolved once the brake is off, and healing goes on', async () => {
    const world = await aShopOfFive();
    const { storms } = await anOperator(world);
    await world.run(MINUTE);
    const whole = ['cart', 'search'].map((name) => [name, world.cluster.workload(name).pods] as const);
    const pod = crashOne(world);
    for (const [name] of whole) crashOne(world, name);
    await world.run(MINUTE);
    for (const [name, pods] of whole) world.cluster.editWorkload(name, (workload) => ({ ...workload, pods }));
    let endsAtMs = 0;
    const isOver = (): boolean => {
      endsAtMs = Math.max(endsAtMs, storms.active()[0]?.endsAtMs ?? 0);
      return storms.active().length === 0;
    };
    await world.until('over', isOver, 30 * MINUTE);
    await world.run(5 * MINUTE);
    expect(world.sent.filter(({ key }) => key === 'storm/cluster').at(-1)?.status).toBe('resolved');
    expect(world.cluster.effects()).toEqual([`evict ${pod}`]);
    expect(world.cluster.foreignWrites()[0]?.atMs).toBeGreaterThanOrEqual(endsAtMs);
  });
});

describe('modes', () => {
  test('Observe: a dry run is recorded, and nothing but Aegis’s own kinds is written', async () => {
    const world = await aShop({ mode: 'Observe' });
    await anOperator(world);
    await world.run(MINUTE);
    crashOne(world);
    await world.until('decided', () => world.ends().length > 0, 4 * MINUTE);
    await world.run(10 * MINUTE);
    expect(world.ends()).toEqual(['restart_pod Denied']);
    expect(world.cluster.actions()[0]?.status.closed?.reason).toBe('ObserveOnly');
    expect(world.cluster.foreignWrites()).toEqual([]);
    expect((await world.history()).filter(({ kind }) => kind === 'dry-run')).toHaveLength(1);
    expect(world.sent).toEqual([]);
  });

  test.each([
    ['approved', 'Approved', 'restart_pod Healed', 1],
    ['denied', 'Denied', 'restart_pod Denied', 0],
  ] as const)('Approve: %s', async (_, answer, end, effects) => {
    const world = await aShop({ mode: 'Approve' });
    await anOperator(world);
    await world.run(MINUTE);
    crashOne(world);
    await world.until('asked', () => world.ends().includes('restart_pod AwaitingApproval'), 4 * MINUTE);
    await world.run(MINUTE);
    expect(world.cluster.effects()).toEqual([]);
    world.cluster.answerApproval(world.cluster.actions()[0]?.intent.name ?? '', answer);
    await world.until('answered', () => world.ends().includes(end), 5 * MINUTE);
    expect(world.cluster.effects()).toHaveLength(effects);
  });

  test('Approve: nobody answers in time', async () => {
    const world = await aShop({ mode: 'Approve', approval: { timeoutSeconds: 120 } });
    await anOperator(world);
    await world.run(MINUTE);
    crashOne(world);
    await world.until('expired', () => world.ends().includes('restart_pod Expired'), 15 * MINUTE);
    expect(world.cluster.actions()[0]?.status.closed?.reason).toBe('ApprovalExpired');
    await world.run(5 * MINUTE);
    expect(world.cluster.effects()).toEqual([]);
    expect(world.ends()).toEqual(['restart_pod Expired', 'alert_admin Healed']);
  });

  test('while it awaits approval nothing is written', async () => {
    const world = await aShop({ mode: 'Approve' });
    await anOperator(world);
    await world.run(MINUTE);
    crashOne(world);
    await world.until('asked', () => world.ends().includes('restart_pod AwaitingApproval'), 4 * MINUTE);
    await world.run(MINUTE);
    const before = world.cluster.requests.length;
    await world.run(2 * MINUTE);
    expect(world.cluster.requests.slice(before)).toEqual([]);
  });
});

test('ten minutes of health write nothing into the cluster', async () => {
  const world = await aShop();
  await anOperator(world);
  await world.run(5 * MINUTE);
  const before = world.cluster.requests.length;
  await world.run(10 * MINUTE);
  expect(world.cluster.requests.slice(before)).toEqual([]);
  expect(world.faults()).toEqual([]);
});

test('a second crash of another pod after the first was healed is healed as well', async () => {
  const world = await aShop();
  await anOperator(world);
  await world.run(MINUTE);
  const first = crashOne(world);
  await world.until('healed', () => world.ends().includes('restart_pod Healed'), 4 * MINUTE);
  await world.run(70 * MINUTE);
  const [second] = world.cluster.workload('checkout').pods;
  world.cluster.editPod(second?.name ?? '', (pod) => asCrashing(pod, world.clock.nowMs()));
  await world.until('healed twice', () => world.ends().filter((end) => end === 'restart_pod Healed').length === 2);
  expect(world.cluster.effects()).toEqual([`evict ${first}`, `evict ${second?.name}`]);
});
