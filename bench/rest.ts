import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../src/lib/thrown.ts';
import { quantileOfSorted } from '../src/detection/statistics/quantile.ts';
import { DATABASE_FILE } from '../src/store/store.ts';
import type { Bench, Figure, Report } from './registry.ts';
import { buildRelease } from './release.ts';
import { CALLS, KEY, type Call } from './rest-calls.ts';
import { aRequest, runLoad } from './rest-load.ts';
import { memoryCourse, type MemoryCourse } from './rest-memory.ts';
import { measureInTurn, medianRatio, type ServerFigures } from './rest-pairs.ts';
import { besidePython } from './rest-python.ts';
import { startPeer, startRelease, type Server } from './rest-servers.ts';
import { addPredictions } from './rest-stored.ts';

const ROUNDS = 7;
const SLICE_MS = 500;
/** Requests of the long run, unless `--requests` says otherwise. */
const LONG_RUN = 1_000_000;
const STORED_ROWS = 1_000_000;

/** A kind of call at some number of connections, beside the same bytes through bare echo routes. */
interface Row {
  readonly call: Call;
  readonly connections: number;
  readonly ours: ServerFigures;
  readonly express: ServerFigures;
  readonly fastify: ServerFigures;
}

/** The REST API in the registry of benchmarks. */
export const restBench: Bench = {
  name: 'rest',
  about: 'the release: detect calls beside bare express and fastify, memory over 10^6 requests, statistics; --python',
  run: async ({ requests = LONG_RUN, python = false }) => {
    const folder = mkdtempSync(join(tmpdir(), 'aegis-bench-'));
    try {
      const main = await buildRelease(join(folder, 'app'));
      const beside = (work: (server: Server, own: string) => Promise<Part>) => (name: string) => {
        const own = join(folder, name);
        return withServer(main, own, (server) => work(server, own));
      };
      const parts = [
        await measured('calls', beside(calls)),
        await measured(
          'long',
          beside((server) => longRun(server, requests)),
        ),
        await measured('stored', beside(statistics)),
        ...(python ? [await measured('python', () => besidePython(main, folder))] : []),
      ];
      return {
        set: 'REST API',
        figures: parts.flatMap(({ figures }) => figures),
        lines: parts.flatMap(({ lines }) => lines),
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

type Part = Pick<Report, 'figures' | 'lines'>;

/** A part that cannot be measured takes no other with it; each is printed as soon as it ends, for who watches. */
async function measured(name: string, measure: (name: string) => Promise<Part>): Promise<Part> {
  try {
    const part = await measure(name);
    for (const line of part.lines) console.error(line);
    return part;
  } catch (thrown) {
    return { figures: [{ name, value: NaN, unit: '', ...least(1), note: messageOf(thrown) }], lines: [] };
  }
}

async function withServer<T>(main: string, folder: string, work: (server: Server) => Promise<T>): Promise<T> {
  mkdirSync(folder, { recursive: true });
  const server = await startRelease(main, folder);
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}

const calls = async (server: Server): Promise<Part> => reportOfCalls(await callRows(server));

async function callRows(server: Server): Promise<readonly Row[]> {
  const [express, fastify] = [await startPeer('express'), await startPeer('fastify')];
  try {
    const rows: Row[] = [];
    for (const call of CALLS) {
      for (const connections of [1, 20]) {
        const contenders = [{ server }, { server: express, path: '/echo' }, { server: fastify, path: '/echo' }];
        const measured = await measureInTurn(call, contenders, { connections, rounds: ROUNDS, sliceMs: SLICE_MS });
        const [ours, ofExpress, ofFastify] = measured;
        if (ours !== undefined && ofExpress !== undefined && ofFastify !== undefined) {
          rows.push({ call, connections, ours, express: ofExpress, fastify: ofFastify });
        }
      }
    }
    return rows;
  } finally {
    await express.stop();
    await fastify.stop();
  }
}

const most = (value: number): Pick<Figure, 'target'> => ({ target: { kind: 'max', value } });
const least = (value: number): Pick<Figure, 'target'> => ({ target: { kind: 'min', value } });

function reportOfCalls(rows: readonly Row[]): Part {
  const f = (value: number, digits: number, width: number): string => value.toFixed(digits).padStart(width);
  return {
    figures: rows.flatMap(figuresOf),
    lines: [
      `${'call'.padEnd(36)} conns     req/s   p50 ms   p99 ms  cpu us | express req/s  p99 ms  cpu us | fastify req/s  cpu us`,
      ...rows.map(
        ({ call, connections, ours, express, fastify }) =>
          `${call.name.padEnd(36)} ${f(connections, 0, 5)} ${f(ours.perSecond, 0, 9)} ${f(ours.p50Ms, 3, 8)} ${f(ours.p99Ms, 3, 8)} ` +
          `${f(ours.cpuMicros, 0, 7)} | ${f(express.perSecond, 0, 13)} ${f(express.p99Ms, 2, 7)} ${f(express.cpuMicros, 0, 7)} | ` +
          `${f(fastify.perSecond, 0, 13)} ${f(fastify.cpuMicros, 0, 7)}`,
      ),
      'peers run with Node’s own options; the release runs with those of the compose file, which trade speed for memory',
      'durability: predictions are written in batches within 100 ms and synced at checkpoints',
    ],
  };
}

function figuresOf({ call, connections, ours, express, fastify }: Row): readonly Figure[] {
  const name = `${call.name}, ${connections} conn.`;
  const share = medianRatio(ours, express, ({ perSecond }) => perSecond);
  const cpu = medianRatio(ours, express, ({ cpuMicros }) => cpuMicros);
  const ofFastify = medianRatio(ours, fastify, ({ perSecond }) => perSecond);
  const [leastShare, mostCpu] = call.isMeasure ? [least(0.5), most(2)] : [{}, {}];
  const rates: readonly Figure[] = [
    {
      ...{ name: `${name}: share of express's requests/s`, value: share, unit: '', ...leastShare },
      note: `${ofFastify.toFixed(2)} of fastify's`,
    },
    { name: `${name}: CPU of a request over express's`, value: cpu, unit: '', ...mostCpu },
  ];
  if (connections !== 1) return rates;
  return [
    ...rates,
    { name: `${name}: p50`, value: ours.p50Ms, unit: 'ms', ...(call.isMeasure ? most(0.3) : {}) },
    { name: `${name}: p99`, value: ours.p99Ms, unit: 'ms', ...most(call.isMeasure ? 3 : 20) },
  ];
}

async function longRun(server: Server, requests: number): Promise<Part> {
  const course = await memoryCourse(server, requests);
  const note = `${requests.toLocaleString('en-US')} requests, one in ten of a label set never seen before`;
  return {
    figures: [
      { name: 'resident memory, highest', value: course.peakMiB, unit: 'MiB', ...most(150), note },
      { name: 'resident memory at the end', value: course.lastMiB, unit: 'MiB', ...most(150) },
      { name: 'its growth over the second half', value: course.growthPerMillion, unit: 'MiB/10^6', ...most(10) },
    ],
    lines: [lineOf(course)],
  };
}

const lineOf = ({ points }: MemoryCourse): string =>
  `memory in MiB after thousands of requests: ${points
    .map(({ requests, rssMiB }) => `${Math.round(requests / 1000)}: ${rssMiB.toFixed(0)}`)
    .join(', ')}`;

async function statistics(server: Server, folder: string): Promise<Part> {
  const rows = await addPredictions(join(folder, DATABASE_FILE), STORED_ROWS);
  const requests = [aRequest('GET', '/api/v1/metrics/stats', KEY)];
  const { latenciesMs } = await runLoad({ port: server.port, connections: 1, durationMs: 3_000, requests });
  const [p50, p99] = [0.5, 0.99].map((q) => quantileOfSorted(latenciesMs, q));
  return {
    figures: [
      { name: 'statistics, p50', value: p50 ?? NaN, unit: 'ms', ...most(2), note: `${rows} predictions stored` },
      { name: 'statistics, p99', value: p99 ?? NaN, unit: 'ms' },
    ],
    lines: [],
  };
}
