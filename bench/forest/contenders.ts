import { readFileSync } from 'node:fs';
import { IsolationForest } from 'ml-isolation-forest';
import { forestScore, trainForest } from '../../src/detection/detectors/isolation-forest.ts';
import { trainVector, vectorOddness } from '../../src/detection/detectors/vector.ts';
import { seededRandom } from '../../src/lib/seeded-random.ts';
import { averagePrecision } from './average-precision.ts';
import type { ForestFixture } from './fixtures.ts';

/** Seeds of our forests; ml-isolation-forest cannot be seeded and runs as often as `UNSEEDED_RUNS`. */
const FOREST_SEEDS = [1, 2, 3, 4, 5];
const UNSEEDED_RUNS = 6;

/** Areas under the precision-recall curve of one fixture, means over forests. */
export interface Areas {
  /** The engine's vector model: the forest, and the distance where the rows form one cloud. */
  readonly ours: number;
  readonly ourForestAlone: number;
  readonly mlIsolationForest: number;
}

export const rowsOf = (values: Float32Array, columns: number): Float32Array[] =>
  Array.from({ length: values.length / columns }, (_, row) => values.subarray(row * columns, (row + 1) * columns));

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Trains and scores every contender that runs here. */
export function areasOf({ train, test, columns, labels }: ForestFixture): Areas {
  const count = train.length / columns;
  const matrix = { rows: count, columns, values: train };
  const judged = rowsOf(test, columns);
  const area = (score: (row: Float32Array) => number): number => averagePrecision(judged.map(score), labels);
  const ours = FOREST_SEEDS.map((seed) => {
    const model = trainVector({ matrix, loads: new Float64Array(count) }, seededRandom(seed));
    return area((row) => vectorOddness(model, row, 0));
  });
  const alone = FOREST_SEEDS.slice(0, 2).map((seed) => {
    const forest = trainForest(matrix, seededRandom(seed));
    return area((row) => forestScore(forest, row));
  });
  const plain = rowsOf(train, columns).map((row) => [...row]);
  const asked = judged.map((row) => [...row]);
  const theirs = Array.from({ length: UNSEEDED_RUNS }, () => {
    const forest = new IsolationForest({ nEstimators: 100 });
    forest.train(plain);
    return averagePrecision(forest.predict(asked), labels);
  });
  return { ours: mean(ours), ourForestAlone: mean(alone), mlIsolationForest: mean(theirs) };
}

/** What scikit-learn.py stored: by whom, for which data, and the areas of ten forests for every fixture. */
export interface StoredAreas {
  readonly by: string;
  readonly digest: string;
  readonly results: readonly {
    readonly name: string;
    readonly seed: number;
    readonly averagePrecision: readonly number[];
  }[];
}

export function storedAreas(): StoredAreas {
  return JSON.parse(readFileSync(new URL('scikit-learn.json', import.meta.url), 'utf8')) as StoredAreas;
}
