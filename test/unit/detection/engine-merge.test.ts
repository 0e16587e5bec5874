import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createEngine } from '../../../src/detection/engine.ts';
import { podSeriesKey, type Engine } from '../../../src/detection/engine-input.ts';
import { SnapshotError } from '../../../src/detection/state/snapshot.ts';
import { SimulatedWorkload } from '../../support/simulated-workload.ts';

const simulation = (seed: number): SimulatedWorkload =>
  new SimulatedWorkload({ seed, pods: 3, intervalMs: 60_000, minSamples: 30 });

/** An engine that has seen this workload for so many polls, and the keys of its pods' series. */
function taught(seed: number, polls: number, engine: Engine = createEngine({ seed: 1 })) {
  const workload = simulation(seed);
  const keys = new Set<string>();
  for (let i = 0; i < polls; i++) {
    const input = workload.poll();
    engine.judge(input);
    for (const { pod } of input.pods) {
      for (const { name } of input.metrics) keys.add(podSeriesKey(input.workload, pod, name));
    }
  }
  return { engine, keys: [...keys] };
}

const samplesOf = (engine: Engine, keys: readonly string[]): readonly number[] =>
  keys.map((key) => engine.samples(key));

describe('merging stored models into those of a process that learnt meanwhile', () => {
  test('of each series the one that has learnt more stays', () => {
    const polls = fc.integer({ min: 0, max: 60 });
    fc.assert(
      fc.property(polls, polls, (before, since) => {
        const stored = taught(1, before);
        const own = taught(1, since);
        own.engine.merge(stored.engine.snapshot());
        const keys = [...new Set([...stored.keys, ...own.keys])];
        const alone = taught(1, since).engine;
        expect(samplesOf(own.engine, keys)).toEqual(
          keys.map((key) => Math.max(stored.engine.samples(key), alone.samples(key))),
        );
      }),
      { numRuns: 20 },
    );
  });

  test('into an engine that knows nothing it is a restore: every later verdict is equal', () => {
    const { engine } = taught(1, 260);
    const bytes = engine.snapshot();
    const [merged, restored] = [createEngine({ seed: 1 }), createEngine({ seed: 1 })];
    merged.merge(bytes);
    restored.restore(bytes);
    const [a, b] = [simulation(1), simulation(1)];
    for (let i = 0; i < 40; i++) expect(merged.judge(a.poll())).toEqual(restored.judge(b.poll()));
  });

  test('what only one of them knows is kept, and the richer one judges on as it did', () => {
    const stored = taught(1, 300);
    const own = taught(2, 10);
    own.engine.merge(stored.engine.snapshot());
    expect(own.engine.seriesCount()).toBe(stored.engine.seriesCount() + taught(2, 10).engine.seriesCount());
    const [a, b] = [simulation(1), simulation(1)];
    const restored = createEngine({ seed: 1 });
    restored.restore(stored.engine.snapshot());
    for (let i = 0; i < 20; i++) expect(own.engine.judge(a.poll())).toEqual(restored.judge(b.poll()));
  });

  test('bytes that are no snapshot change nothing', () => {
    const { engine } = taught(1, 50);
    const before = engine.snapshot();
    expect(() => engine.merge(new Uint8Array(64))).toThrow(SnapshotError);
    expect(engine.snapshot()).toEqual(before);
  });
});
