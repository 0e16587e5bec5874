import { describe, expect, jest, test } from '@jest/globals';
import { at, list } from '../../../src/kubernetes/json.ts';
import { PRESETS } from '../../../src/detection/presets.ts';
import type { Step } from '../../../src/policy/action.ts';
import type { HealingPolicy } from '../../../src/policy/healing-policy.ts';
import { aGuardrail } from '../../support/builders/policy.ts';
import { anOperator, type RunningProcess } from '../../support/fakes/an-operator.ts';
import { aRoute } from '../../support/fakes/fake-objects.ts';
import { cacheGrows, surge } from '../../support/fakes/troubles.ts';
import { aShop, quickPolicy, type World } from '../../support/fakes/world.ts';

jest.setTimeout(240_000);
const MINUTE = 60_000;
const POLICIES = 'backendtrafficpolicies';
const TTL_MS = 4 * MINUTE;
/** Longer than an effect is suspected of what follows it. */
const LONG_MS = 12 * MINUTE;

/** A limit on what people feel, and on memory: that needs no history to be sure of. */
const metrics = [
  { ...PRESETS.response_time, limit: { enter: 150, leave: 100, forSeconds: 0 } },
  { ...PRESETS.memory_usage, limit: { enter: 80, leave: 70, forSeconds: 0 } },
  PRESETS.request_rate,
  PRESETS.cpu_usage,
];
const ladder = (...steps: readonly Step[]): Partial<HealingPolicy> => ({
  detection: { ...quickPolicy().detection, metrics },
  remedies: [{ on: ['any'], minSeverity: 'low', steps }],
});
const throttle = (provider: 'EnvoyGateway' | 'Hook' | 'Auto' = 'EnvoyGateway', ttlMs = TTL_MS): Step => ({
  ...{ action: 'throttle_api', attempts: 1, timeoutSeconds: 300 },
  throttle: { provider, percentOfBaseline: 80, ttlSeconds: ttlMs / 1000 },
});
const clear: Step = {
  ...{ action: 'clear_cache', attempts: 1, timeoutSeconds: 300 },
  cache: { http: { port: 8080, path: '/cache/clear' } },
};

interface Surging {
  readonly world: World;
  readonly running: RunningProcess;
  readonly ease: () => void;
}

async function surging(prepare: (world: World) => void = () => undefined, step = throttle()): Promise<Surging> {
  const world = await aShop(ladder(step));
  aRoute(world.objects, 'checkout');
  prepare(world);
  const running = await anOperator(world);
  await world.run(3 * MINUTE);
  return { world, running, ease: surge(world, 3) };
}

/** A limit that helped, with its time running. */
async function limited(ttlMs = TTL_MS): Promise<Surging> {
  const made = await surging(() => undefined, throttle('EnvoyGateway', ttlMs));
  await made.world.until('healed', () => made.world.ends().includes('throttle_api Healed'), 10 * MINUTE);
  return made;
}

const policiesOf = (world: World) => world.objects.list(POLICIES, 'shop');
const rollbackOf = (world: World) => world.cluster.actions()[0]?.status.rollback;
const isLifted = (world: World) => () => rollbackOf(world)?.done === true;

describe('a limit', () => {
  test('bears the action’s name, is its share of healthy traffic, and goes when its time is over', async () => {
    const { world, ease } = await limited();
    const [action] = world.cluster.actions();
    const [policy] = policiesOf(world);
    expect(policy).toMatchObject({
      metadata: {
        name: `aegis-${action?.intent.name}`,
        annotations: { 'healing.aegis.dev/action': action?.intent.name },
      },
      spec: {
        targetRefs: [{ kind: 'HTTPRoute', name: 'checkout' }],
        mergeType: 'StrategicMerge',
        rateLimit: { type: 'Local', local: { rules: [{ limit: { unit: 'Second' } }] } },
      },
    });
    // 80 % of 300 a second, noise aside, over two proxies.
    const [rule] = list(at(policy, 'spec', 'rateLimit', 'local')['rules']);
    expect(Math.abs(Number(at(rule, 'limit')['requests']) - 120)).toBeLessThanOrEqual(6);
    expect(action?.finalizers).toEqual(['healing.aegis.dev/reversal']);
    ease();
    await world.run(TTL_MS + MINUTE);
    expect(policiesOf(world)).toEqual([]);
    expect(rollbackOf(world)).toMatchObject({ done: true, readBack: expect.stringContaining('it is gone') });
    expect(world.ends()).toEqual(['throttle_api Healed']);
    expect(world.cluster.effects()).toEqual([`limit ${POLICIES}`, `unlimit ${POLICIES}`]);
    expect(world.faults()).toEqual([]);
  });

  test('of a process that was killed is lifted by the next one', async () => {
    const { world, running } = await limited();
    running.kill();
    await world.run(TTL_MS + MINUTE);
    expect(policiesOf(world)).toHaveLength(1);
    await anOperator(world);
    await world.until('lifted', isLifted(world), MINUTE);
    expect(policiesOf(world)).toEqual([]);
  });

  test('that somebody changed is left alone, and people are told', async () => {
    const { world } = await limited();
    const [policy] = policiesOf(world);
    const { name } = policy?.['metadata'] as { name: string };
    world.objects.edit(POLICIES, 'shop', name, { rateLimit: { type: 'Global' } });
    await world.run(TTL_MS + MINUTE);
    expect(policiesOf(world)).toHaveLength(1);
    expect(rollbackOf(world)).toMatchObject({
      done: false,
      abandoned: expect.stringContaining('left alone'),
    });
    expect(world.sent.filter(({ key }) => key.startsWith('undo/'))).toHaveLength(1);
    expect(world.events.map(({ reason }) => reason)).toContain('RollbackAbandoned');
  });

  test('that somebody deleted is no longer owed', async () => {
    const { world } = await limited();
    const [policy] = policiesOf(world);
    world.objects.delete(POLICIES, 'shop', (policy?.['metadata'] as { name: string }).name);
    await world.until('settled', isLifted(world), TTL_MS + MINUTE);
    expect(world.sent.filter(({ key }) => key.startsWith('undo/'))).toEqual([]);
  });

  test.each([
    ['its policy is deleted', (world: World) => world.cluster.deletePolicy('checkout')],
    ['its workload is deleted', (world: World) => world.cluster.deleteWorkload('checkout')],
    [
      'its action is deleted',
      (world: World) => world.cluster.requestDeletion(world.cluster.actions()[0]?.intent.name ?? ''),
    ],
  ])('is lifted within half a minute, or with its time, once %s', async (what, strike) => {
    const { world } = await limited();
    strike(world);
    await world.until('lifted', () => policiesOf(world).length === 0, what.includes('workload') ? TTL_MS : MINUTE / 2);
  });

  test('is lifted in its time with the kill switch on', async () => {
    const { world } = await limited();
    world.cluster.putGuardrail(aGuardrail({ name: 'stop', suspended: true }));
    await world.until('lifted', isLifted(world), TTL_MS + MINUTE);
  });

  /** Requests that come by another way than the gateway's. */
  const bypass = (world: World): void => {
    world.source.disturbances.push((vitals) => {
      Object.assign(vitals, { request_rate: 320, response_time: 500, cpu_usage: 97 });
    });
  };

  test('goes on for at most three times its time while the workload is ill, judged anew each time', async () => {
    const { world } = await limited(LONG_MS);
    await world.run(LONG_MS - 3 * MINUTE);
    bypass(world);
    await world.until('prolonged', () => rollbackOf(world)?.renewals === 1, 10 * MINUTE);
    expect(policiesOf(world)).toHaveLength(1);
    await world.until('prolonged thrice', () => rollbackOf(world)?.renewals === 3, 3 * LONG_MS);
    await world.until('lifted', isLifted(world), 2 * LONG_MS);
    // What comes after is a limit of another action, if any.
    const own = `aegis-${world.cluster.actions()[0]?.intent.name}`;
    expect(policiesOf(world).filter((policy) => at(policy, 'metadata')['name'] === own)).toEqual([]);
    expect(world.cluster.effects().slice(0, 2)).toEqual([`limit ${POLICIES}`, `unlimit ${POLICIES}`]);
    expect(world.faults()).toEqual([]);
  });

  test('is not prolonged while the policy is paused', async () => {
    const { world } = await limited();
    await world.run(MINUTE);
    bypass(world);
    world.cluster.editPolicy('checkout', (policy) => ({ ...policy, pauseRequests: [{ name: 'anna', reason: 'x' }] }));
    await world.until('lifted', isLifted(world), TTL_MS + MINUTE);
    expect(rollbackOf(world)?.readBack).toContain('Paused');
  });
});

describe('a limit that does not help is taken back', () => {
  test.each([
    ['the gateway does not accept it', (world: World) => (world.objects.accepts = false), 'NotAccepted'],
    ['the gateway says nothing for a minute', (world: World) => (world.objects.accepts = undefined), 'NotAccepted'],
    [
      'the requests do not come down',
      (world: World) => world.source.disturbances.push((vitals) => void (vitals['request_rate'] = 300)),
      'StillAnomalous',
    ],
  ])('%s', async (_, prepare, reason) => {
    const { world } = await surging();
    // Behind the surge, so that it has the last word.
    prepare(world);
    if (reason === 'StillAnomalous') world.source.disturbances.push((vitals) => void (vitals['response_time'] = 400));
    await world.until('undone', () => world.ends().includes('throttle_api RolledBack'), 10 * MINUTE);
    expect(policiesOf(world)).toEqual([]);
    expect(world.cluster.actions()[0]?.status.verified?.result).toMatchObject({ verdict: 'Ineffective', reason });
    await world.until('told', () => world.ends().includes('alert_admin Healed'), 10 * MINUTE);
  });
});

describe('no limit', () => {
  test('where nothing carries the traffic: the condition says so beforehand, and people are told', async () => {
    const { world } = await surging((each) => void each.objects.delete('httproutes', 'shop', 'checkout'));
    expect(world.condition('checkout', 'Limited')).toBe('True UnsupportedByCluster');
    await world.until('told', () => world.ends().includes('alert_admin Healed'), 10 * MINUTE);
    expect(world.cluster.effects()).toEqual([]);
  });

  test('where another policy is on the route', async () => {
    const { world } = await surging((each) =>
      each.objects.put(POLICIES, {
        metadata: { name: 'theirs', namespace: 'shop' },
        spec: { targetRefs: [{ kind: 'HTTPRoute', name: 'checkout' }] },
      }),
    );
    await world.until('told', () => world.ends().includes('alert_admin Healed'), 10 * MINUTE);
    expect(world.cluster.effects()).toEqual([]);
    expect(policiesOf(world)).toHaveLength(1);
  });

  test('where healthy traffic was never observed', async () => {
    const world = await aShop(ladder(throttle()));
    aRoute(world.objects, 'checkout');
    surge(world, 3);
    await anOperator(world);
    await world.until('told', () => world.ends().includes('alert_admin Healed'), 10 * MINUTE);
    expect(world.cluster.effects()).toEqual([]);
  });
});

describe('the hook', () => {
  test('is told once, and once that it is over', async () => {
    const { world, ease } = await surging(() => undefined, throttle('Hook'));
    await world.until('told', () => world.hookCalls.size > 0, 10 * MINUTE);
    const [action] = world.cluster.actions();
    ease();
    await world.until('lifted', isLifted(world), TTL_MS + 2 * MINUTE);
    const name = action?.intent.name;
    expect([...world.hookCalls]).toEqual([
      [`${name}/apply`, action?.intent.parameters.kind === 'throttle' ? action.intent.parameters.limitPerSecond : 0],
      [`${name}/remove`, expect.any(Number)],
    ]);
    expect(world.faults()).toEqual([]);
  });
});

describe('a cache', () => {
  async function growing(isFreed = true, answer: World['cacheAnswer'] = 204): Promise<World> {
    const world = await aShop(ladder(clear));
    world.cacheAnswer = answer;
    await anOperator(world);
    await world.run(3 * MINUTE);
    cacheGrows(world, isFreed);
    return world;
  }
  const cleared = (world: World) => world.cluster.effects().filter((effect) => effect.startsWith('cache'));

  test('is cleared in the one pod whose memory climbs', async () => {
    const world = await growing();
    await world.until('healed', () => world.ends().includes('clear_cache Healed'), 10 * MINUTE);
    expect(cleared(world)).toHaveLength(1);
    expect(world.faults()).toEqual([]);
  });

  test.each([
    ['its answer is lost', 'lost', 'clear_cache Failed', 'Ambiguous'],
    ['the pod refuses', 404, 'clear_cache Failed', 'Rejected'],
    ['the pod fails in the middle', 500, 'clear_cache Failed', 'Ambiguous'],
    ['the pod sends elsewhere', 302, 'clear_cache Failed', 'Rejected'],
  ] as const)('is asked for once only though %s', async (_, answer, end, reason) => {
    const world = await growing(false, answer);
    await world.until('ended', () => world.ends().includes(end), 10 * MINUTE);
    await world.run(30 * MINUTE);
    expect(cleared(world)).toHaveLength(1);
    expect(world.cluster.actions()[0]?.status.closed?.reason).toBe(reason);
  });

  test.each<[string, (world: World, name: string) => void]>([
    ['somebody writes the object meanwhile', (world, name) => world.cluster.answerApproval(name, 'Approved')],
    [
      'the API server takes two writes of it later',
      (world) => {
        let refusals = 2;
        world.refusesOwn = (verb) => verb === 'status' && refusals-- > 0;
      },
    ],
  ])('is cleared once, and the answer is not lost though %s', async (_, meddle) => {
    const world = await growing();
    const free = world.onCacheCleared;
    world.onCacheCleared = (pod) => {
      free(pod);
      const [action] = world.cluster.actions();
      if (action !== undefined) meddle(world, action.intent.name);
    };
    await world.until('healed', () => world.ends().includes('clear_cache Healed'), 10 * MINUTE);
    expect(cleared(world)).toHaveLength(1);
    expect(world.faults()).toEqual([]);
  });

  test('that frees nothing: ineffective, and the other pods keep theirs', async () => {
    const world = await growing(false);
    await world.until('judged', () => world.ends().includes('clear_cache Ineffective'), 10 * MINUTE);
    await world.run(10 * MINUTE);
    expect(cleared(world)).toHaveLength(1);
    expect(world.faults()).toEqual([]);
  });
});
