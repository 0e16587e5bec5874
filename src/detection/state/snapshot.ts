import { ByteReader, ByteWriter } from './bytes.ts';
import { COARSE_SHAPE, SHAPE_SHAPE } from './coarse-record.ts';
import { SERIES_SHAPE } from './series-record.ts';
import type { SeriesTable } from './series-table.ts';
import { bytesOf } from './slab.ts';
import type { VectorModels } from './vector-models.ts';

/**
 * The engine's state as bytes: magic, version, checksum and length; sizes of the records; the series; the vector models.
 * Records are written as they lie in memory, so the magic, read as a number, also proves the byte order.
 */
export const SNAPSHOT_VERSION = 1;
const MAGIC = 0x4145_4731;
const PREAMBLE_WORDS = 4;

/** Why a snapshot was refused; the caller starts from nothing and says so. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
}

const RECORD_BYTES = [bytesOf(SERIES_SHAPE), bytesOf(COARSE_SHAPE), bytesOf(SHAPE_SHAPE)] as const;

/** Saves everything learnt. The same state gives the same bytes. */
export function writeSnapshot(table: SeriesTable, vectors: VectorModels): Uint8Array {
  const expected = table.size() * 140 + table.bytes() + vectors.bytes() + 4096;
  const writer = new ByteWriter(expected);
  for (let word = 0; word < PREAMBLE_WORDS; word++) writer.u32(0);
  for (const size of RECORD_BYTES) writer.u32(size);
  table.write(writer);
  vectors.write(writer);
  const bytes = writer.finish();
  const words = new Uint32Array(bytes.buffer, 0, bytes.length / 4);
  words.set([MAGIC, SNAPSHOT_VERSION, checksum(words), bytes.length]);
  return bytes;
}

/** Replaces the state. Throws `SnapshotError`, and leaves the state as it was, if the bytes are not whole. */
export function readSnapshot(bytes: Uint8Array, table: SeriesTable, vectors: VectorModels): void {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  prove(aligned);
  const reader = new ByteReader(aligned, PREAMBLE_WORDS * 4);
  for (const size of RECORD_BYTES) {
    const saved = reader.u32();
    if (saved !== size) throw new SnapshotError(`records of ${saved} bytes; this engine has ${size}`);
  }
  table.clear();
  table.read(reader);
  vectors.read(reader);
}

function prove(bytes: Uint8Array): void {
  if (bytes.length < PREAMBLE_WORDS * 4 || bytes.length % 4 !== 0) throw new SnapshotError('too short or cut off');
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const [magic, version, sum, length] = words;
  if (magic !== MAGIC) throw new SnapshotError('not a snapshot of the engine on a machine of this byte order');
  if (version !== SNAPSHOT_VERSION) {
    throw new SnapshotError(`version ${version} is not known; this engine reads version ${SNAPSHOT_VERSION}`);
  }
  if (length !== bytes.length) throw new SnapshotError(`cut off: ${bytes.length} of ${length} bytes`);
  if (sum !== checksum(words)) throw new SnapshotError('damaged: the checksum does not match');
}

/** FNV-1a by words over everything after the preamble. */
function checksum(words: Uint32Array): number {
  let sum = 0x811c9dc5;
  for (let i = PREAMBLE_WORDS; i < words.length; i++) sum = Math.imul(sum ^ (words[i] ?? 0), 0x01000193);
  return sum >>> 0;
}
