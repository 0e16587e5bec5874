/** How many numbers of each kind one record holds. */
export interface RecordShape {
  readonly f64: number;
  readonly f32: number;
  readonly u32: number;
  readonly u16: number;
}

export function bytesOf(shape: RecordShape): number {
  return shape.f64 * 8 + shape.f32 * 4 + shape.u32 * 4 + shape.u16 * 2;
}

interface Chunk {
  readonly f64: Float64Array;
  readonly f32: Float32Array;
  readonly u32: Uint32Array;
  readonly u16: Uint16Array;
}

/** Where one record lies: the arrays and the offset of the record in each. Reused by the slab: never keep one. */
export interface Cursor {
  f64: Float64Array;
  f32: Float32Array;
  u32: Uint32Array;
  u16: Uint16Array;
  /** Offsets into f64, f32, u32 and u16. */
  d: number;
  f: number;
  u: number;
  h: number;
}

const SLOTS_PER_CHUNK = 64;

/**
 * Records of one shape in typed arrays, 64 records a chunk: no object per series, no copy when it grows, and memory
 * that can be computed. Freed slots are reused, last freed first.
 */
export class Slab {
  readonly shape: RecordShape;
  private readonly chunks: Chunk[] = [];
  private readonly free: number[] = [];
  private readonly cursor: Cursor;
  private used = 0;

  constructor(shape: RecordShape) {
    this.shape = shape;
    const empty = newChunk(shape, 0);
    this.cursor = { ...empty, d: 0, f: 0, u: 0, h: 0 };
  }

  /** A zeroed slot. */
  allocate(): number {
    const reused = this.free.pop();
    if (reused !== undefined) return reused;
    if (this.used === this.chunks.length * SLOTS_PER_CHUNK) this.chunks.push(newChunk(this.shape, SLOTS_PER_CHUNK));
    return this.used++;
  }

  /** Slots that are allocated now. */
  inUse(): number {
    return this.used - this.free.length;
  }

  release(slot: number): void {
    const { f64, f32, u32, u16, d, f, u, h } = this.seek(slot);
    f64.fill(0, d, d + this.shape.f64);
    f32.fill(0, f, f + this.shape.f32);
    u32.fill(0, u, u + this.shape.u32);
    u16.fill(0, h, h + this.shape.u16);
    this.free.push(slot);
  }

  /** Moves the slab's one cursor to a slot. */
  seek(slot: number): Cursor {
    const chunk = this.chunks[Math.floor(slot / SLOTS_PER_CHUNK)];
    if (chunk === undefined) throw new Error(`slot ${slot} was never allocated`);
    const index = slot % SLOTS_PER_CHUNK;
    const cursor = this.cursor;
    cursor.f64 = chunk.f64;
    cursor.f32 = chunk.f32;
    cursor.u32 = chunk.u32;
    cursor.u16 = chunk.u16;
    cursor.d = index * this.shape.f64;
    cursor.f = index * this.shape.f32;
    cursor.u = index * this.shape.u32;
    cursor.h = index * this.shape.u16;
    return cursor;
  }

  /** Bytes that the slab holds, allocated but unused slots included. */
  bytes(): number {
    return this.chunks.length * SLOTS_PER_CHUNK * bytesOf(this.shape);
  }

  /** Overwrites a slot with what another one holds. */
  copy(from: number, to: number): void {
    const sources = this.parts(from);
    this.parts(to).forEach((part, kind) => {
      const source = sources[kind];
      if (source !== undefined) part.set(source);
    });
  }

  /** The record's raw bytes, in a fixed order of kinds, written into `target`. */
  write(slot: number, target: Uint8Array): void {
    let next = 0;
    for (const part of this.parts(slot)) {
      target.set(part, next);
      next += part.length;
    }
  }

  /**
   * The inverse of `write`, into a zeroed slot. `saved`: the shape at the time of writing; fields are only ever added at
   * the end of their kind, so a smaller record is a prefix of each kind and what it lacks stays zero.
   */
  read(slot: number, source: Uint8Array, saved: RecordShape = this.shape): void {
    const sizes = [saved.f64 * 8, saved.f32 * 4, saved.u32 * 4, saved.u16 * 2];
    let next = 0;
    this.parts(slot).forEach((part, kind) => {
      const size = sizes[kind] ?? 0;
      part.set(source.subarray(next, next + size));
      next += size;
    });
  }

  private parts(slot: number): readonly Uint8Array[] {
    const { f64, f32, u32, u16, d, f, u, h } = this.seek(slot);
    return [
      new Uint8Array(f64.buffer, d * 8, this.shape.f64 * 8),
      new Uint8Array(f32.buffer, f * 4, this.shape.f32 * 4),
      new Uint8Array(u32.buffer, u * 4, this.shape.u32 * 4),
      new Uint8Array(u16.buffer, h * 2, this.shape.u16 * 2),
    ];
  }
}

function newChunk(shape: RecordShape, slots: number): Chunk {
  return {
    f64: new Float64Array(shape.f64 * slots),
    f32: new Float32Array(shape.f32 * slots),
    u32: new Uint32Array(shape.u32 * slots),
    u16: new Uint16Array(shape.u16 * slots),
  };
}
