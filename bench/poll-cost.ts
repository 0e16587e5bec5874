import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { IncidentBook } from '../src/controller/incident-book.ts';
import { PodAges } from '../src/controller/pod-ages.ts';
import { Poller } from '../src/controller/poller.ts';
import { WorkloadAssessor } from '../src/controller/workload-assessor.ts';
import { createEngine } from '../src/detection/engine.ts';
import { median } from '../src/detection/statistics/median.ts';
import { createMetricSource } from '../src/prometheus/metric-source.ts';
import { createSqliteStore } from '../src/store/store.ts';
import { systemClock } from '../src/system-clock.ts';
import { createLogger } from '../src/telemetry/logger.ts';
import { createMetrics } from '../src/telemetry/metrics.ts';
import { aPod, aWorkload } from '../test/support/builders/workload.ts';
import { aPolicy } from '../test/support/builders/policy.ts';

/** What one poll of so many pods and metrics costs, from the query to the verdict. */
export interface PollCost {
  /** Milliseconds of processor time of this process: the median poll. */
  readonly cpuMs: number;
  readonly worstMs: number;
  readonly series: number;
  readonly scored: number;
  readonly rssMiB: number;
}

const NAMESPACE = 'shop';
const INTERVAL_MS = 15_000;
/** Long enough for every feature to take part. */
const WARM_POLLS = 80;
const POLLS = 7;
const METRICS = ['cpu_usage', 'memory_usage', 'disk_io', 'request_rate', 'error_rate', 'response_time'] as const;

/** The real source, engine and assessor against a scripted server; one policy for each workload of ten pods. */
async function pollCost(pods: number, podsEach: number): Promise<PollCost> {
  const args = [NAMESPACE, String(pods), String(podsEach)];
  const server = fork(fileURLToPath(new URL('./scripted-prometheus.ts', import.meta.url)), args);
  try {
    const { port } = await new Promise<{ port: number }>((resolve) =>
      server.once('message', (told) => resolve(told as { port: number })),
    );
    return await measure(`http://127.0.0.1:${port}`, pods, podsEach);
  } finally {
    server.disconnect();
  }
}

async function measure(url: string, pods: number, podsEach: number): Promise<PollCost> {
  const log = createLogger({ level: 'error', write: (line) => process.stderr.write(line) });
  const metrics = createMetrics({ log, version: 'bench' });
  const store = await createSqliteStore({ file: ':memory:', clock: systemClock, log, metrics });
  let nowMs = Date.now();
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
  const headers: Record<string, string> = {};
  const source = createMetricSource({ url, log, headers, scrapeIntervalMs: INTERVAL_MS }, clock);
  const poller = new Poller({ source, metrics, clock, log });
  const engine = createEngine({ seed: 1 });
  const book = new IncidentBook(store, log, systemClock);
  const podAges = new PodAges(systemClock);
  const assessor = new WorkloadAssessor({ engine, book, podAges, stalenessMs: 2 * INTERVAL_MS });
  const watched = Array.from({ length: pods / podsEach }, (_, i) => watchedWorkload(i, podsEach));
  let scored = 0;
  const poll = async (): Promise<number> => {
    nowMs += INTERVAL_MS;
    headers['x-now-ms'] = String(nowMs);
    const before = process.cpuUsage();
    const states = await poller.poll(
      watched.map(({ policy }) => policy),
      nowMs,
      nowMs,
    );
    scored = 0;
    const at = { nowMs, sourceNowMs: poller.sourceNowMs(), monotonicMs: nowMs };
    for (const [i, { policy, workload }] of watched.entries()) {
      const state = states[i];
      if (state === undefined) throw new Error(`policy ${policy.name} was not polled`);
      const specs = poller.specs(policy, state.polled, nowMs);
      const { verdict } = assessor.assess(policy, { workload, isOnly: false }, state.polled.readings, specs, at);
      for (const pod of verdict.pods) scored += pod.metrics.filter((each) => each.verdict.kind === 'score').length;
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  for (let i = 0; i < WARM_POLLS; i++) await poll();
  const costs: number[] = [];
  for (let i = 0; i < POLLS; i++) costs.push(await poll());
  await source.close();
  await store.close();
  return {
    cpuMs: median(Float64Array.from(costs)),
    worstMs: Math.max(...costs),
    series: engine.seriesCount(),
    scored,
    rssMiB: process.memoryUsage.rss() / 2 ** 20,
  };
}

function watchedWorkload(index: number, podsEach: number) {
  const name = `web-${index}`;
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: NAMESPACE, name, uid: `w-${index}` } as const;
  const pods = Array.from({ length: podsEach }, (_, i) => {
    const number = index * podsEach + i;
    return aPod(number, { name: `${name}-${number}`, namespace: NAMESPACE });
  });
  const base = aPolicy({ name, namespace: NAMESPACE, uid: `p-${index}`, target: { kind: 'Deployment', name } });
  const detection = { ...base.detection, minSamples: 20, metrics: METRICS.map((metric) => aMetric(metric)) };
  return { workload: aWorkload({ ref, pods }), policy: { ...base, detection } };
}

const aMetric = (name: (typeof METRICS)[number]) => ({ name, unit: 'any', direction: 'Both' }) as const;

// `argv`: pods, and pods of a workload. The answer goes to the parent.
const [pods = 0, podsEach = 1] = process.argv.slice(2).map(Number);
process.send?.(await pollCost(pods, podsEach));
