import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../../../../src/detection/state/bytes.ts';
import { Slab, bytesOf } from '../../../../src/detection/state/slab.ts';

/** Records of 2 doubles, 3 singles, 1 word and 5 shorts: 42 bytes. */
const SHAPE = { f64: 2, f32: 3, u32: 1, u16: 5 };

const fill = (slab: Slab, slot: number, value: number): void => {
  const { f64, f32, u32, u16, d, f, u, h } = slab.seek(slot);
  f64.fill(value, d, d + 2);
  f32.fill(value + 0.5, f, f + 3);
  u32.fill(value + 1, u, u + 1);
  u16.fill(value + 2, h, h + 5);
};
const contents = (slab: Slab, slot: number): number[] => {
  const { f64, f32, u32, u16, d, f, u, h } = slab.seek(slot);
  return [...f64.slice(d, d + 2), ...f32.slice(f, f + 3), ...u32.slice(u, u + 1), ...u16.slice(h, h + 5)];
};
const holding = (value: number): number[] => [
  ...[value, value],
  ...Array<number>(3).fill(value + 0.5),
  value + 1,
  ...Array<number>(5).fill(value + 2),
];
const NOTHING = Array<number>(11).fill(0);

describe('records in typed arrays', () => {
  test('cost what their numbers cost, 64 at a time', () => {
    const slab = new Slab(SHAPE);
    expect([bytesOf(SHAPE), slab.bytes()]).toEqual([42, 0]);
    for (let i = 0; i < 64; i++) slab.allocate();
    expect(slab.bytes()).toBe(64 * 42);
    slab.allocate();
    expect([slab.bytes(), slab.inUse()]).toEqual([2 * 64 * 42, 65]);
  });

  test('do not touch one another, in however many chunks they lie', () => {
    const slab = new Slab(SHAPE);
    const slots = Array.from({ length: 200 }, () => slab.allocate());
    expect(slots).toEqual(Array.from({ length: 200 }, (_, i) => i));
    slots.forEach((slot) => fill(slab, slot, slot));
    slots.forEach((slot) => expect(contents(slab, slot)).toEqual(holding(slot)));
  });

  test('a freed one is empty and is used next, its neighbours stay', () => {
    const slab = new Slab(SHAPE);
    for (let slot = 0; slot < 70; slot++) fill(slab, slab.allocate(), slot);
    slab.release(5);
    slab.release(66);
    expect(slab.inUse()).toBe(68);
    expect([slab.allocate(), slab.allocate(), slab.allocate()]).toEqual([66, 5, 70]);
    expect([5, 66].map((slot) => contents(slab, slot))).toEqual([NOTHING, NOTHING]);
    expect([4, 6, 65, 67].map((slot) => contents(slab, slot))).toEqual([4, 6, 65, 67].map(holding));
  });

  test('one that was never made is not read', () => {
    expect(() => new Slab(SHAPE).seek(0)).toThrow('slot 0 was never allocated');
  });

  test('are copied and written whole, and read again', () => {
    const slab = new Slab(SHAPE);
    const slots = [1, 2, 3, 4].map((value) => {
      const slot = slab.allocate();
      fill(slab, slot, value);
      return slot;
    });
    slab.copy(1, 2);
    const bytes = new Uint8Array(42);
    slab.write(3, bytes);
    slab.release(0);
    slab.read(slab.allocate(), bytes);
    expect(slots.map((slot) => contents(slab, slot))).toEqual([4, 2, 2, 4].map(holding));
  });

  test('of a smaller shape are prefixes, kind by kind; what they lack is zero', () => {
    const old = { f64: 1, f32: 2, u32: 1, u16: 2 };
    const before = new Slab(old);
    const { f64, f32, u32, u16 } = before.seek(before.allocate());
    f64[0] = 1;
    f32.set([2, 3]);
    u32[0] = 4;
    u16.set([5, 6]);
    const bytes = new Uint8Array(bytesOf(old));
    before.write(0, bytes);
    const slab = new Slab(SHAPE);
    slab.allocate();
    const slot = slab.allocate();
    slab.read(slot, bytes, old);
    expect(contents(slab, slot)).toEqual([1, 0, 2, 3, 0, 4, 5, 6, 0, 0, 0]);
    expect(contents(slab, 0)).toEqual(NOTHING);
  });
});

describe('numbers, texts and arrays as bytes', () => {
  type Piece = readonly [kind: 'u32' | 'f64' | 'text' | 'array', value: number | string | Uint16Array];
  const piece = fc.oneof(
    fc.tuple(fc.constant('u32' as const), fc.nat(0xffff_ffff)),
    fc.tuple(fc.constant('f64' as const), fc.double()),
    fc.tuple(fc.constant('text' as const), fc.string({ unit: 'binary', maxLength: 60 })),
    fc.tuple(fc.constant('array' as const), fc.uint16Array({ maxLength: 60 })),
  );
  const write = (to: ByteWriter, [kind, value]: Piece): void => {
    if (kind === 'u32') to.u32(value as number);
    else if (kind === 'f64') to.f64(value as number);
    else if (kind === 'text') to.text(value as string);
    else to.array(value as Uint16Array);
  };
  const read = (from: ByteReader, [kind]: Piece): unknown => {
    if (kind === 'u32') return from.u32();
    if (kind === 'f64') return from.f64();
    return kind === 'text' ? from.text() : new Uint16Array(from.array());
  };

  test('come back as they were, in any order, and take a multiple of four bytes', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const writer = new ByteWriter(0);
        for (const each of pieces) write(writer, each);
        const bytes = writer.finish();
        expect(bytes.length % 4).toBe(0);
        const reader = new ByteReader(bytes);
        expect(pieces.map((each) => read(reader, each))).toEqual(pieces.map(([, value]) => value));
        expect(() => reader.u32()).toThrow(RangeError);
      }),
    );
  });

  test('more than was expected of them makes room for itself', () => {
    const writer = new ByteWriter(8);
    for (let i = 0; i < 5000; i++) writer.u32(i);
    const reader = new ByteReader(writer.finish());
    for (let i = 0; i < 5000; i++) expect(reader.u32()).toBe(i);
  });

  test('a part of an array is written as that part, one number after another in little-endian order', () => {
    const writer = new ByteWriter(0);
    writer.array(Uint16Array.of(9, 1, 2, 3, 9).subarray(1, 4));
    writer.f64(1);
    expect([...writer.finish()]).toEqual([6, 0, 0, 0, 1, 0, 2, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 240, 63]);
  });

  test('an end that comes early is said', () => {
    const writer = new ByteWriter(0);
    writer.u32(40);
    writer.u32(0);
    expect(() => new ByteReader(writer.finish()).text()).toThrow('the snapshot ends early');
    expect(() => new ByteReader(writer.finish(), 4).raw(5)).toThrow('the snapshot ends early');
    expect(new ByteReader(writer.finish(), 4).raw(4)).toHaveLength(4);
  });
});
