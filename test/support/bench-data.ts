import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { seededRandom } from '../../src/lib/seeded-random.ts';

/** Tiny made-up data in the layouts of the benchmark's sets, under names that no published set has. */
export function put(folder: string, path: string, text: string): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

const csv = (rows: readonly (readonly (string | number)[])[]): string =>
  rows.map((row) => `${row.join(',')}\n`).join('');
const stampOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 19).replace('T', ' ');
const START_MS = Date.parse('2030-01-01T00:00:00Z');
const STEP_MS = 300_000;

/** A calm stream that jumps between two rows. */
export function jumpingStream(rows: number, from: number, to: number, seed = 1): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: rows }, (_, i) => 10 + random.normal() + (i >= from && i < to ? 15 : 0));
}

export interface TinyNabFile {
  readonly name: string;
  readonly values: readonly number[];
  /** Inclusive row ranges. */
  readonly windows: readonly (readonly [number, number])[];
}

export function putNab(folder: string, files: readonly TinyNabFile[]): void {
  const windows = Object.fromEntries(
    files.map(({ name, windows: ranges }) => [
      name,
      ranges.map((range) => range.map((row) => `${stampOf(START_MS + row * STEP_MS)}.000000`)),
    ]),
  );
  put(folder, 'windows.json', JSON.stringify(windows));
  for (const { name, values } of files) {
    const rows = values.map((value, i) => [stampOf(START_MS + i * STEP_MS), value] as const);
    put(folder, `data/${name}`, csv([['timestamp', 'value'], ...rows]));
  }
}

/** A detector's published file, with what NAB's scorer made of each row in the standard profile. */
export function putNabPeer(
  folder: string,
  peer: string,
  name: string,
  rows: readonly { readonly score: number; readonly credit: number }[],
): void {
  const [category = '', file = ''] = name.split('/');
  const lines = rows.map(({ score, credit }, i) => [stampOf(START_MS + i * STEP_MS), 0, score, 0, credit] as const);
  const header = ['timestamp', 'value', 'anomaly_score', 'label', 'S(t)_standard'];
  put(folder, `results/${peer}/${category}/${peer}_${file}`, csv([header, ...lines]));
}

export function putKpi(folder: string): void {
  const values = jumpingStream(600, 500, 505);
  const rows = values.map((value, i) => [(START_MS + i * STEP_MS) / 1000, value, i >= 500 && i < 505 ? 1 : 0] as const);
  put(folder, 'some-load.csv', csv([['timestamp', 'value', 'label'], ...rows]));
}

/** One service of three whose cpu goes up, and one whose memory does. */
export function putSockShop(folder: string): void {
  const random = seededRandom(3);
  for (const [service, fault] of [
    ['till', 'cpu'],
    ['front-desk', 'mem'],
  ] as const) {
    const columns = ['till', 'front-desk', 'depot'].flatMap((name) => [`${name}_cpu`, `${name}_mem`]);
    const table = (isFault: boolean): string =>
      csv([
        ['time', ...columns],
        ...Array.from({ length: 60 }, (_, i) => [
          (isFault ? 5000 : 1000) + i,
          ...columns.map((name) => {
            const size = name.endsWith('_mem') ? 1e8 : 5;
            return size * (1 + 0.02 * random.normal()) * (isFault && name === `${service}_${fault}` ? 6 : 1);
          }),
        ]),
      ]);
    put(folder, `${service}-${fault}/7/normal.csv`, table(false));
    put(folder, `${service}-${fault}/7/anomalous.csv`, table(true));
  }
}

const podOf = (service: string): string => `${service}-5f6585d649-fnmft`;

/** A day with measured edges and a cpu fault, and a day with logs and an error in code. */
export function putNezha(folder: string): void {
  const random = seededRandom(4);
  const faultMs = START_MS + 60 * 60_000;
  const inject = (service: string, type: string): string =>
    JSON.stringify({
      '01': [{ inject_time: stampOf(faultMs), inject_timestamp: '0', inject_pod: podOf(service), inject_type: type }],
    });
  const minutes = Array.from({ length: 70 }, (_, i) => START_MS + i * 60_000);
  const timeCell = (atMs: number): string => `${stampOf(atMs)}.5 +0000 UTC m=+1`;
  const services = ['shelf', 'basket', 'door'];
  for (const [day, culprit, type] of [
    ['1999-01-01', 'basket', 'cpu_contention'],
    ['1999-02-02', 'shelf', 'exception'],
  ] as const) {
    const path = `rca_data/${day}`;
    put(folder, `${path}/${day}-fault_list.json`, inject(culprit, type));
    for (const service of services) {
      const rows = minutes.map((atMs) => {
        const isHot = service === culprit && type === 'cpu_contention' && atMs >= faultMs;
        return [timeCell(atMs), (isHot ? 90 : 10) + random.normal(), 30 + 0.2 * random.normal()] as const;
      });
      const header = ['Time', 'CpuUsageRate(%)', 'MemoryUsageRate(%)'];
      put(folder, `${path}/metric/${podOf(service)}_metric.csv`, csv([header, ...rows]));
    }
  }
  for (const side of ['source', 'destination']) {
    const rows = minutes.map((atMs) => [timeCell(atMs), 0, 0.004 + 0.0001 * random.normal()] as const);
    put(folder, `rca_data/1999-01-01/metric/${side}_50.csv`, csv([['time', 'timestamp', 'door_basket'], ...rows]));
  }
  putNezhaLogs(folder, faultMs);
}

/** Requests of two lines; after the fault those of `shelf` end early with another line. */
function putNezhaLogs(folder: string, faultMs: number): void {
  const rows: (readonly (string | number)[])[] = [
    ['Timestamp', 'TimeUnixNano', 'Node', 'PodName', 'Container', 'TraceID', 'SpanID', 'Log'],
  ];
  const say = (atMs: number, service: string, span: number, message: string): void => {
    rows.push([new Date(atMs).toISOString(), `${atMs}000000`, 'n', podOf(service), service, 't', `s${span}`, message]);
  };
  for (let i = 0; i < 240; i++) {
    const atMs = faultMs - 55 * 60_000 + i * 15_000;
    for (const service of ['shelf', 'basket']) {
      const span = 2 * i + (service === 'shelf' ? 0 : 1);
      const isIll = service === 'shelf' && atMs >= faultMs;
      say(atMs, service, span, 'request taken');
      say(atMs + 1, service, span, isIll ? 'exception while reading the shelf' : 'request answered');
    }
  }
  put(folder, 'rca_data/1999-02-02/log/00_00_log.csv', csv(rows));
}

/** A calls b calls c; in the issue c is slow and the others wait for it. */
export function putPetshop(folder: string): void {
  const random = seededRandom(5);
  const nodes = ['a', 'b', 'c'];
  const metrics = ['latency', 'availability', 'requests'];
  const head = (cells: (node: string, metric: string) => string): string[] =>
    metrics.flatMap((metric) => nodes.map((node) => cells(node, metric)));
  const table = (rows: number, startS: number, slow: (row: number) => number): string =>
    csv([
      ['microservice', ...head((node) => node)],
      ['metric', ...head((_, metric) => metric)],
      ['statistic', ...head((_, metric) => (metric === 'requests' ? 'Sum' : 'Average'))],
      ['unix_timestamp', ...head(() => '')],
      ...Array.from({ length: rows }, (_, i) => [
        startS + i * 300,
        ...nodes.map((_, n) => (3 - n) * 0.05 * (1 + 0.02 * random.normal()) + slow(i)),
        ...nodes.map(() => 100),
        ...nodes.map(() => 500),
      ]),
    ]);
  put(
    folder,
    'night/graph.csv',
    csv([
      ['', ...nodes],
      ['a', 0, 1, 0],
      ['b', 0, 0, 1],
      ['c', 0, 0, 0],
    ]),
  );
  put(
    folder,
    'night/noissue/metrics.csv',
    table(80, 0, () => 0),
  );
  put(
    folder,
    'night/exam/issue_9/metrics.csv',
    table(12, 100_000, (row) => (row >= 8 ? 2 : 0)),
  );
  const target = { node: 'a', metric: 'latency', agg: 'Average', timestamp: 100_000 + 8 * 300 };
  put(folder, 'night/exam/issue_9/target.json', JSON.stringify({ target, root_cause: { node: 'c', metric: null } }));
}

export function putLoghub(folder: string): void {
  const lines = Array.from({ length: 40 }, (_, i) =>
    i % 2 === 0 ? ['E1', `session ${i} opened for user root`] : ['E2', `disk sda${i} is full`],
  );
  const rows = lines.map(([event = '', content = ''], i) => [i + 1, content, event] as const);
  put(folder, 'Robots/Robots_any_structured.csv', csv([['LineId', 'Content', 'EventId'], ...rows]));
  put(folder, 'Robots/Robots_any.log', lines.map(([, content]) => content).join('\n'));
}
