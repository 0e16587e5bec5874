import { beforeEach, describe, expect, test } from '@jest/globals';
import { ByteReader, ByteWriter } from '../../../../src/detection/state/bytes.ts';
import { VectorModels } from '../../../../src/detection/state/vector-models.ts';
import type { VectorRow } from '../../../../src/detection/state/vector-models.ts';
import { seededRandom } from '../../../../src/lib/seeded-random.ts';

const row = (a: number, b: number, load = 0, columns = ['a', 'b']): VectorRow => ({
  columns,
  values: Float32Array.of(a, b),
  load,
});

let models: VectorModels;
let nowMs: number;
beforeEach(() => {
  models = new VectorModels(1, 2);
  nowMs = 0;
});

/** Teaches rows around (level, 5), a millisecond apart. */
function teach(count: number, level = 5, workload = 'w', to = models): void {
  const random = seededRandom(level);
  for (let i = 0; i < count; i++) to.teach(workload, row(level + random.normal(), 5 + random.normal()), nowMs++);
}
const samples = (workload = 'w', of = models): number | undefined => of.score(workload, row(5, 5), nowMs)?.samples;
const scoreOf = (a: number, of = models): number => of.score('w', row(a, 5), nowMs)?.score ?? NaN;

describe('a workload’s model', () => {
  test('is trained with 64, 128 and 256 rows', () => {
    const trained = [63, 1, 63, 1, 127, 1].map((more) => {
      teach(more);
      return samples();
    });
    expect(trained).toEqual([undefined, 64, 64, 128, 128, 256]);
  });

  test('calls odd what is far from its rows, and says which column it is', () => {
    teach(64);
    expect(scoreOf(5)).toBeLessThan(0.5);
    expect(scoreOf(50)).toBeGreaterThan(0.95);
    const { contributions } = models.score('w', row(50, 5), nowMs) ?? {};
    expect(contributions?.['a']).toBeGreaterThan(0.99);
    expect(contributions?.['b']).toBeLessThan(0.01);
  });

  test('keeps the one before: a row is odd only where both find it so', () => {
    teach(64);
    expect(scoreOf(50)).toBeGreaterThan(0.95);
    // The second model has seen 64 rows around 50 as well, then the third and the second.
    teach(64, 50);
    expect(scoreOf(50)).toBeLessThan(0.6);
    expect(scoreOf(5)).toBeLessThan(0.6);
    expect(scoreOf(500)).toBeGreaterThan(0.95);
  });

  test('learns anew every 512 rows: a level that has stayed becomes usual, one that left is forgotten by and by', () => {
    teach(256);
    expect(scoreOf(50)).toBeGreaterThan(0.95);
    teach(255, 50);
    expect(scoreOf(50)).toBeGreaterThan(0.95);
    teach(1, 50);
    expect(samples()).toBe(256);
    expect(scoreOf(50)).toBeLessThan(0.6);
  });

  test('knows the load of each row', () => {
    for (let i = 0; i < 64; i++) models.teach('w', row(10 * (i % 8), 5, i % 8), nowMs);
    const given = (load: number): number => models.score('w', row(70, 5, load), nowMs)?.score ?? NaN;
    expect(given(7)).toBeLessThan(0.5);
    expect(given(0)).toBeGreaterThan(0.9);
  });
});

describe('which workloads have one', () => {
  test('as many as there is room for, in the order in which they came', () => {
    for (const workload of ['w', 'v', 'late']) teach(64, 5, workload);
    expect(['w', 'v', 'late'].map((workload) => samples(workload))).toEqual([64, 64, undefined]);
    expect(models.bytes()).toBe(800_000);
  });

  test('those that nobody asked about make room', () => {
    teach(64, 5, 'w');
    teach(64, 5, 'v');
    // Both are 64 ms old or younger; w is asked about now.
    samples('w');
    models.evict(nowMs);
    expect([samples('w'), samples('v')]).toEqual([64, undefined]);
    teach(64, 5, 'late');
    expect(samples('late')).toBe(64);
  });

  test('a row with other columns is not compared', () => {
    teach(64);
    expect(models.score('w', row(5, 5, 0, ['a', 'c']), nowMs)).toBeUndefined();
    expect(models.score('w', row(5, 5, 0, ['a']), nowMs)).toBeUndefined();
    expect(models.score('w', row(5, 5), nowMs)).toBeDefined();
  });

  test.each([
    ['a pod that lacks a metric does not wipe out its model', ['a'], 0, 64],
    ['nor does one with others, soon after', ['a', 'c'], 600_000, 64],
    ['it does, when the model was not fed for ten minutes', ['a', 'c'], 600_001, undefined],
    ['a further metric starts anew', ['a', 'b', 'c'], 0, undefined],
  ])('%s', (_, columns, laterMs, expected) => {
    teach(64);
    models.teach('w', { columns, values: new Float32Array(columns.length), load: 0 }, nowMs - 1 + laterMs);
    expect(samples()).toBe(expected);
  });
});

describe('models stored and merged', () => {
  const stored = (of: VectorModels): VectorModels => {
    const writer = new ByteWriter(0);
    of.write(writer);
    const again = new VectorModels(9, 1);
    again.read(new ByteReader(writer.finish()));
    return again;
  };

  test('answer as before and learn on as before', () => {
    teach(100);
    const again = stored(models);
    expect(scoreOf(8, again)).toBe(scoreOf(8));
    const from = nowMs;
    teach(28, 7);
    nowMs = from;
    teach(28, 7, 'w', again);
    expect([samples('w', again), samples()]).toEqual([128, 128]);
    expect(scoreOf(8, again)).toBe(scoreOf(8));
  });

  test.each([
    ['that has seen more is taken', 70, 130, 128],
    ['that has seen as much is not', 130, 130, 128],
    ['that has seen less is not', 130, 70, 128],
  ])('of two models the one %s', (_, own, others, expected) => {
    const other = new VectorModels(2, 2);
    teach(own);
    const before = scoreOf(8);
    teach(others, 9, 'w', other);
    models.takeRicher(other);
    expect(samples()).toBe(expected);
    expect(scoreOf(8) === before).toBe(others <= own);
  });

  test('a workload that is not known is taken where there is room', () => {
    const other = new VectorModels(2, 3);
    for (const workload of ['w', 'v', 'u']) teach(64, 5, workload, other);
    models.takeRicher(other);
    expect(['w', 'v', 'u'].map((workload) => samples(workload))).toEqual([64, 64, undefined]);
  });
});
