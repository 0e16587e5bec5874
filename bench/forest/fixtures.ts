import { createHash } from 'node:crypto';
import { seededRandom } from '../../src/lib/seeded-random.ts';
import type { RandomStream } from '../../src/lib/seeded-random.ts';

/** Rows to learn from and rows to judge, with the truth about the latter. A forest never sees the truth. */
export interface ForestFixture {
  readonly name: string;
  readonly seed: number;
  readonly columns: number;
  /** Row-major singles: what every forest of the comparison is given. */
  readonly train: Float32Array;
  readonly test: Float32Array;
  /** 1: this row of `test` is an anomaly. */
  readonly labels: Uint8Array;
}

/** One kind of data, which many seeds make concrete. */
interface FixtureKind {
  readonly name: string;
  readonly columns: number;
  readonly ordinary: (random: RandomStream) => readonly number[];
  /** The i-th anomaly. */
  readonly anomaly: (random: RandomStream, i: number) => readonly number[];
  readonly rows: number;
  readonly anomalies: number;
  /** Training on the rows that are judged, anomalies and all, as `fit` on a window does; otherwise on clean rows. */
  readonly isContaminated: boolean;
}

/** Data seeds of each kind. The detector's constants were chosen on the seeds 11 to 15; these are others. */
const FIXTURE_SEEDS: readonly number[] = [21, 22, 23, 24, 25];

const times = (count: number, draw: (i: number) => number): number[] =>
  Array.from({ length: count }, (_, i) => draw(i));
const normals = (random: RandomStream, count: number, mean = 0, sigma = 1): number[] =>
  times(count, () => mean + sigma * random.normal());

/** A direction of the sphere, as long as wanted. */
function away(random: RandomStream, columns: number, length: number): number[] {
  const raw = normals(random, columns);
  const norm = Math.hypot(...raw) || 1;
  return raw.map((value) => (length * value) / norm);
}

/** cpu, memory, disk, errors, latency and requests of a pod: all but memory follow the requests. */
function pod(random: RandomStream): number[] {
  const load = 100 * Math.exp(0.35 * random.normal());
  return [
    5 + 0.3 * load + 1.5 * random.normal(),
    420 + 12 * random.normal(),
    2e4 + 900 * load + 8e3 * random.normal(),
    0.2 * Math.exp(0.5 * random.normal()),
    18 + 0.12 * load + 2 * random.normal(),
    load,
  ];
}

/** What goes wrong with a pod, one after the other: a leak, a loop, slowness, errors, a load that nobody works for. */
function illPod(random: RandomStream, i: number): number[] {
  const [cpu = 0, memory = 0, disk = 0, errors = 0, latency = 0, load = 0] = pod(random);
  const kinds = [
    [cpu, memory + 60, disk, errors, latency, load],
    [cpu + 18, memory, disk, errors, latency + 4, load],
    [cpu, memory, disk, errors, latency + 22, load],
    [cpu, memory, disk, errors + 2, latency, load],
    [8 + random.normal(), memory, disk, errors, latency, load * 1.6],
  ];
  return kinds[i % kinds.length] ?? [];
}

const CENTRES = [
  [0, 0, 0, 0],
  [8, 8, 0, 4],
  [0, 8, 8, -4],
];

const KINDS: readonly FixtureKind[] = [
  {
    name: 'global: far from one cloud',
    columns: 6,
    rows: 500,
    anomalies: 25,
    isContaminated: true,
    ordinary: (random) => normals(random, 6),
    anomaly: (random) => away(random, 6, 4 + 2 * random.next()),
  },
  {
    name: 'correlated: the correlation breaks, no single value is odd',
    columns: 4,
    rows: 500,
    anomalies: 20,
    isContaminated: true,
    ordinary: (random) => {
      const [a, b] = [random.normal(), random.normal()];
      return [a, a + 0.15 * random.normal(), b, 0.15 * random.normal() - b];
    },
    anomaly: (random) => {
      const [a, b] = [random.normal(), random.normal()];
      const sign = random.next() < 0.5 ? -1 : 1;
      return [a, a - sign * (1.2 + random.next()), b, -b + sign * (1.2 + random.next())];
    },
  },
  {
    name: 'clustered: between three clouds',
    columns: 4,
    rows: 600,
    anomalies: 24,
    isContaminated: true,
    ordinary: (random) => (CENTRES[random.below(3)] ?? []).map((centre) => centre + 0.8 * random.normal()),
    anomaly: (random) => times(4, (i) => (i === 3 ? -4 : 0) + 8 * random.next()),
  },
  {
    name: 'local: beside a dense cloud, near a wide one',
    columns: 3,
    rows: 600,
    anomalies: 24,
    isContaminated: true,
    ordinary: (random) => (random.next() < 0.5 ? normals(random, 3, 0, 0.25) : normals(random, 3, 7, 2)),
    anomaly: (random) => away(random, 3, 1.5 + random.next()),
  },
  {
    name: 'masked: the anomalies are a cloud of their own',
    columns: 5,
    rows: 500,
    anomalies: 40,
    isContaminated: true,
    ordinary: (random) => normals(random, 5),
    anomaly: (random) => [3.5, 3.5, -3.5, 0, 0].map((centre) => centre + 0.2 * random.normal()),
  },
  {
    name: 'constant columns: half of them never move',
    columns: 6,
    rows: 400,
    anomalies: 20,
    isContaminated: true,
    ordinary: (random) => [7, random.normal(), 0, random.normal(), 1e6, random.normal()],
    anomaly: (random) => {
      const [a = 0, b = 0, c = 0] = away(random, 3, 3.5 + random.next());
      return [7, a, 0, b, 1e6, c];
    },
  },
  {
    name: 'constant in training: the column moves for the first time',
    columns: 4,
    rows: 400,
    anomalies: 20,
    isContaminated: false,
    ordinary: (random) => [0, random.normal(), random.normal(), 50],
    anomaly: (random, i) => (i % 2 === 0 ? [2, ...normals(random, 2), 50] : [0, ...normals(random, 2), 40]),
  },
  {
    name: 'high dimension: 3 of 30 columns are off',
    columns: 30,
    rows: 500,
    anomalies: 20,
    isContaminated: true,
    ordinary: (random) => normals(random, 30),
    anomaly: (random) => {
      const row = normals(random, 30);
      for (let i = 0; i < 3; i++) row[random.below(30)] = (random.next() < 0.5 ? -1 : 1) * (3.5 + random.next());
      return row;
    },
  },
  {
    name: 'skewed: long tails are ordinary',
    columns: 5,
    rows: 500,
    anomalies: 20,
    isContaminated: true,
    ordinary: (random) => times(5, () => Math.exp(0.6 * random.normal())),
    anomaly: (random) => times(5, () => 2.5 * Math.exp(0.3 * random.normal())),
  },
  {
    name: 'counts: whole numbers with many equal rows',
    columns: 5,
    rows: 500,
    anomalies: 20,
    isContaminated: true,
    ordinary: (random) => times(5, () => Math.floor(-1.5 * Math.log(1 - random.next()))),
    anomaly: (random) => times(5, (i) => (i < 2 ? 5 + random.below(3) : random.below(3))),
  },
  {
    name: 'pods: cpu, memory, disk, errors and latency follow the requests',
    columns: 6,
    rows: 500,
    anomalies: 25,
    isContaminated: true,
    ordinary: pod,
    anomaly: illPod,
  },
  {
    name: 'pods, learnt from healthy ones',
    columns: 6,
    rows: 256,
    anomalies: 20,
    isContaminated: false,
    ordinary: pod,
    anomaly: illPod,
  },
];

/** Every kind with every data seed. Equal on every machine but for the last bit of logarithms. */
export function forestFixtures(): readonly ForestFixture[] {
  return KINDS.flatMap((kind, k) => FIXTURE_SEEDS.map((seed) => draw(kind, k, seed)));
}

function draw(kind: FixtureKind, k: number, seed: number): ForestFixture {
  const random = seededRandom(1000 * k + seed);
  const judged = kind.rows + kind.anomalies;
  const order = times(judged, (i) => i);
  for (let i = judged - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
  const labels = Uint8Array.from(order, (i) => (i < kind.anomalies ? 1 : 0));
  const rowOf = (i: number): readonly number[] =>
    i < kind.anomalies ? kind.anomaly(random, i) : kind.ordinary(random);
  const test = Float32Array.from(order.flatMap(rowOf));
  const clean = (): Float32Array => Float32Array.from(times(kind.rows, (i) => i).flatMap(() => kind.ordinary(random)));
  const train = kind.isContaminated ? test : clean();
  return { name: kind.name, seed, columns: kind.columns, train, test, labels };
}

/** Fingerprint of the data of all fixtures: results stored for other data must not be compared. */
export function fixturesDigest(fixtures: readonly ForestFixture[]): string {
  const hash = createHash('sha256');
  for (const { name, seed, train, test, labels } of fixtures) {
    hash.update(`${name} ${seed}\n`);
    for (const values of [train, test]) hash.update([...values].map((value) => value.toPrecision(5)).join());
    hash.update(labels);
  }
  return hash.digest('hex').slice(0, 16);
}
