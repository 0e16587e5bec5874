import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { newObservation, observe, startOwnHistory, teachOwnHistory } from '../src/detection/detectors/own-history.ts';
import { stepShape } from '../src/detection/detectors/shape.ts';
import { SHAPE_SHAPE, bytesPerFullSeries } from '../src/detection/state/coarse-record.ts';
import { SERIES_SHAPE, bytesPerSeries } from '../src/detection/state/series-record.ts';
import { Slab } from '../src/detection/state/slab.ts';
import { seededRandom } from '../src/lib/seeded-random.ts';
import { barChart } from './charts/bar-chart.ts';
import { detectFailureCost } from './cost-call.ts';
import { cpuNanoseconds, max } from './cpu-cost.ts';
import { writeCases } from './sets/case-rows.ts';
import type { Bench, BenchOptions, Chart, Figure, Report } from './registry.ts';

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

/**
 * Runs in a process of its own, as a deployment should start one: small nurseries suit short-lived polls, and nothing of
 * the other figures is counted in its memory.
 */
async function wholePoll(series: number): Promise<readonly Figure[]> {
  const script = new URL('./cost-poll.ts', import.meta.url).pathname;
  const args = ['--max-semi-space-size=8', script, String(series)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 600_000 });
  return JSON.parse(stdout) as readonly Figure[];
}

async function run({ out }: BenchOptions): Promise<Report> {
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
    ...(await wholePoll(100_000)),
    ...detectFailureCost(),
  ];
  writeCases(
    out,
    'cost',
    figures.map(({ name, value, unit }) => ({ case: name, ranking: [], topType: unit, confidence: value })),
  );
  return { set: 'cost', figures, lines: [], charts: [chartOf(figures)] };
}

function chartOf(figures: readonly Figure[]): Chart {
  const svg = barChart({
    title: 'What the engine costs, as a share of what it may cost',
    subtitle: 'One core; 1 is the target. Less is better.',
    series: ['share of the target'],
    groups: figures.flatMap(({ name, value, target }) =>
      target === undefined ? [] : [{ label: name, values: [value / target.value] }],
    ),
    max: 1.25,
    mark: { value: 1, label: 'target' },
  });
  return { name: 'cost', svg };
}

export const costBench: Bench = {
  name: 'cost',
  about: 'cost per point, bytes per series, a poll of 100,000 series, snapshot times, a whole detect-failure call',
  run,
};
