import { hashParts } from '../../lib/hash.ts';
import { seededRandom } from '../../lib/seeded-random.ts';
import { trainVector, vectorRatio, vectorShares } from '../detectors/vector.ts';
import type { VectorModel } from '../detectors/vector.ts';
import { scoreOfRatio } from '../statistics/score-of-ratio.ts';
import type { VectorScore } from '../verdict.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { readVectorModel, writeVectorModel } from './vector-model-bytes.ts';

/** Rows kept of a workload's pods; about the last 8,192 have the same chance to be among them. */
const RESERVOIR = 256;
const HORIZON = 8192;
const FIRST_TRAINING = 64;
const RETRAIN_EVERY = 512;
const ABANDONED_MS = 600_000;

interface Vectors {
  readonly columns: readonly string[];
  readonly rows: Float32Array;
  readonly loads: Float64Array;
  readonly seed: number;
  seen: number;
  seenAtMs: number;
  /** Newest first; the older one must agree before a row is called odd. */
  models: readonly VectorModel[];
}

/** One pod's row: values in the order of the columns, and its load (0 where the policy has no load metric). */
export interface VectorRow {
  readonly columns: readonly string[];
  readonly values: Float32Array;
  readonly load: number;
}

/**
 * A vector model per workload, trained from a reservoir of its healthy pods' rows. Training replaces the older of two
 * models: what was learnt before is never lost at once. Bounded: workloads beyond `limit` get no vector score.
 */
export class VectorModels {
  private readonly seed: number;
  private readonly limit: number;
  private readonly known = new Map<string, Vectors>();

  constructor(seed: number, limit: number) {
    this.seed = seed;
    this.limit = limit;
  }

  /** The row against the workload's models; `undefined` before the first training. */
  score(workloadUid: string, row: VectorRow, nowMs: number): VectorScore | undefined {
    const vectors = this.known.get(workloadUid);
    if (vectors === undefined || !sameColumns(vectors.columns, row.columns)) return undefined;
    vectors.seenAtMs = nowMs;
    const [newest] = vectors.models;
    if (newest === undefined) return undefined;
    const ratio = Math.min(...vectors.models.map((model) => vectorRatio(model, row.values, row.load)));
    const shares = vectorShares(newest, row.values, row.load);
    const contributions = Object.fromEntries(row.columns.map((column, i) => [column, shares[i] ?? 0]));
    return { score: scoreOfRatio(ratio), samples: newest.samples, contributions };
  }

  /** Lets the row of a healthy pod in; trains when it is time. Other columns than before: starts anew. */
  teach(workloadUid: string, row: VectorRow, nowMs: number): void {
    const vectors = this.open(workloadUid, row.columns, nowMs);
    if (vectors === undefined) return;
    const place = placeOf(vectors);
    vectors.seen++;
    if (place >= 0) {
      vectors.rows.set(row.values, place * row.columns.length);
      vectors.loads[place] = row.load;
    }
    if (isTrainingTime(vectors.seen)) train(vectors);
  }

  evict(notSeenSinceMs: number): void {
    for (const [uid, vectors] of this.known) if (vectors.seenAtMs < notSeenSinceMs) this.known.delete(uid);
  }

  /** Upper estimate of a snapshot's bytes. */
  bytes(): number {
    return this.known.size * 400_000;
  }

  write(to: ByteWriter): void {
    to.u32(this.known.size);
    for (const [uid, vectors] of this.known) {
      to.text(uid);
      to.text(JSON.stringify(vectors.columns));
      to.u32(vectors.seed);
      to.u32(vectors.seen);
      to.f64(vectors.seenAtMs);
      to.array(vectors.rows);
      to.array(vectors.loads);
      to.u32(vectors.models.length);
      for (const model of vectors.models) writeVectorModel(to, model);
    }
  }

  read(from: ByteReader): void {
    this.known.clear();
    for (let left = from.u32(); left > 0; left--) {
      const uid = from.text();
      const columns = JSON.parse(from.text()) as string[];
      const [seed, seen, seenAtMs] = [from.u32(), from.u32(), from.f64()];
      const rows = new Float32Array(from.array());
      const loads = new Float64Array(from.array());
      const models = Array.from({ length: from.u32() }, () => readVectorModel(from));
      this.known.set(uid, { columns, rows, loads, seed, seen, seenAtMs, models });
    }
  }

  /** Takes over the workloads of which the other has seen more rows. */
  takeRicher(other: VectorModels): void {
    for (const [uid, vectors] of other.known) {
      const own = this.known.get(uid);
      if (own === undefined && this.known.size >= this.limit) continue;
      if (own === undefined || own.seen < vectors.seen) this.known.set(uid, vectors);
    }
  }

  private open(uid: string, columns: readonly string[], nowMs: number): Vectors | undefined {
    const found = this.known.get(uid);
    if (found !== undefined && sameColumns(found.columns, columns)) {
      found.seenAtMs = nowMs;
      return found;
    }
    if (found !== undefined && !mayReplace(found, columns, nowMs)) return undefined;
    if (found === undefined && this.known.size >= this.limit) return undefined;
    const opened: Vectors = {
      columns,
      rows: new Float32Array(RESERVOIR * columns.length),
      loads: new Float64Array(RESERVOIR),
      seed: (this.seed ^ Number.parseInt(hashParts(uid).slice(0, 8), 16)) >>> 0,
      seen: 0,
      seenAtMs: nowMs,
      models: [],
    };
    this.known.set(uid, opened);
    return opened;
  }
}

/** A pod that lacks a metric must not wipe out its workload's model; a policy that changed its metrics may. */
function mayReplace(found: Vectors, columns: readonly string[], nowMs: number): boolean {
  return columns.length > found.columns.length || nowMs - found.seenAtMs > ABANDONED_MS;
}

function sameColumns(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((column, i) => column === b[i]);
}

/** Reservoir sampling that forgets: the next free row, then a random one with a falling, never vanishing chance. */
function placeOf({ seed, seen }: Vectors): number {
  if (seen < RESERVOIR) return seen;
  const random = seededRandom(seed ^ seen);
  random.next();
  return random.next() < RESERVOIR / Math.min(seen, HORIZON) ? random.below(RESERVOIR) : -1;
}

function isTrainingTime(seen: number): boolean {
  return seen === FIRST_TRAINING || seen === 2 * FIRST_TRAINING || seen === RESERVOIR || seen % RETRAIN_EVERY === 0;
}

function train(vectors: Vectors): void {
  const rows = Math.min(vectors.seen, RESERVOIR);
  const columns = vectors.columns.length;
  const matrix = { rows, columns, values: vectors.rows.subarray(0, rows * columns) };
  const trained = trainVector(
    { matrix, loads: vectors.loads.subarray(0, rows) },
    seededRandom(vectors.seed + vectors.seen),
  );
  vectors.models = [trained, ...vectors.models].slice(0, 2);
}
