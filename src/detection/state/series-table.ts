import { COARSE_SHAPE, SHAPE_SHAPE } from './coarse-record.ts';
import { D, SERIES_SHAPE, U } from './series-record.ts';
import { bytesOf, Slab } from './slab.ts';
import type { Cursor } from './slab.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';

/** Series by key, each with a slot in the slab. Keys keep the order in which they were first seen. */
export class SeriesTable {
  readonly slab = new Slab(SERIES_SHAPE);
  /** Five-minute state of series that live for hours, and neighbours of those that ask for shape. */
  readonly coarse = new Slab(COARSE_SHAPE);
  readonly shape = new Slab(SHAPE_SHAPE);
  private readonly slots = new Map<string, number>();

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
    return this.slab.bytes() + this.coarse.bytes() + this.shape.bytes();
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
      const [coarse, shape] = [c.u32[c.u + U.coarse] ?? 0, c.u32[c.u + U.shape] ?? 0];
      c.u32[c.u + U.coarse] = Math.min(coarse, 1);
      c.u32[c.u + U.shape] = Math.min(shape, 1);
      this.slab.write(slot, to.raw(bytesOf(SERIES_SHAPE)), 0);
      c.u32[c.u + U.coarse] = coarse;
      c.u32[c.u + U.shape] = shape;
      if (coarse > 0) this.coarse.write(coarse - 1, to.raw(bytesOf(COARSE_SHAPE)), 0);
      if (shape > 0) this.shape.write(shape - 1, to.raw(bytesOf(SHAPE_SHAPE)), 0);
    }
  }

  /** The inverse of `write`, into an empty table. */
  read(from: ByteReader): void {
    for (let left = from.u32(); left > 0; left--) {
      const slot = this.open(from.text());
      this.slab.read(slot, from.raw(bytesOf(SERIES_SHAPE)), 0);
      const c = this.record(slot);
      if (c.u32[c.u + U.coarse] === 1) {
        const part = this.coarse.allocate();
        this.coarse.read(part, from.raw(bytesOf(COARSE_SHAPE)), 0);
        c.u32[c.u + U.coarse] = part + 1;
      }
      if (c.u32[c.u + U.shape] === 1) {
        const part = this.shape.allocate();
        this.shape.read(part, from.raw(bytesOf(SHAPE_SHAPE)), 0);
        c.u32[c.u + U.shape] = part + 1;
      }
    }
  }

  private forget(slot: number): void {
    const c = this.record(slot);
    const [coarse, shape] = [c.u32[c.u + U.coarse] ?? 0, c.u32[c.u + U.shape] ?? 0];
    if (coarse > 0) this.coarse.release(coarse - 1);
    if (shape > 0) this.shape.release(shape - 1);
    this.slab.release(slot);
  }
}
