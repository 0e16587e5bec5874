import { setImmediate } from 'node:timers/promises';
import { createEngine } from '../src/detection/engine.ts';
import type { Engine, JudgeInput, PodObservation } from '../src/detection/engine-input.ts';
import { metricSpec } from '../src/detection/metric-profile.ts';
import { seededRandom } from '../src/lib/seeded-random.ts';
import { MILLISECOND, cpuNanoseconds, max } from './cpu-cost.ts';
import type { Figure } from './registry.ts';

/** `node cost-poll.ts SERIES`: a poll of so many series in this process; figures as JSON on standard output. */
const METRICS = ['cpu_usage', 'memory_usage', 'disk_io', 'request_rate', 'error_rate', 'response_time'];
/** Enough for every feature to take part: the longest window is 72 samples. */
const WARM_POLLS = 80;

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
async function measure(series: number): Promise<Figure[]> {
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

console.log(JSON.stringify(await measure(Number(process.argv[2] ?? 100_000))));
