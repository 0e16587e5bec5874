import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { FOREST_DEFAULTS, forestScore, trainForest } from '../src/detection/detectors/isolation-forest.ts';
import { newObservation, observe, startOwnHistory, teachOwnHistory } from '../src/detection/detectors/own-history.ts';
import { stepShape } from '../src/detection/detectors/shape.ts';
import { createEngine } from '../src/detection/engine.ts';
import type { Engine, JudgeInput, PodObservation } from '../src/detection/engine-input.ts';
import { metricSpec } from '../src/detection/metric-profile.ts';
import { SHAPE_SHAPE, bytesPerFullSeries } from '../src/detection/state/coarse-record.ts';
import { SERIES_SHAPE, bytesPerSeries } from '../src/detection/state/series-record.ts';
import { Slab } from '../src/detection/state/slab.ts';
import { seededRandom } from '../src/lib/seeded-random.ts';
import type { Bench, Figure, Report } from './registry.ts';

const METRICS = ['cpu_usage', 'memory_usage', 'disk_io', 'request_rate', 'error_rate', 'response_time'];
const MILLISECOND = 1e6;
/** Enough for every feature to take part: the longest window is 72 samples. */
const WARM_POLLS = 80;

const max = (value: number): NonNullable<Figure['target']> => ({ kind: 'max', value });

/** Nanoseconds of CPU that a piece of work takes; CPU and not wall time, so that a busy machine changes little. */
function cpuNanoseconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1000;
}

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

/** Workloads of three pods and six metrics. */
function poll(engine: Engine, workloads: number, atMs: number, random: () => number): void {
  const metrics = METRICS.map((name) => metricSpec(name));
  for (let w = 0; w < workloads; w++) engine.judge(input(w, atMs, metrics, random));
}

function input(w: number, nowMs: number, metrics: JudgeInput['metrics'], random: () => number): JudgeInput {
  const pods = [0, 1, 2].map((p): PodObservation => {
    const uid = `00000000-0000-4000-8000-${String(w * 3 + p).padStart(12, '0')}`;
    return {
      pod: { name: uid, uid },
      templateHash: 'h',
      ageMs: 1e9,
      ready: true,
      saturation: { cpu_usage: 100, memory_usage: 100 },
      status: [],
      readings: METRICS.map((metric, m) => ({
        metric,
        reading: { kind: 'value', value: [30, 45, 1e5, 120, 0, 80][m] ?? 1, atMs: nowMs } as const,
      })).map((reading) => ({
        ...reading,
        reading: { ...reading.reading, value: reading.reading.value * (0.9 + 0.2 * random()) },
      })),
    };
  });
  const uid = `w-${w}`;
  return {
    workload: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'n', name: uid, uid },
    nowMs,
    settings: { anomalyThreshold: 0.85, minSamples: 20, maxSampleAgeMs: 60_000, intervalMs: 15_000 },
    metrics,
    pods,
    workloadReadings: [],
  };
}

/** A whole poll of so many series, scored and taught: milliseconds of CPU, the median of five polls. */
async function wholePoll(series: number): Promise<Figure[]> {
  const workloads = Math.ceil(series / (3 * METRICS.length));
  const engine = createEngine({ seed: 1 });
  const random = seededRandom(3);
  let atMs = 1.76e12;
  for (let i = 0; i < WARM_POLLS; i++) poll(engine, workloads, (atMs += 15_000), random.next);
  const costs: number[] = [];
  const building = inputsOnly(workloads, random.next);
  for (let i = 0; i < 5; i++) {
    costs.push((cpuNanoseconds(() => poll(engine, workloads, (atMs += 15_000), random.next)) - building) / MILLISECOND);
    await setImmediate();
  }
  const rss = process.memoryUsage().rss / 2 ** 20;
  let bytes: Uint8Array = new Uint8Array(0);
  const save = cpuNanoseconds(() => (bytes = engine.snapshot())) / MILLISECOND;
  const other = createEngine({ seed: 1 });
  const restore = cpuNanoseconds(() => other.restore(bytes)) / MILLISECOND;
  return [
    {
      name: `${engine.seriesCount().toLocaleString('en-US')} series, one poll, scored and taught`,
      value: costs.toSorted((a, b) => a - b)[2] ?? NaN,
      unit: 'ms CPU',
      target: max(1000),
    },
    { name: 'resident memory with them, whole process', value: rss, unit: 'MiB', target: max(512) },
    { name: 'snapshot of them: save', value: save, unit: 'ms CPU', target: max(1000) },
    { name: 'snapshot of them: restore', value: restore, unit: 'ms CPU', target: max(1000) },
    { name: 'snapshot size', value: bytes.length / 2 ** 20, unit: 'MiB' },
  ];
}

/** What building the inputs costs: the caller's work, not the engine's. */
function inputsOnly(workloads: number, random: () => number): number {
  const metrics = METRICS.map((name) => metricSpec(name));
  return cpuNanoseconds(() => {
    for (let w = 0; w < workloads; w++) input(w, 1.76e12, metrics, random);
  });
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
  const note = `${FOREST_DEFAULTS.trees} trees of ${FOREST_DEFAULTS.sampleSize} rows; mean score ${(sum / 30_000).toFixed(3)}`;
  return [
    { name: 'forest: train 256 x 6', value: train / 50 / MILLISECOND, unit: 'ms CPU', target: max(10), note },
    { name: 'forest: predict one vector', value: cost / 20_000 / 1000, unit: 'µs CPU', target: max(5) },
  ];
}

async function run(): Promise<Report> {
  // As a deployment should (`node --max-semi-space-size=8`): short-lived objects need no 100 MB of nurseries.
  setFlagsFromString('--max-semi-space-size=8');
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
