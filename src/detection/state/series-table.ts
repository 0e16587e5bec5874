import { bytesOf, Slab } from './slab.ts';
import type { Cursor } from './slab.ts';
import { D, SERIES_SHAPE, U } from './series-record.ts';

/** Series by key, each with a slot in the slab. Keys keep the order in which they were first seen. */
export class SeriesTable {
  readonly slab = new Slab(SERIES_SHAPE);
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

  entries(): IterableIterator<[string, number]> {
    return this.slots.entries();
  }

  /** Forgets series that nobody asked about since then; `onForget` gets their record before it is cleared. */
  evict(notSeenSinceMs: number, onForget: (c: Cursor) => void): number {
    let forgotten = 0;
    for (const [key, slot] of this.slots) {
      const c = this.record(slot);
      if ((c.f64[c.d + D.seenAtMs] ?? 0) >= notSeenSinceMs) continue;
      onForget(c);
      this.slab.release(slot);
      this.slots.delete(key);
      forgotten++;
    }
    return forgotten;
  }

  clear(): void {
    for (const slot of this.slots.values()) this.slab.release(slot);
    this.slots.clear();
  }

  /** Bytes of a saved record. */
  recordBytes(): number {
    return bytesOf(SERIES_SHAPE);
  }
}
