import type { Lineages } from '../lineage.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { COARSE_SHAPE, SHAPE_SHAPE } from './coarse-record.ts';
import { D, SERIES_SHAPE } from './series-record.ts';
import type { SavedShapes, SeriesTable } from './series-table.ts';
import { bytesOf } from './slab.ts';
import type { VectorModels } from './vector-models.ts';
import { WEEK_SHAPE } from './week-record.ts';

/**
 * The engine's state as bytes: magic, version, checksum and length; sizes of the records; the series; the vector models;
 * since version 2 the lineages. Records are written as they lie in memory, so the magic, read as a number, also proves
 * the byte order.
 *
 * Versions: 1, the first; 2 adds the young model's mean and variance, the slow slope, the profile of the week and the
 * lineages. An older version is migrated: its records are prefixes of the present ones, kind by kind, so fields are only
 * ever added at the end of their kind. A newer or unknown one is refused with the reason.
 */
export const SNAPSHOT_VERSION = 2;
const MAGIC = 0x4145_4731;
const PREAMBLE_WORDS = 4;

/** Why a snapshot was refused; the caller starts from nothing and says so. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
}

const PRESENT: SavedShapes = { series: SERIES_SHAPE, coarse: COARSE_SHAPE, shape: SHAPE_SHAPE, week: WEEK_SHAPE };
const NOTHING = { f64: 0, f32: 0, u32: 0, u16: 0 };

/** The records' shapes, and which of their sizes a snapshot states, by version. */
const SHAPES_OF_VERSION: Readonly<
  Record<number, { readonly shapes: SavedShapes; readonly stated: readonly number[] }>
> = {
  1: versionOf(
    {
      series: { f64: 32, f32: 296, u32: 20, u16: 624 },
      coarse: { f64: 11, f32: 60, u32: 8, u16: 176 },
      shape: { f64: 8, f32: 1024, u32: 5, u16: 384 },
      week: NOTHING,
    },
    ['series', 'coarse', 'shape'],
  ),
  [SNAPSHOT_VERSION]: versionOf(PRESENT, ['series', 'coarse', 'shape', 'week']),
};

function versionOf(
  shapes: SavedShapes,
  names: readonly (keyof SavedShapes)[],
): { readonly shapes: SavedShapes; readonly stated: readonly number[] } {
  return { shapes, stated: names.map((name) => bytesOf(shapes[name])) };
}

/** Saves everything learnt. The same state gives the same bytes. */
export function writeSnapshot(table: SeriesTable, vectors: VectorModels, lineages: Lineages): Uint8Array {
  const expected = table.size() * 140 + table.bytes() + vectors.bytes() + 4096;
  const writer = new ByteWriter(expected);
  for (let word = 0; word < PREAMBLE_WORDS; word++) writer.u32(0);
  for (const size of SHAPES_OF_VERSION[SNAPSHOT_VERSION]?.stated ?? []) writer.u32(size);
  table.write(writer);
  vectors.write(writer);
  lineages.write(writer);
  const bytes = writer.finish();
  const words = new Uint32Array(bytes.buffer, 0, bytes.length / 4);
  words.set([MAGIC, SNAPSHOT_VERSION, checksum(words), bytes.length]);
  return bytes;
}

/** Replaces the state. Throws `SnapshotError`, and leaves the state as it was, if the bytes are not whole or not known. */
export function readSnapshot(bytes: Uint8Array, table: SeriesTable, vectors: VectorModels, lineages: Lineages): void {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const { version, shapes, stated } = prove(aligned);
  const reader = new ByteReader(aligned, PREAMBLE_WORDS * 4);
  for (const size of stated) {
    const saved = reader.u32();
    if (saved !== size) throw new SnapshotError(`records of ${saved} bytes; version ${version} has ${size}`);
  }
  table.clear();
  lineages.clear();
  table.read(reader, shapes);
  vectors.read(reader);
  if (version === 1) giveYoungModels(table);
  else lineages.read(reader);
}

/** Version 1 had one model of each series' level: the young one starts as its copy. */
function giveYoungModels(table: SeriesTable): void {
  for (const slot of table.everySlot()) {
    const c = table.record(slot);
    c.f64.copyWithin(c.d + D.recent, c.d + D.value, c.d + D.value + 2);
  }
}

function prove(bytes: Uint8Array): { version: number; shapes: SavedShapes; stated: readonly number[] } {
  if (bytes.length < PREAMBLE_WORDS * 4 || bytes.length % 4 !== 0) throw new SnapshotError('too short or cut off');
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const [magic, version = 0, sum, length] = words;
  if (magic !== MAGIC) throw new SnapshotError('not a snapshot of the engine on a machine of this byte order');
  const known = SHAPES_OF_VERSION[version];
  if (known === undefined) {
    const readable = Object.keys(SHAPES_OF_VERSION).join(' and ');
    throw new SnapshotError(`version ${version} is not known; this engine reads versions ${readable}`);
  }
  if (length !== bytes.length) throw new SnapshotError(`cut off: ${bytes.length} of ${length} bytes`);
  if (sum !== checksum(words)) throw new SnapshotError('damaged: the checksum does not match');
  return { version, ...known };
}

/** FNV-1a by words over everything after the preamble. */
function checksum(words: Uint32Array): number {
  let sum = 0x811c9dc5;
  for (let i = PREAMBLE_WORDS; i < words.length; i++) sum = Math.imul(sum ^ (words[i] ?? 0), 0x01000193);
  return sum >>> 0;
}
