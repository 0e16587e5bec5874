import { describe, expect, jest, test } from '@jest/globals';
import { createEngine } from '../../../src/detection/engine.ts';
import { podSeriesKey } from '../../../src/detection/engine-input.ts';
import { modelKey } from '../../../src/controller/stored-models.ts';
import { SNAPSHOT_VERSION } from '../../../src/detection/state/snapshot.ts';
import { anOperator } from '../../support/fakes/an-operator.ts';
import { aShop, type World } from '../../support/fakes/world.ts';

jest.setTimeout(60_000);
const MINUTE = 60_000;

/** Samples that the stored models know of the first pod's cpu. */
async function storedSamples(world: World): Promise<number> {
  const bytes = await world.store.loadBlob(modelKey('engine', SNAPSHOT_VERSION));
  if (bytes === undefined) return 0;
  const engine = createEngine({ seed: 7 });
  engine.restore(bytes);
  const [workload] = world.cluster.view().workloads;
  const pod = workload?.pods[0];
  return workload === undefined || pod === undefined ? 0 : engine.samples(podSeriesKey(workload.ref, pod, 'cpu_usage'));
}

describe('what the operator has learnt', () => {
  test('is stored every five minutes and when it stops, by the process that leads alone', async () => {
    const world = await aShop();
    const bystander = await anOperator(world, { leads: false });
    await world.run(11 * MINUTE);
    expect(await storedSamples(world)).toBe(0);
    const leader = await anOperator(world);
    await world.run(6 * MINUTE);
    const first = await storedSamples(world);
    expect(first).toBeGreaterThan(0);
    await world.run(2 * MINUTE);
    expect(await storedSamples(world)).toBe(first);
    await leader.operator.stop();
    expect(await storedSamples(world)).toBeGreaterThan(first);
    bystander.kill();
  });

  test('outlives a start while the store is away: it is merged, not written over', async () => {
    const world = await aShop();
    const first = await anOperator(world);
    await world.run(30 * MINUTE);
    await first.operator.stop();
    const stored = await storedSamples(world);
    world.isStoreDown = true;
    const second = await anOperator(world);
    await world.run(MINUTE);
    world.isStoreDown = false;
    await world.run(6 * MINUTE);
    // What the second one learnt in six minutes is far less than what was there.
    expect(await storedSamples(world)).toBeGreaterThanOrEqual(stored);
    await second.operator.stop();
    expect(await storedSamples(world)).toBeGreaterThanOrEqual(stored);
  });
});
