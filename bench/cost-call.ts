import { createDetectionService } from '../src/controller/detection-service.ts';
import { createEngine } from '../src/detection/engine.ts';
import { seededRandom } from '../src/lib/seeded-random.ts';
import { MILLISECOND, max } from './cpu-cost.ts';
import type { Figure } from './registry.ts';

const METRICS = ['cpu_usage', 'memory_usage', 'disk_io', 'request_rate', 'error_rate', 'response_time'];
const LINES = [
  'GET /cart 200 14ms',
  'dial tcp 10.0.3.7:5432: connect: connection refused',
  'payment-service unreachable, giving up after 3 attempts',
  'cache warmed with 1200 entries',
  'request timed out after 5000 ms',
];
const [WARM, CALLS] = [500, 5000];

/** A whole call with 6 metrics and 20 log lines, judged, learnt and diagnosed: its 99th percentile. */
export function detectFailureCost(): readonly Figure[] {
  const service = createDetectionService({
    engine: createEngine({ seed: 1 }),
    scratch: createEngine({ seed: 1 }),
    anomalyThreshold: 0.85,
    minSamples: 20,
    failureWindowMs: 300_000,
  });
  const random = seededRandom(6);
  const costs = new Float64Array(CALLS);
  let nowMs = 1.76e12;
  for (let call = -WARM; call < CALLS; call++) {
    nowMs += 15_000;
    const metrics = METRICS.map((metricType, m) => ({
      metricType,
      value: ([30, 45, 1e5, 120, 0.01, 80][m] ?? 1) * (0.9 + 0.2 * random.next()),
      atMs: nowMs,
      labels: { pod: `checkout-${call % 50}`, service: 'checkout' },
    }));
    const logs = Array.from({ length: 20 }, (_, i) => ({
      atMs: nowMs - i,
      level: i % 5 === 0 ? ('info' as const) : ('error' as const),
      message: `${LINES[i % LINES.length]} #${call}`,
      service: 'checkout',
    }));
    const before = process.cpuUsage();
    service.detectFailure({ metrics, logs }, nowMs);
    const { user, system } = process.cpuUsage(before);
    if (call >= 0) costs[call] = (user + system) * 1000;
  }
  costs.sort();
  const at = (share: number): number => (costs[Math.floor(share * (CALLS - 1))] ?? NaN) / MILLISECOND;
  const name = 'a whole detect-failure call, 6 metrics and 20 lines';
  return [
    { name: `${name}: p99`, value: at(0.99), unit: 'ms CPU', target: max(3) },
    { name: `${name}: median`, value: at(0.5), unit: 'ms CPU' },
  ];
}
