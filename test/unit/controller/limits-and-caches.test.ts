import { describe, expect, jest, test } from '@jest/globals';
import { PRESETS } from '../../../src/detection/presets.ts';
import type { Step } from '../../../src/policy/action.ts';
import type { HealingPolicy } from '../../../src/policy/healing-policy.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { aRoute } from '../../support/fakes/fake-objects.ts';
import { leakInOne, surge } from '../../support/fakes/troubles.ts';
import { aShop, quickPolicy, type World } from '../../support/fakes/world.ts';

jest.setTimeout(120_000);
const MINUTE = 60_000;

/** A limit on what people feel: it needs no history to be sure of. */
const watching = {
  metrics: [
    { ...PRESETS.response_time, limit: { enter: 150, leave: 100, forSeconds: 0 } },
    PRESETS.request_rate,
    PRESETS.cpu_usage,
    PRESETS.memory_usage,
  ],
};
const ladder = (...steps: readonly Step[]): Partial<HealingPolicy> => ({
  detection: { ...quickPolicy().detection, ...watching },
  remedies: [{ on: ['any'], minSeverity: 'low', steps }],
});
const throttle = (over: Partial<NonNullable<Step['throttle']>> = {}): Step => ({
  ...{ action: 'throttle_api', attempts: 1, timeoutSeconds: 300 },
  throttle: { provider: 'EnvoyGateway', percentOfBaseline: 80, ttlSeconds: 240, ...over },
});

async function surging(over: Partial<NonNullable<Step['throttle']>> = {}): Promise<World> {
  const world = await aShop(ladder(throttle(over)));
  aRoute(world.objects, 'checkout');
  await anOperator(world);
  await world.run(3 * MINUTE);
  surge(world, 3);
  return world;
}

describe('a limit', () => {
  test('is set, helps, and goes with its time', async () => {
    const world = await surging();
    await world.until('healed', () => world.ends().includes('throttle_api Healed'), 10 * MINUTE);
  });
});
