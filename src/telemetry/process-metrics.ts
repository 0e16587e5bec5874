import { performance } from 'node:perf_hooks';
import { Gauge, collectDefaultMetrics, type Registry } from 'prom-client';

/** Longer than any process lives, and the longest that a timer takes: its sampling never fires. */
const NEVER_MS = 2 ** 31 - 1;
const SAMPLED = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'].map((of) => `nodejs_eventloop_lag_${of}_seconds`);

/**
 * The usual `process_*` and `nodejs_*` metrics, without the quantiles of event loop lag: sampling them wakes the process a
 * hundred times a second, which costs more than the operator's own work. The lag at each scrape stays, and the share of time
 * in which the loop was busy since the last one says what the quantiles would.
 */
export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER_MS });
  for (const name of SAMPLED) registry.removeSingleMetric(name);
  let last = performance.eventLoopUtilization();
  const busy = new Gauge({
    name: 'nodejs_eventloop_utilization',
    help: 'Share of time (0-1) in which the event loop was busy since the last scrape.',
    registers: [registry],
    collect() {
      const now = performance.eventLoopUtilization();
      busy.set(performance.eventLoopUtilization(now, last).utilization);
      last = now;
    },
  });
}
