import type { SeriesTable } from './series-table.ts';

/**
 * The engine's state as bytes: magic, version, checksum and length of the rest; then a JSON header (keys in their
 * order, record size) and the raw records. Numbers are in the machine's byte order; the magic proves it on reading.
 */
export const SNAPSHOT_VERSION = 1;
const MAGIC = 0x41_45_47_31;
const PREAMBLE = 16;

/** Why a snapshot was refused; the caller starts from nothing and says so. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
}

interface Header {
  readonly recordBytes: number;
  readonly keys: readonly string[];
}

/** Saves every series. The same state gives the same bytes. */
export function writeSnapshot(table: SeriesTable): Uint8Array {
  const entries = [...table.entries()];
  const header: Header = { recordBytes: table.recordBytes(), keys: entries.map(([key]) => key) };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = Math.ceil((text.length + 4) / 4) * 4;
  const bytes = new Uint8Array(Math.ceil((PREAMBLE + headerBytes + entries.length * header.recordBytes) / 4) * 4);
  const words = new Uint32Array(bytes.buffer);
  words[4] = text.length;
  bytes.set(text, PREAMBLE + 4);
  let at = PREAMBLE + headerBytes;
  for (const [, slot] of entries) at = table.slab.write(slot, bytes, at);
  words.set([MAGIC, SNAPSHOT_VERSION, checksum(words), bytes.length]);
  return bytes;
}

/** Replaces the table's state. Throws `SnapshotError`, and leaves the table as it was, if the bytes are not whole. */
export function readSnapshot(bytes: Uint8Array, table: SeriesTable): void {
  const { header, recordsAt, whole } = parse(bytes, table.recordBytes());
  table.clear();
  let at = recordsAt;
  for (const key of header.keys) at = table.slab.read(table.open(key), whole, at);
}

function parse(bytes: Uint8Array, recordBytes: number): { header: Header; recordsAt: number; whole: Uint8Array } {
  if (bytes.length < PREAMBLE + 4 || bytes.length % 4 !== 0) throw new SnapshotError('too short to be a snapshot');
  const whole = bytes.slice();
  const words = new Uint32Array(whole.buffer);
  const [magic, version, sum, length, textLength = 0] = words;
  if (magic !== MAGIC) throw new SnapshotError('not a snapshot of this machine’s byte order');
  if (version !== SNAPSHOT_VERSION) {
    throw new SnapshotError(`version ${version} is not known; this engine reads version ${SNAPSHOT_VERSION}`);
  }
  if (length !== whole.length) throw new SnapshotError(`cut off: ${whole.length} of ${length} bytes`);
  if (sum !== checksum(words)) throw new SnapshotError('damaged: the checksum does not match');
  const header = JSON.parse(
    new TextDecoder().decode(whole.subarray(PREAMBLE + 4, PREAMBLE + 4 + textLength)),
  ) as Header;
  if (header.recordBytes !== recordBytes) {
    throw new SnapshotError(`records of ${header.recordBytes} bytes; this engine has ${recordBytes}`);
  }
  return { header, recordsAt: PREAMBLE + Math.ceil((textLength + 4) / 4) * 4, whole };
}

/** FNV-1a by words over everything after the preamble's first four. */
function checksum(words: Uint32Array): number {
  let sum = 0x811c9dc5;
  for (let i = PREAMBLE / 4; i < words.length; i++) sum = Math.imul(sum ^ (words[i] ?? 0), 0x01000193);
  return sum >>> 0;
}
