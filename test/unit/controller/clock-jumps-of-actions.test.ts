import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { PRESETS } from '../../../src/detection/presets.ts';
import type { Step } from '../../../src/policy/action.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { TROUBLE } from '../../support/fakes/fake-kube-client.ts';
import { aRoute } from '../../support/fakes/fake-objects.ts';
import { aScaledShop, slowUnlessMore } from '../../support/fakes/scaled-shop.ts';
import { crashOne, leakInOne, surge } from '../../support/fakes/troubles.ts';
import { aShop, quickPolicy, type World } from '../../support/fakes/world.ts';

jest.setTimeout(600_000);
const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];

/** A set of the wall clock: so long after something was first seen, or after the fault began. */
interface Jump {
  readonly after: string;
  readonly plusMs: number;
  readonly byMs: number;
}

/** A world with an operator, in which something goes wrong, and how long it is looked at. */
interface Course {
  readonly lastsMs: number;
  readonly prepare: () => Promise<World>;
}

/** Everything that is done to the cluster, and every state of an action, each with the seconds that had really passed. */
const played = async (course: Course, jumps: readonly Jump[]): Promise<readonly string[]> =>
  told(await playedOut(course, jumps));

interface Seen {
  readonly atMs: number;
  readonly what: string;
}

const told = (seen: readonly Seen[]): readonly string[] => seen.map(({ atMs, what }) => `${atMs / SECOND} s: ${what}`);

async function playedOut({ lastsMs, prepare }: Course, jumps: readonly Jump[]): Promise<readonly Seen[]> {
  const world = await prepare();
  const seen: Seen[] = [{ atMs: 0, what: BEGIN }];
  const left = new Set(jumps);
  let [effects, states] = [0, ''];
  for (let passedMs = 0; passedMs < lastsMs; passedMs += SECOND) {
    for (const jump of left) {
      const since = seen.find(({ what }) => what.includes(jump.after));
      if (since === undefined || passedMs < since.atMs + jump.plusMs) continue;
      world.clock.jump(jump.byMs);
      left.delete(jump);
    }
    await world.run(SECOND);
    const news = world.cluster.effects().slice(effects);
    effects += news.length;
    const now = world.ends().join(', ');
    if (now !== states) news.push((states = now));
    seen.push(...news.map((what) => ({ atMs: passedMs, what })));
  }
  expect([...left]).toEqual([]);
  expect(world.faults()).toEqual([]);
  return seen;
}

const BEGIN = 'begin';
const references = new Map<Course, Promise<readonly Seen[]>>();

/** The same without any jump. */
function undisturbedOut(course: Course): Promise<readonly Seen[]> {
  const known = references.get(course) ?? playedOut(course, []);
  references.set(course, known);
  return known;
}

const undisturbed = async (course: Course): Promise<readonly string[]> => told(await undisturbedOut(course));

/** Three replicas go to six, are found to have helped, and go back after five minutes of health. */
const scaledUp: Course = {
  lastsMs: 11 * MINUTE,
  async prepare() {
    const world = await aScaledShop(1, 300);
    await anOperator(world);
    await world.run(2 * MINUTE);
    const ease = slowUnlessMore(world);
    world.clock.after(3 * MINUTE, ease);
    return world;
  },
};

/** A surge is limited for four minutes, and the limit is lifted when they are over. */
const limited: Course = {
  lastsMs: 8 * MINUTE,
  async prepare() {
    const step: Step = {
      ...{ action: 'throttle_api', attempts: 1, timeoutSeconds: 300 },
      throttle: { provider: 'EnvoyGateway', percentOfBaseline: 80, ttlSeconds: 240 },
    };
    const metrics = [
      { ...PRESETS.response_time, limit: { enter: 150, leave: 100, forSeconds: 0 } },
      PRESETS.request_rate,
      PRESETS.cpu_usage,
    ];
    const world = await aShop({
      detection: { ...quickPolicy().detection, metrics },
      remedies: [{ on: ['any'], minSeverity: 'low', steps: [step] }],
    });
    aRoute(world.objects, 'checkout');
    await anOperator(world);
    await world.run(2 * MINUTE);
    const ease = surge(world, 3);
    world.clock.after(3 * MINUTE, ease);
    return world;
  },
};

/** A pod that crashes, and once that is healed one that leaks: the second effect waits until five minutes after the first. */
const twice: Course = {
  lastsMs: 9 * MINUTE,
  async prepare() {
    const world = await aShop({ limits: { ...quickPolicy().limits, cooldownSeconds: 300 } }, 4);
    await anOperator(world);
    await world.run(MINUTE);
    crashOne(world);
    world.clock.after(MINUTE, () => leakInOne(world));
    return world;
  },
};

/** A restart that the API server refuses, and nothing else that may be done: people are told after five minutes of that. */
const refused: Course = {
  lastsMs: 8 * MINUTE,
  async prepare() {
    const step: Step = { action: 'restart_pod', attempts: 4, timeoutSeconds: 300 };
    const world = await aShop({ remedies: [{ on: ['any'], minSeverity: 'low', steps: [step] }] }, 4);
    await anOperator(world);
    await world.run(3 * MINUTE);
    world.troubleNext('evict', TROUBLE.rejected);
    leakInOne(world);
    return world;
  },
};

/** Nobody answers: the question ends when it was asked for long enough, and people are told. */
const unanswered: Course = {
  lastsMs: 9 * MINUTE,
  async prepare() {
    const world = await aShop({ mode: 'Approve', approval: { timeoutSeconds: 120 } }, 4);
    await anOperator(world);
    await world.run(MINUTE);
    crashOne(world);
    return world;
  },
};

/** No pod may go for two minutes; then it is tried again at the next look. */
const blocked: Course = {
  lastsMs: 6 * MINUTE,
  async prepare() {
    const world = await aShop({}, 4);
    await anOperator(world);
    await world.run(MINUTE);
    const allow = (disruptionsAllowed: number): void => {
      const disruptionBudgets = [{ name: 'checkout', disruptionsAllowed }];
      world.cluster.editWorkload('checkout', (workload) => ({ ...workload, disruptionBudgets }));
    };
    allow(0);
    crashOne(world);
    world.clock.after(2 * MINUTE, () => allow(1));
    return world;
  },
};

const COURSES = { scaledUp, limited, twice, refused, unanswered, blocked };

const JUMPS = [
  ['forward by two days', 48 * HOUR],
  ['forward by an hour', HOUR],
  ['back by a minute', -MINUTE],
  ['back by an hour', -HOUR],
] as const;

const PHASES = [
  ['scaledUp', 'before the effect', BEGIN, 8 * SECOND],
  ['scaledUp', 'during its verification', 'scale_up Verifying', 12 * SECOND],
  ['scaledUp', 'before the return', 'scale_up Healed', 2 * MINUTE],
  ['limited', 'before the effect', BEGIN, 8 * SECOND],
  ['limited', 'during its verification', 'throttle_api Verifying', 12 * SECOND],
  ['limited', 'while the limit stands', 'throttle_api Healed', 2 * MINUTE],
  ['twice', 'between two effects', 'restart_pod Healed', 90 * SECOND],
  ['refused', 'while people wait to be told', 'restart_pod Failed', 2 * MINUTE],
  ['unanswered', 'while somebody is asked', 'AwaitingApproval', MINUTE],
  ['blocked', 'while it is blocked', 'Blocked', 5 * SECOND],
] as const;

describe.each(JUMPS)('a wall clock that is set %s', (_what, byMs) => {
  test.each(PHASES)('%s: %s: the same is done at the same distances', async (name, _phase, after, plusMs) => {
    const course = COURSES[name];
    expect(await played(course, [{ after, plusMs, byMs }])).toEqual(await undisturbed(course));
  });
});

test.each([
  [scaledUp, ['scale checkout to 6', 'scale_up Healed', 'scale checkout to 3']],
  [limited, ['limit backendtrafficpolicies', 'throttle_api Healed', 'unlimit backendtrafficpolicies']],
  [twice, ['evict checkout-1', 'restart_pod Healed', 'evict checkout-']],
  [refused, ['restart_pod Failed', 'alert_admin Healed']],
  [unanswered, ['AwaitingApproval', 'Expired', 'alert_admin Healed']],
  [blocked, ['Blocked', 'evict checkout-1', 'restart_pod Healed']],
] as const)('without a jump %# goes its whole way', async (course, steps) => {
  const seen = (await undisturbed(course)).join('\n');
  let from = 0;
  for (const step of steps) {
    expect(seen.slice(from)).toContain(step);
    from = seen.indexOf(step, from) + step.length;
  }
});

/**
 * A clock that is set back before a fault was first seen makes its stamps lie in the future: then it is seen up to three polls
 * later. From the first that is done on, all lies as far apart as ever.
 */
const SEEN_LATER_MS = 15 * SECOND;
const LONGER_MS = 20 * SECOND;

function fromTheFirst(
  [, ...seen]: readonly Seen[],
  lastsMs: number,
): { readonly firstMs: number; readonly told: readonly string[] } {
  const firstMs = seen[0]?.atMs ?? NaN;
  const inside = seen.filter(({ atMs }) => atMs - firstMs < lastsMs - SEEN_LATER_MS - LONGER_MS);
  return { firstMs, told: told(inside.map(({ atMs, what }) => ({ atMs: atMs - firstMs, what }))) };
}

test('law: any sequence of jumps leaves the sequence of effects and their distances unchanged', async () => {
  const jump = fc.record({
    after: fc.constant(BEGIN),
    plusMs: fc.integer({ min: 0, max: 480 }).map((seconds) => seconds * SECOND),
    byMs: fc.integer({ min: -90_000, max: 90_000 }).map((seconds) => seconds * SECOND),
  });
  const course = fc.constantFrom(scaledUp, limited, twice, refused, unanswered, blocked);
  await fc.assert(
    fc.asyncProperty(course, fc.array(jump, { minLength: 1, maxLength: 6 }), async (which, jumps) => {
      const inside = jumps.filter(({ plusMs }) => plusMs < which.lastsMs);
      const [real, usual] = [await playedOut(which, inside), await undisturbedOut(which)].map((seen) =>
        fromTheFirst(seen, which.lastsMs),
      );
      expect(real?.told).toEqual(usual?.told);
      expect((real?.firstMs ?? NaN) - (usual?.firstMs ?? NaN)).toBeGreaterThanOrEqual(0);
      expect((real?.firstMs ?? NaN) - (usual?.firstMs ?? NaN)).toBeLessThanOrEqual(SEEN_LATER_MS);
    }),
    { seed: 31, numRuns: 25 },
  );
});
