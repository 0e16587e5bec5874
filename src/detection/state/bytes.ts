/** Appends numbers, texts and typed arrays to a buffer that grows. Everything starts at a multiple of four. */
export class ByteWriter {
  private bytes: Uint8Array;
  private view: DataView;
  private at = 0;

  constructor(expected: number) {
    this.bytes = new Uint8Array(Math.max(expected, 1024));
    this.view = new DataView(this.bytes.buffer);
  }

  u32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.at, value, true);
    this.at += 4;
  }

  f64(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  text(value: string): void {
    this.array(new TextEncoder().encode(value));
  }

  /** A length in bytes, then the array's memory as it is. */
  array(values: Uint8Array | Uint16Array | Int32Array | Float32Array | Float64Array): void {
    this.u32(values.byteLength);
    this.raw(values.byteLength).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  /** Room for so many bytes, to be filled at once by the caller. */
  raw(length: number): Uint8Array {
    const padded = Math.ceil(length / 4) * 4;
    this.reserve(padded);
    const room = this.bytes.subarray(this.at, this.at + length);
    this.at += padded;
    return room;
  }

  /** Everything written; the writer must not be used after it. */
  finish(): Uint8Array {
    return this.bytes.subarray(0, this.at);
  }

  private reserve(more: number): void {
    if (this.at + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.at + more));
    grown.set(this.bytes);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}

/** Reads what `ByteWriter` wrote, in the same order; throws `RangeError` beyond the end. */
export class ByteReader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  u32(): number {
    const value = this.view.getUint32(this.at, true);
    this.at += 4;
    return value;
  }

  f64(): number {
    const value = this.view.getFloat64(this.at, true);
    this.at += 8;
    return value;
  }

  text(): string {
    return new TextDecoder().decode(this.raw(this.u32()));
  }

  /** A copy, aligned for any typed array. */
  array(): ArrayBuffer {
    return this.raw(this.u32()).slice().buffer;
  }

  raw(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) throw new RangeError('the snapshot ends early');
    const part = this.bytes.subarray(this.at, this.at + length);
    this.at += Math.ceil(length / 4) * 4;
    return part;
  }
}
