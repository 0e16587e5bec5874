import { describe, expect, jest, test } from '@jest/globals';
import { PRESETS } from '../../../src/detection/presets.ts';
import type { Step } from '../../../src/policy/action.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { releaseBadImage } from '../../support/fakes/troubles.ts';
import { aShop, quickPolicy, type World } from '../../support/fakes/world.ts';

jest.setTimeout(240_000);
const SECOND = 1_000;
const MINUTE = 60_000;

const TELL: readonly Step[] = [{ action: 'alert_admin', attempts: 1, timeoutSeconds: 300 }];

/** A shop whose cpu has a line; without steps the default ladder of the failure is climbed. */
async function aSwingingShop(steps?: readonly Step[]): Promise<World> {
  const { detection } = quickPolicy();
  const metrics = [
    { ...PRESETS.cpu_usage, limit: { enter: 90, leave: 80, forSeconds: 0 } },
    PRESETS.response_time,
    PRESETS.request_rate,
    PRESETS.memory_usage,
  ];
  return aShop({
    detection: { ...detection, metrics },
    ...(steps !== undefined && { remedies: [{ on: ['any'], minSeverity: 'low', steps }] }),
  });
}

/** The load is over its line for the first half of each period; returns what stops it. */
function swing(world: World, periodMs: number): () => void {
  const sinceMs = world.clock.nowMs();
  let untilMs = Number.POSITIVE_INFINITY;
  world.source.disturbances.push((vitals, _, __, atMs) => {
    if (atMs < untilMs && Math.floor((2 * (atMs - sinceMs)) / periodMs) % 2 === 0) {
      vitals['cpu_usage'] = 98 + (vitals['cpu_usage'] ?? 0) / 100;
    }
  });
  return () => (untilMs = world.clock.nowMs());
}

/** People were told of two minutes beyond the line, which are just over. */
async function aShopThatSwungOnce(): Promise<World> {
  const world = await aSwingingShop(TELL);
  await anOperator(world);
  await world.run(3 * MINUTE);
  const calm = swing(world, 10 * MINUTE);
  await world.run(2 * MINUTE);
  calm();
  return world;
}

/** Keys of the alerts that were told anew. */
const toldOf = (world: World): readonly string[] => [...new Set(world.firing().map(({ key }) => key))];
const ends = (world: World): number => world.sent.filter(({ status }) => status === 'resolved').length;
const eventsOf = (world: World, reason: string): number =>
  world.events.filter((event) => event.reason === reason && event.regarding.kind === 'Deployment').length;

describe('a metric that swings about its line', () => {
  test.each<[string, number]>([
    ['10 s', 10 * SECOND],
    ['30 s', 30 * SECOND],
    ['a minute', MINUTE],
    ['2 min', 2 * MINUTE],
    ['5 min', 5 * MINUTE],
    ['12 min', 12 * MINUTE],
    ['20 min', 20 * MINUTE],
  ])('every %s: one incident, one alert, no end of it for as long as it swings', async (_, periodMs) => {
    const world = await aSwingingShop(TELL);
    await anOperator(world);
    await world.run(3 * MINUTE);
    swing(world, periodMs);
    await world.run(65 * MINUTE);
    expect((await world.incidents()).map(({ resolvedAtMs }) => resolvedAtMs)).toEqual([undefined]);
    expect([world.ends(), toldOf(world).length, ends(world)]).toEqual([['alert_admin Healed'], 1, 0]);
    expect([eventsOf(world, 'IncidentOpened'), eventsOf(world, 'IncidentResolved')]).toEqual(
      periodMs > 10 * SECOND ? [1, 1] : [1, 0],
    );
    expect(eventsOf(world, 'IncidentFlaps')).toBe(periodMs > 10 * SECOND ? 1 : 0);
    expect(world.faults()).toEqual([]);
  });

  test.each<[string, number, number]>([
    ['30 s', 30 * SECOND, 1],
    ['2 min', 2 * MINUTE, 1],
    ['7 min', 7 * MINUTE, 2],
    ['20 min', 20 * MINUTE, 2],
  ])('every %s, and a remedy is allowed: one alert, and the remedy is tried once', async (_, periodMs, writes) => {
    const world = await aSwingingShop();
    await anOperator(world);
    await world.run(3 * MINUTE);
    swing(world, periodMs);
    await world.run(65 * MINUTE);
    expect(toldOf(world)).toHaveLength(1);
    expect(world.ends().filter((end) => !end.startsWith('alert_admin'))).toHaveLength(1);
    // The step up, and its return where it did not help.
    expect(world.cluster.effects()).toHaveLength(writes);
    expect(world.faults()).toEqual([]);
  });

  test('and then is quiet: the end is told once, a quarter of an hour later, and says that it flapped', async () => {
    const world = await aSwingingShop(TELL);
    const { view } = await anOperator(world);
    await world.run(3 * MINUTE);
    const calm = swing(world, MINUTE);
    await world.run(10 * MINUTE);
    calm();
    await world.run(14 * MINUTE);
    const [shown] = (await view.incidents(1)).incidents;
    expect(shown?.reason).toMatch(/it flaps: it came back \d+ times, and is in band for 1\d\d polls$/);
    expect(ends(world)).toBe(0);
    await world.run(3 * MINUTE);
    expect((await world.incidents())[0]?.returns).toBeGreaterThan(5);
    expect(world.sent.at(-1)).toMatchObject({ status: 'resolved', key: toldOf(world)[0] });
    expect(world.sent.at(-1)?.summary).toMatch(/it flaps: it came back \d+ times/);
    await world.run(30 * MINUTE);
    expect(ends(world)).toBe(1);
  });

  test('once: the incident is over after three polls in band; people hear of it when it can no longer be the same', async () => {
    const world = await aShopThatSwungOnce();
    await world.run(30 * SECOND);
    expect((await world.incidents())[0]?.resolvedAtMs).toBeDefined();
    await world.run(14 * MINUTE);
    expect(ends(world)).toBe(0);
    expect(world.firing().at(-1)?.summary).toMatch(/in band for 1[34] min/);
    await world.run(90 * SECOND);
    expect([toldOf(world).length, ends(world)]).toEqual([1, 1]);
  });

  test('a failure of another kind in between is told at once', async () => {
    const world = await aShopThatSwungOnce();
    await world.run(2 * MINUTE);
    releaseBadImage(world);
    await world.run(35 * SECOND);
    expect(new Set(world.firing().map(({ failureType }) => failureType))).toEqual(
      new Set(['cpu_saturation', 'image_error']),
    );
    expect(toldOf(world)).toHaveLength(2);
  });

  test.each([
    ['while it is over its line', 20 * SECOND],
    ['while it is in band, and the incident over', 50 * SECOND],
  ])('the leader changes %s: the same incident, and no second alert', async (_, afterMs) => {
    const world = await aSwingingShop(TELL);
    const first = await anOperator(world, { name: 'a' });
    await anOperator(world, { name: 'b', leads: false }).then(async (second) => {
      await world.run(3 * MINUTE);
      swing(world, MINUTE);
      await world.run(afterMs);
      first.kill();
      await world.run(20 * SECOND);
      second.leadership.set(true);
    });
    await world.run(10 * MINUTE);
    expect(await world.incidents()).toHaveLength(1);
    expect([world.ends(), toldOf(world).length, ends(world)]).toEqual([['alert_admin Healed'], 1, 0]);
  });
});
