import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { forestOptionsFor, forestScore, trainForest } from '../src/detection/detectors/isolation-forest.ts';
import { newObservation, observe, startOwnHistory, teachOwnHistory } from '../src/detection/detectors/own-history.ts';
import { stepShape } from '../src/detection/detectors/shape.ts';
import { SHAPE_SHAPE, bytesPerFullSeries } from '../src/detection/state/coarse-record.ts';
import { SERIES_SHAPE, bytesPerSeries } from '../src/detection/state/series-record.ts';
import { Slab } from '../src/detection/state/slab.ts';
import { seededRandom } from '../src/lib/seeded-random.ts';
import { MILLISECOND, cpuNanoseconds, max } from './cpu-cost.ts';
import type { Bench, Figure, Report } from './registry.ts';

function ownHistoryPerPoint(): number {
  const slab = new Slab(SERIES_SHAPE);
  const c = slab.seek(slab.allocate());
  const random = seededRandom(1);
  const values = Float64Array.from({ length: 20_000 }, (_, i) => 50 + 10 * Math.sin(i / 46) + random.normal());
  const observation = newObservation();
  startOwnHistory(c, values[0] ?? 0);
  const pass = (): void => {
    for (const value of values) {
      observe(c, value, observation);
      teachOwnHistory(c, observation);
    }
  };
  pass();
  return (
    cpuNanoseconds(() => {
      for (let i = 0; i < 10; i++) pass();
    }) /
    (10 * values.length * 1000)
  );
}

function shapePerPoint(): number {
  const slab = new Slab(SHAPE_SHAPE);
  const c = slab.seek(slab.allocate());
  const random = seededRandom(2);
  const values = Float64Array.from({ length: 10_000 }, (_, i) => 10 * Math.sin(i / 46) + random.normal());
  for (const value of values) stepShape(c, value, true);
  return (
    cpuNanoseconds(() => {
      for (const value of values) stepShape(c, value, true);
    }) /
    (values.length * 1000)
  );
}

function forestFigures(): Figure[] {
  const random = seededRandom(4);
  const values = new Float32Array(256 * 6).map(() => random.normal());
  const matrix = { rows: 256, columns: 6, values };
  for (let i = 0; i < 20; i++) trainForest(matrix, seededRandom(i));
  const train = cpuNanoseconds(() => {
    for (let i = 0; i < 50; i++) trainForest(matrix, seededRandom(i));
  });
  const forest = trainForest(matrix, seededRandom(1));
  const rows = Array.from({ length: 500 }, () => new Float32Array(6).map(() => 1.5 * random.normal()));
  let sum = 0;
  const predict = (): void => {
    for (const row of rows) sum += forestScore(forest, row);
  };
  for (let i = 0; i < 20; i++) predict();
  const cost = cpuNanoseconds(() => {
    for (let i = 0; i < 40; i++) predict();
  });
  const note = `${forestOptionsFor(256).trees} trees of ${forestOptionsFor(256).sampleSize} rows; mean score ${(sum / 30_000).toFixed(3)}`;
  return [
    { name: 'forest: train 256 x 6', value: train / 50 / MILLISECOND, unit: 'ms CPU', target: max(10), note },
    { name: 'forest: predict one vector', value: cost / 20_000 / 1000, unit: 'µs CPU', target: max(5) },
  ];
}

/**
 * Runs in a process of its own, as a deployment should start one: small nurseries suit short-lived polls, and nothing of
 * the other figures is counted in its memory.
 */
async function wholePoll(series: number): Promise<readonly Figure[]> {
  const script = new URL('./engine-poll.ts', import.meta.url).pathname;
  const args = ['--max-semi-space-size=8', script, String(series)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 600_000 });
  return JSON.parse(stdout) as readonly Figure[];
}

async function run(): Promise<Report> {
  const figures: Figure[] = [
    { name: 'own-history features, one point', value: ownHistoryPerPoint(), unit: 'µs CPU', target: max(3) },
    { name: 'nearest neighbours, one point', value: shapePerPoint(), unit: 'µs CPU', target: max(20) },
    { name: 'state per series', value: bytesPerSeries, unit: 'bytes', target: max(3000) },
    {
      name: 'state per series with day profile and shape',
      value: bytesPerFullSeries,
      unit: 'bytes',
      target: max(16_000),
    },
    ...forestFigures(),
    ...(await wholePoll(100_000)),
  ];
  return { set: 'engine', figures, lines: [] };
}

export const engineBench: Bench = {
  name: 'engine',
  about: 'cost per point, bytes per series, a poll of 100,000 series, forest and snapshot times',
  run,
};
