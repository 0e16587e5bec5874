import { COARSE_SHAPE, SHAPE_SHAPE } from './coarse-record.ts';
import { WEEK_SHAPE } from './week-record.ts';
import { D, SERIES_SHAPE, U } from './series-record.ts';
import { bytesOf, Slab } from './slab.ts';
import type { Cursor, RecordShape } from './slab.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';

/** Shapes of the records of a snapshot. */
export interface SavedShapes {
  readonly series: RecordShape;
  readonly coarse: RecordShape;
  readonly shape: RecordShape;
  readonly week: RecordShape;
}

/** Series by key, each with a slot in the slab. Keys keep the order in which they were first seen. */
export class SeriesTable {
  readonly slab = new Slab(SERIES_SHAPE);
  /** Five-minute state of series that live for hours, and neighbours of those that ask for shape. */
  readonly coarse = new Slab(COARSE_SHAPE);
  readonly shape = new Slab(SHAPE_SHAPE);
  /** Profiles of the week, of series that live for days. */
  readonly week = new Slab(WEEK_SHAPE);
  /** Series that get a profile of their week at most, in the order in which they come of age. */
  readonly weeklyProfiles: number;
  private readonly slots = new Map<string, number>();
  /** Optional parts of a series, each with the counter that holds its slot + 1, in the order of snapshots. */
  private readonly parts = [
    { name: 'coarse', field: U.coarse, slab: this.coarse },
    { name: 'shape', field: U.shape, slab: this.shape },
    { name: 'week', field: U.week, slab: this.week },
  ] as const;

  constructor(weeklyProfiles = 0) {
    this.weeklyProfiles = weeklyProfiles;
  }

  /** Slot of a series; -1 if it is not known. */
  find(key: string): number {
    return this.slots.get(key) ?? -1;
  }

  /** Slot of a series, a fresh one if it was not known. */
  open(key: string): number {
    const known = this.slots.get(key);
    if (known !== undefined) return known;
    const slot = this.slab.allocate();
    this.slots.set(key, slot);
    return slot;
  }

  /** Overwrites a fresh series with another one's record, its day and its week; shape is left out. */
  copy(from: number, to: number): void {
    this.slab.copy(from, to);
    const c = this.record(to);
    for (const { name, field, slab } of this.parts) {
      const part = c.u32[c.u + field] ?? 0;
      c.u32[c.u + field] = 0;
      if (part === 0 || name === 'shape' || (name === 'week' && slab.inUse() >= this.weeklyProfiles)) continue;
      const own = slab.allocate();
      slab.copy(part - 1, own);
      c.u32[c.u + field] = own + 1;
    }
  }

  /** The series' record; valid until the next `record`. */
  record(slot: number): Cursor {
    return this.slab.seek(slot);
  }

  samples(key: string): number {
    const slot = this.find(key);
    if (slot < 0) return 0;
    const c = this.record(slot);
    return c.u32[c.u + U.learnt] ?? 0;
  }

  size(): number {
    return this.slots.size;
  }

  /** Bytes of the slabs, unused slots included. */
  bytes(): number {
    return this.slab.bytes() + this.coarse.bytes() + this.shape.bytes() + this.week.bytes();
  }

  /** Forgets series that nobody asked about since then. */
  evict(notSeenSinceMs: number): number {
    let forgotten = 0;
    for (const [key, slot] of this.slots) {
      const c = this.record(slot);
      if ((c.f64[c.d + D.seenAtMs] ?? 0) >= notSeenSinceMs) continue;
      this.forget(slot);
      this.slots.delete(key);
      forgotten++;
    }
    return forgotten;
  }

  clear(): void {
    for (const slot of this.slots.values()) this.forget(slot);
    this.slots.clear();
  }

  /** Records with their keys. Slot numbers are not saved: only whether a part exists. */
  write(to: ByteWriter): void {
    to.u32(this.slots.size);
    for (const [key, slot] of this.slots) {
      to.text(key);
      const c = this.record(slot);
      const held = this.parts.map(({ field, slab }) => ({ field, slab, part: c.u32[c.u + field] ?? 0 }));
      for (const { field, part } of held) c.u32[c.u + field] = Math.min(part, 1);
      this.slab.write(slot, to.raw(bytesOf(SERIES_SHAPE)));
      for (const { field, slab, part } of held) {
        c.u32[c.u + field] = part;
        if (part > 0) slab.write(part - 1, to.raw(bytesOf(slab.shape)));
      }
    }
  }

  /** The inverse of `write`, into an empty table. `saved`: the records' shapes when they were written. */
  read(from: ByteReader, saved: SavedShapes): void {
    for (let left = from.u32(); left > 0; left--) {
      const slot = this.open(from.text());
      this.slab.read(slot, from.raw(bytesOf(saved.series)), saved.series);
      const c = this.record(slot);
      for (const { field, slab, name } of this.parts) {
        if (c.u32[c.u + field] !== 1) continue;
        const part = slab.allocate();
        slab.read(part, from.raw(bytesOf(saved[name])), saved[name]);
        c.u32[c.u + field] = part + 1;
      }
    }
  }

  /** Takes over every series of which the other table has learnt more; what was inherited is no proof. */
  takeRicher(other: SeriesTable): void {
    for (const [key, slot] of other.slots) {
      const known = this.find(key);
      if (known >= 0 && ownSamples(this.record(known)) >= ownSamples(other.record(slot))) continue;
      if (known >= 0) this.forget(known);
      const taken = this.slab.allocate();
      this.slots.set(key, taken);
      this.take(other, slot, taken);
    }
  }

  /** Overwrites a zeroed slot with another table's record and its parts. */
  private take(other: SeriesTable, from: number, to: number): void {
    const record = new Uint8Array(bytesOf(SERIES_SHAPE));
    other.slab.write(from, record);
    this.slab.read(to, record);
    other.parts.forEach(({ field, slab }, at) => {
      const c = other.record(from);
      const part = c.u32[c.u + field] ?? 0;
      const own = this.parts[at]?.slab;
      const isRoom = own !== this.week || own.inUse() < this.weeklyProfiles;
      const slot = part === 0 || own === undefined || !isRoom ? -1 : own.allocate();
      if (own !== undefined && slot >= 0) {
        const bytes = new Uint8Array(bytesOf(slab.shape));
        slab.write(part - 1, bytes);
        own.read(slot, bytes);
      }
      const mine = this.record(to);
      mine.u32[mine.u + field] = slot + 1;
    });
  }

  /** Every series' slot, in the order in which they were first seen. */
  everySlot(): IterableIterator<number> {
    return this.slots.values();
  }

  private forget(slot: number): void {
    const c = this.record(slot);
    for (const { field, slab } of this.parts) {
      const part = c.u32[c.u + field] ?? 0;
      if (part > 0) slab.release(part - 1);
    }
    this.slab.release(slot);
  }
}

/** Samples that the series itself has learnt. */
function ownSamples(c: Cursor): number {
  return (c.u32[c.u + U.learnt] ?? 0) - (c.u32[c.u + U.inherited] ?? 0);
}
