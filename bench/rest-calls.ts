import { aRequest, NAME, TIMESTAMP, type LoadRequest } from './rest-load.ts';

/** The key that every call of this benchmark brings. */
export const KEY = 'the-key-of-the-benchmark';

/** A kind of call: its route and bodies that are sent in turn. */
export interface Call {
  readonly name: string;
  readonly path: string;
  readonly bodies: readonly string[];
  /** False: a call that is larger than what the targets speak of. */
  readonly isMeasure: boolean;
}

const ANOMALY = '/api/v1/detect-anomaly';
const FAILURE = '/api/v1/detect-failure';
const METRICS = ['cpu_usage', 'memory_usage', 'request_rate', 'error_rate', 'response_time', 'disk_io'];
const VALUES = [35, 50, 120, 0.002, 80, 1_000_000];
const BODIES = 500;
const PODS = 50;

/** Of 50 pods, so that most series are known, as in production; `pod`: of this one instead. */
function bodyOf(i: number, metrics: number, lines: number, pod?: string): string {
  const samples = Array.from({ length: metrics }, (_, m) => ({
    metric_type: METRICS[m % METRICS.length],
    value: (VALUES[m % VALUES.length] ?? 1) * (1 + ((i * 7 + m) % 11) / 100),
    timestamp: TIMESTAMP,
    labels: { pod: pod ?? `api-${(i + Math.floor(m / METRICS.length)) % PODS}`, namespace: 'shop' },
  }));
  if (lines === 0) return JSON.stringify({ metrics: samples });
  const logs = Array.from({ length: lines }, (_, l) => ({
    timestamp: TIMESTAMP,
    level: l % 5 === 0 ? 'warn' : 'info',
    message: `GET /cart/${i * l} answered 200 after ${l} ms`,
    service: 'checkout',
  }));
  return JSON.stringify({ metrics: samples, logs });
}

const bodies = (metrics: number, lines = 0): readonly string[] =>
  Array.from({ length: BODIES }, (_, i) => bodyOf(i, metrics, lines));

export const CALLS: readonly Call[] = [
  { name: 'detect-anomaly, 1 metric', path: ANOMALY, bodies: bodies(1), isMeasure: true },
  { name: 'detect-anomaly, 6 metrics', path: ANOMALY, bodies: bodies(6), isMeasure: true },
  { name: 'detect-anomaly, 60 metrics', path: ANOMALY, bodies: bodies(60), isMeasure: true },
  { name: 'detect-anomaly, 600 metrics', path: ANOMALY, bodies: bodies(600), isMeasure: false },
  { name: 'detect-failure, 6 metrics, 20 lines', path: FAILURE, bodies: bodies(6, 20), isMeasure: true },
];

/** Calls of each kind in a hundred of the long run. */
const MIX: readonly (readonly [share: number, path: string, metrics: number, lines: number])[] = [
  [60, ANOMALY, 1, 0],
  [25, ANOMALY, 6, 0],
  [5, ANOMALY, 60, 0],
  [10, FAILURE, 6, 20],
];

/**
 * Requests of the long run, evenly mixed. One in ten is of a pod that was never seen before and will not be again: what
 * is remembered of label sets must stay bounded.
 */
export function mixedRequests(): readonly LoadRequest[] {
  const kinds = MIX.flatMap(([share, ...kind]) => Array.from({ length: share }, () => kind));
  return Array.from({ length: BODIES }, (_, i) => {
    // 37 has no factor in common with 100, so each hundred holds every kind as often as it should.
    const [path, metrics, lines] = kinds[(i * 37) % kinds.length] ?? [ANOMALY, 1, 0];
    return aRequest('POST', path, KEY, bodyOf(i, metrics, lines, i % 10 === 9 ? NAME : undefined));
  });
}
