import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DatabaseSync } from 'node:sqlite';
import type { Bench, Figure } from './registry.ts';
import { aRequest, runLoad, TIMESTAMP, type LoadResult } from './rest-load.ts';

/** A call of the API beside the same bytes through a bare express echo route. */
interface RestRow {
  readonly call: string;
  readonly connections: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the server for one request. */
  readonly cpuMicros: number;
  readonly expressPerSecond: number;
  readonly expressCpuMicros: number;
  /** Requests a second as a share of bare express's. */
  readonly share: number;
  /** False: a call that is larger than what the targets speak of. */
  readonly isMeasure: boolean;
}

interface RestReport {
  readonly rows: readonly RestRow[];
  readonly requests: number;
  readonly rssMiB: number;
  readonly statsRows: number;
  readonly statsP50Ms: number;
  readonly statsP99Ms: number;
  readonly durability: string;
}

interface RestSetting {
  /** Time of each measurement. */
  readonly durationMs: number;
  /** Predictions in the store when the statistics route is measured. */
  readonly statsRows: number;
}

const KEY = 'the-key-of-the-benchmark';
const METRICS = ['cpu_usage', 'memory_usage', 'request_rate', 'error_rate', 'response_time', 'disk_io'];
const VALUES = [35, 50, 120, 0.002, 80, 1_000_000];
const BODIES = 500;
/** Requests before each measurement. */
const WARM_UP = 2_000;

/** Bodies whose samples go on in time, of 50 pods: most series are known, as in production. */
function bodies(metrics: number, lines: number): readonly string[] {
  return Array.from({ length: BODIES }, (_, i) => {
    const timestamp = TIMESTAMP;
    const body = {
      metrics: Array.from({ length: metrics }, (_unused, m) => ({
        metric_type: METRICS[m % METRICS.length],
        value: (VALUES[m % VALUES.length] ?? 1) * (1 + ((i * 7 + m) % 11) / 100),
        timestamp,
        labels: { pod: `api-${(i + Math.floor(m / METRICS.length)) % 50}`, namespace: 'shop' },
      })),
      ...(lines === 0
        ? {}
        : {
            logs: Array.from({ length: lines }, (_unused, l) => ({
              timestamp,
              level: l % 5 === 0 ? 'warn' : 'info',
              message: `GET /cart/${i * l} answered 200 after ${l} ms`,
              service: 'checkout',
            })),
          }),
    };
    return JSON.stringify(body);
  });
}

const CALLS: readonly (readonly [name: string, path: string, bodies: readonly string[]])[] = [
  ['detect-anomaly, 1 metric', '/api/v1/detect-anomaly', bodies(1, 0)],
  ['detect-anomaly, 6 metrics', '/api/v1/detect-anomaly', bodies(6, 0)],
  ['detect-anomaly, 60 metrics', '/api/v1/detect-anomaly', bodies(60, 0)],
  ['detect-anomaly, 600 metrics', '/api/v1/detect-anomaly', bodies(600, 0)],
  ['detect-failure, 6 metrics, 20 lines', '/api/v1/detect-failure', bodies(6, 20)],
];

/** Measures the REST API against a bare express route, in turn and in the same run. */
async function benchRest(setting: RestSetting): Promise<RestReport> {
  const folder = mkdtempSync(join(tmpdir(), 'aegis-bench-'));
  const file = join(folder, 'aegis.db');
  const aegis = await startServer('aegis', file);
  const express = await startServer('express', '');
  try {
    const rows: RestRow[] = [];
    let requests = 0;
    for (const [call, path, texts] of CALLS) {
      for (const connections of [1, 20]) {
        const ours = await measure(aegis, path, texts, connections, setting.durationMs);
        const bare = await measure(express, '/echo', texts, connections, setting.durationMs);
        requests += ours.requests;
        rows.push({
          call,
          connections,
          perSecond: ours.perSecond,
          p50Ms: ours.p50Ms,
          p99Ms: ours.p99Ms,
          cpuMicros: ours.cpuMicros,
          expressPerSecond: bare.perSecond,
          expressCpuMicros: bare.cpuMicros,
          share: ours.perSecond / bare.perSecond,
          isMeasure: !call.includes('600'),
        });
      }
    }
    const { rss } = await aegis.stats();
    const stored = await addPredictions(file, setting.statsRows);
    const stats = await runLoad({
      port: aegis.port,
      connections: 1,
      durationMs: setting.durationMs,
      requests: [aRequest('GET', '/api/v1/metrics/stats', KEY)],
    });
    return {
      rows,
      requests,
      rssMiB: rss / 2 ** 20,
      statsRows: stored,
      statsP50Ms: stats.p50Ms,
      statsP99Ms: stats.p99Ms,
      durability: 'predictions are written in batches within 100 ms and synced at checkpoints',
    };
  } finally {
    aegis.child.disconnect();
    express.child.disconnect();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Server {
  readonly child: ChildProcess;
  readonly port: number;
  stats(): Promise<{ readonly cpu: NodeJS.CpuUsage; readonly rss: number }>;
}

async function startServer(kind: string, file: string): Promise<Server> {
  const child = fork(fileURLToPath(new URL('./rest-server.ts', import.meta.url)), [kind, file, KEY]);
  let isStopping = false;
  child.once('disconnect', () => (isStopping = true));
  child.once('exit', (code) => {
    if (!isStopping) throw new Error(`the ${kind} server ended with ${code}`);
  });
  const message = <T>(): Promise<T> => new Promise((resolve) => child.once('message', (value) => resolve(value as T)));
  const { port } = await message<{ port: number }>();
  return {
    child,
    port,
    stats: () => {
      const answer = message<{ cpu: NodeJS.CpuUsage; rss: number }>();
      child.send('stats');
      return answer;
    },
  };
}

async function measure(
  server: Server,
  path: string,
  texts: readonly string[],
  connections: number,
  durationMs: number,
): Promise<LoadResult & { readonly cpuMicros: number }> {
  const load = { port: server.port, connections, requests: texts.map((text) => aRequest('POST', path, KEY, text)) };
  // Warm by number, not by time: a server that is still being compiled is not what is measured.
  for (let sent = 0, rounds = 0; sent < WARM_UP && rounds < 20; rounds += 1) {
    sent += (await runLoad({ ...load, durationMs: durationMs / 4 })).requests;
  }
  const before = await server.stats();
  const result = await runLoad({ ...load, durationMs });
  const after = await server.stats();
  const wrong = Object.keys(result.statuses).filter((status) => status !== '200');
  if (wrong.length > 0) throw new Error(`${path} answered ${JSON.stringify(result.statuses)}`);
  const cpu = after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system;
  return { ...result, cpuMicros: cpu / result.requests };
}

/** Fills the store up to `rows` predictions, counters included, beside the running server. */
async function addPredictions(file: string, rows: number): Promise<number> {
  // What the server still holds back is written within this time; then the file is ours for a moment.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const database = new DatabaseSync(file);
  database.exec('pragma busy_timeout = 10000');
  const present = (database.prepare(`select value as n from counter where name = 'predictions'`).get() as { n: number })
    .n;
  const missing = Math.max(0, rows - present);
  const now = Date.now();
  database.exec(`begin immediate;
    with recursive n(i) as (select 1 union all select i + 1 from n where i < ${missing})
      insert into prediction (id, at_ms, model_type, severity_score, recommended_action, anomalous, body)
      select 'bench-' || i, ${now} - i * 60, 'anomaly', 0.1, 'no_action', 0, '{"is_anomaly":false}' from n where ${missing} > 0;
    insert into prediction_minute (minute, n)
      select at_ms / 60000, count(*) from prediction where id like 'bench-%' group by 1
      on conflict (minute) do update set n = n + excluded.n;
    update counter set value = value + ${missing} where name = 'predictions';
    commit`);
  database.close();
  return present + missing;
}

/** Seconds of each measurement; a third of what a quiet machine needs to settle is enough to see a regression. */
const DURATION_MS = 3_000;

/** The REST API in the registry of benchmarks. */
export const restBench: Bench = {
  name: 'rest',
  about: 'detect calls against a bare express route in the same run, statistics with 10^6 predictions stored, memory',
  run: async () => {
    const report = await benchRest({ durationMs: DURATION_MS, statsRows: 1_000_000 });
    return { set: 'REST API', figures: figuresOf(report), lines: linesOf(report) };
  },
};

function figuresOf(report: RestReport): readonly Figure[] {
  const rows = report.rows.flatMap((row): Figure[] => {
    const name = `${row.call}, ${row.connections} conn.`;
    const share: Figure = {
      name: `${name}: share of express's requests/s`,
      value: row.share,
      unit: '',
      ...(row.isMeasure ? { target: { kind: 'min', value: 0.5 } as const } : {}),
    };
    if (row.connections !== 1) return [share];
    const [p50, p99] = row.isMeasure ? [0.3, 3] : [undefined, 20];
    return [
      share,
      { name: `${name}: p50`, value: row.p50Ms, unit: 'ms', ...(p50 === undefined ? {} : most(p50)) },
      { name: `${name}: p99`, value: row.p99Ms, unit: 'ms', ...most(p99) },
    ];
  });
  return [
    ...rows,
    {
      name: 'memory after all requests',
      value: report.rssMiB,
      unit: 'MiB',
      ...most(150),
      note: `${report.requests} requests`,
    },
    {
      name: 'statistics, p50',
      value: report.statsP50Ms,
      unit: 'ms',
      ...most(2),
      note: `${report.statsRows} predictions`,
    },
    { name: 'statistics, p99', value: report.statsP99Ms, unit: 'ms' },
  ];
}

const most = (value: number): Pick<Figure, 'target'> => ({ target: { kind: 'max', value } });

/** What stands beside each figure: requests a second and processor time of both servers. */
function linesOf(report: RestReport): readonly string[] {
  const f = (value: number, digits: number, width: number): string => value.toFixed(digits).padStart(width);
  return [
    `${'call'.padEnd(36)} conns     req/s   p50 ms   p99 ms  cpu us |  express req/s  cpu us`,
    ...report.rows.map(
      (r) =>
        `${r.call.padEnd(36)} ${f(r.connections, 0, 5)} ${f(r.perSecond, 0, 9)} ${f(r.p50Ms, 3, 8)} ${f(r.p99Ms, 3, 8)} ` +
        `${f(r.cpuMicros, 0, 7)} | ${f(r.expressPerSecond, 0, 14)} ${f(r.expressCpuMicros, 0, 7)}`,
    ),
    `durability: ${report.durability}`,
  ];
}
