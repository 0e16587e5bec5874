import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { PodSnapshot } from '../../../src/lib/workload.ts';
import { aGuardrail } from '../../support/builders/policy.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { crashOne, overload, releaseBadImage } from '../../support/fakes/troubles.ts';
import { aShop, EVERY_DEPLOYMENT, quickPolicy, World } from '../../support/fakes/world.ts';

jest.setTimeout(240_000);
const SECOND = 1_000;
const MINUTE = 60_000;
/** Of ten, three are no storm. */
const WORKLOADS = Array.from({ length: 10 }, (_, index) => `shop-${index}`);
const LASTS_S = 180;
/** What I24 grants between a brake and the last effect. */
const GRACE_MS = 5 * SECOND;
/** Three polls back in the band close an incident; one more may be under way. */
const CLOSES_MS = 4 * 5 * SECOND;

const BRAKES = {
  'kill switch': (world: World, on: boolean) => world.cluster.putGuardrail(aGuardrail({ suspended: on })),
  pause: (world: World, on: boolean) =>
    world.cluster.editPolicy('checkout', (policy) => ({
      ...policy,
      pauseRequests: on ? [{ name: 'ada', reason: 'release' }] : [],
    })),
} as const;
type BrakeName = keyof typeof BRAKES;

interface Course {
  /** Seconds at which each brake is toggled; it is on first where `startsOn` says so. */
  readonly toggles: Readonly<Record<BrakeName, { readonly startsOn: boolean; readonly atS: readonly number[] }>>;
  /** What crashes, when, and after how many seconds it recovers by itself, if it does. */
  readonly crashes: readonly { readonly workload: number; readonly atS: number; readonly recoversAfterS?: number }[];
  /** When the process is killed; the next one is started two seconds later. */
  readonly killsAtS: readonly number[];
  /** How far the process's watches lag. */
  readonly lagMs: number;
}

const second = fc.integer({ min: 1, max: LASTS_S });
const brake = fc.record({ startsOn: fc.boolean(), atS: fc.uniqueArray(second, { maxLength: 6 }) });
const courses: fc.Arbitrary<Course> = fc.record({
  toggles: fc.record({ 'kill switch': brake, pause: brake }),
  crashes: fc.uniqueArray(
    fc.record(
      { workload: fc.nat(WORKLOADS.length - 1), atS: second, recoversAfterS: fc.integer({ min: 5, max: 60 }) },
      { requiredKeys: ['workload', 'atS'] },
    ),
    { selector: ({ workload }) => workload, minLength: 1, maxLength: 3 },
  ),
  killsAtS: fc.uniqueArray(second, { maxLength: 2 }),
  lagMs: fc.constantFrom(0, 0, 2_000),
});

interface Played {
  readonly world: World;
  /** From when to when a brake was on, those that overlap joined. */
  readonly braked: readonly { readonly fromMs: number; readonly toMs: number }[];
  /** Pods that crashed, by name, and when each recovered by itself. */
  readonly crashed: ReadonlyMap<string, number | undefined>;
}

async function shopOfTen(): Promise<World> {
  const world = await World.create();
  for (const name of WORKLOADS) world.cluster.addWorkload({ name, pods: 2 });
  const usual = quickPolicy();
  world.cluster.putPolicy({
    ...usual,
    target: EVERY_DEPLOYMENT,
    limits: { ...usual.limits, maxActionsPerHour: 60 },
  });
  return world;
}

/** Whatever the course says, then everything off, and time to resume. */
async function played({ toggles, crashes, killsAtS, lagMs }: Course): Promise<Played> {
  const world = await shopOfTen();
  const { clock } = world;
  const crashed = new Map<string, number | undefined>();
  const braked: { fromMs: number; toMs: number }[] = [];
  const isOn: Record<BrakeName, boolean> = { 'kill switch': false, pause: false };
  const set = (name: BrakeName, on: boolean): void => {
    const wasOn = isOn['kill switch'] || isOn.pause;
    isOn[name] = on;
    BRAKES[name](world, on);
    const last = braked.at(-1);
    if (!wasOn && on) braked.push({ fromMs: clock.nowMs(), toMs: Number.POSITIVE_INFINITY });
    if (wasOn && !isOn['kill switch'] && !isOn.pause && last !== undefined) last.toMs = clock.nowMs();
  };
  const names = ['kill switch', 'pause'] as const;
  for (const name of names) set(name, toggles[name].startsOn);
  let operator = await anOperator(world, { lagMs });
  for (let atS = 1; atS <= LASTS_S; atS++) {
    for (const name of names) if (toggles[name].atS.includes(atS)) set(name, !isOn[name]);
    for (const crash of crashes) {
      const workload = WORKLOADS[crash.workload] ?? '';
      if (crash.atS === atS) crashed.set(crashOne(world, workload), undefined);
    }
    for (const { workload, recoversAfterS, atS: crashedAtS } of crashes) {
      if (recoversAfterS === undefined || crashedAtS + recoversAfterS !== atS) continue;
      recover(world, WORKLOADS[workload] ?? '', crashed);
    }
    if (killsAtS.includes(atS)) operator.kill();
    if (killsAtS.includes(atS - 2)) operator = await anOperator(world, { lagMs });
    await world.run(SECOND);
  }
  if (operator.process.isDead) operator = await anOperator(world, { lagMs });
  for (const name of names) set(name, false);
  const ill = [...crashed].filter(([, recoveredAtMs]) => recoveredAtMs === undefined).map(([name]) => name);
  await world.until('the ill are gone', () => ill.every((pod) => !world.cluster.podNamed('shop', pod)), 12 * MINUTE);
  await world.run(90 * SECOND);
  operator.kill();
  await world.store.close();
  return { world, braked, crashed };
}

/** Its container runs again, if nobody has evicted it before. */
function recover(world: World, workload: string, crashed: Map<string, number | undefined>): void {
  const pod = world.cluster.workload(workload).pods.find(({ name }) => crashed.has(name));
  if (pod === undefined || pod.deletedAtMs !== undefined) return;
  world.cluster.editPod(pod.name, running(world.cluster.workload(workload).pods, world.clock.nowMs()));
  crashed.set(pod.name, world.clock.nowMs());
}

/** As its peer runs, since now. */
function running(peers: readonly PodSnapshot[], nowMs: number): (pod: PodSnapshot) => PodSnapshot {
  const [like] = peers.filter(({ ready }) => ready);
  return (pod) => ({
    ...pod,
    ready: true,
    conditions: [{ type: 'Ready', status: 'True', changedAtMs: nowMs }],
    containers: like?.containers ?? pod.containers,
  });
}

describe('I24: the kill switch and pauses, toggled at random while things break, across restarts', () => {
  test('nothing is written while one is on; afterwards what is still broken is healed once, and nothing is caught up on', async () => {
    await fc.assert(
      fc.asyncProperty(courses, async (course) => {
        const { world, braked, crashed } = await played(course);
        const evictions = world.cluster.requests.filter(({ verb, dryRun }) => verb === 'evict' && !dryRun);
        const underBrake = evictions.filter(({ atMs }) => {
          const graceMs = course.lagMs === 0 ? 0 : GRACE_MS;
          return braked.some(({ fromMs, toMs }) => atMs > fromMs + graceMs && atMs < toMs);
        });
        expect(underBrake).toEqual([]);
        const evicted = evictions.filter(({ applied }) => applied).map(({ what }) => what);
        expect(new Set(evicted).size).toBe(evicted.length);
        expect(evicted.filter((pod) => !crashed.has(pod))).toEqual([]);
        const caughtUp = evictions.filter(
          ({ what, atMs }) => atMs > (crashed.get(what) ?? Number.POSITIVE_INFINITY) + CLOSES_MS,
        );
        expect(caughtUp).toEqual([]);
        expect(world.cluster.view().workloads.filter(({ replicas }) => replicas.ready !== 2)).toEqual([]);
        expect(world.faults()).toEqual([]);
      }),
      { numRuns: 10 },
    );
  });

  test.each(Object.entries(BRAKES))('%s on: what is due to go back goes back in its time', async (_, set) => {
    const scale = { percent: 100, returnAfterSeconds: 120, autoscaler: 'Leave' as const };
    const steps = [{ action: 'scale_up' as const, attempts: 1, timeoutSeconds: 300, scale }];
    const world = await aShop({ remedies: [{ on: ['any'], minSeverity: 'low', steps }] });
    await anOperator(world);
    await world.run(3 * MINUTE);
    const ease = overload(world, 2.4);
    await world.until('healed', () => world.ends().includes('scale_up Healed'), 10 * MINUTE);
    set(world, true);
    ease();
    await world.until('returned', () => world.cluster.effects().length > 1, 20 * MINUTE);
    expect(world.cluster.effects()).toEqual(['scale checkout to 6', 'scale checkout to 3']);
  });

  test.each(Object.entries(BRAKES))('%s on: people are told', async (_, set) => {
    const world = await aShop();
    set(world, true);
    await anOperator(world);
    await world.run(MINUTE);
    releaseBadImage(world);
    await world.until('told', () => world.firing().length > 0, 5 * MINUTE);
    expect(world.cluster.foreignWrites()).toEqual([]);
  });
});
