import { describe, expect, test } from '@jest/globals';
import { ByteReader, ByteWriter } from '../../../../src/detection/state/bytes.ts';
import { COARSE_SHAPE, SHAPE_SHAPE } from '../../../../src/detection/state/coarse-record.ts';
import { D, SERIES_SHAPE, U } from '../../../../src/detection/state/series-record.ts';
import { SeriesTable } from '../../../../src/detection/state/series-table.ts';
import { WEEK_SHAPE } from '../../../../src/detection/state/week-record.ts';

interface Known {
  readonly learnt?: number;
  readonly inherited?: number;
  readonly seenAtMs?: number;
  readonly parts?: readonly ('coarse' | 'shape' | 'week')[];
}

/** A series with marks in its record and in its parts: `learnt` is the mark. */
function add(table: SeriesTable, key: string, { learnt = 1, inherited = 0, seenAtMs = 0, parts = [] }: Known): void {
  const slot = table.open(key);
  for (const part of parts) {
    const own = table[part].allocate();
    const c = table[part].seek(own);
    c.f64[c.d] = learnt;
    c.u16[c.h] = learnt;
    const record = table.record(slot);
    record.u32[record.u + U[part]] = own + 1;
  }
  const c = table.record(slot);
  c.u32[c.u + U.learnt] = learnt;
  c.u32[c.u + U.inherited] = inherited;
  c.f64[c.d + D.seenAtMs] = seenAtMs;
}

/** What is known of a series: what it learnt, and the marks of its parts (0: it has none). */
function shown(table: SeriesTable, key: string): number[] {
  const slot = table.find(key);
  const marks = (['coarse', 'shape', 'week'] as const).map((part) => {
    const record = table.record(slot);
    const held = record.u32[record.u + U[part]] ?? 0;
    if (held === 0) return 0;
    const c = table[part].seek(held - 1);
    return c.f64[c.d] === c.u16[c.h] ? (c.f64[c.d] ?? NaN) : NaN;
  });
  return [table.samples(key), ...marks];
}
const ALL = ['coarse', 'shape', 'week'] as const;
const inUse = (table: SeriesTable): number[] =>
  [table.slab, table.coarse, table.shape, table.week].map((slab) => slab.inUse());

describe('series by key', () => {
  test('are opened once, and found from then on', () => {
    const table = new SeriesTable();
    expect([table.find('a'), table.samples('a'), table.size()]).toEqual([-1, 0, 0]);
    const slot = table.open('a');
    expect([table.open('a'), table.find('a'), table.open('b') === slot]).toEqual([slot, slot, false]);
    expect([...table.everySlot()]).toEqual([slot, table.find('b')]);
    add(table, 'a', { learnt: 7 });
    expect([table.samples('a'), table.samples('b')]).toEqual([7, 0]);
  });

  test('that nobody asked about are forgotten with their parts, and how many is said', () => {
    const table = new SeriesTable(9);
    add(table, 'old', { seenAtMs: 99, parts: ALL });
    add(table, 'just', { learnt: 2, seenAtMs: 100, parts: ALL });
    add(table, 'new', { learnt: 3, seenAtMs: 101 });
    expect(table.evict(100)).toBe(1);
    expect([table.find('old'), table.size()]).toEqual([-1, 2]);
    expect(inUse(table)).toEqual([2, 1, 1, 1]);
    expect([shown(table, 'just'), shown(table, 'new')]).toEqual([[2, 2, 2, 2], [3, 0, 0, 0]]);
    table.clear();
    expect([table.size(), ...inUse(table)]).toEqual([0, 0, 0, 0, 0]);
  }); // prettier-ignore

  test('cost what their slabs hold, parts included', () => {
    const table = new SeriesTable(9);
    expect(table.bytes()).toBe(0);
    add(table, 'a', { parts: ALL });
    const bytes = [table.slab, table.coarse, table.shape, table.week].map((slab) => slab.bytes());
    expect(Math.min(...bytes)).toBeGreaterThan(0);
    expect(table.bytes()).toBe(bytes.reduce((sum, each) => sum + each, 0));
  });

  test('are written with their parts and read again, wherever these lay', () => {
    const table = new SeriesTable(9);
    add(table, 'gone', { parts: ALL });
    add(table, 'a', { learnt: 4, parts: ['shape'] });
    add(table, 'b', { learnt: 5, parts: ['coarse', 'week'] });
    add(table, 'c', { learnt: 6 });
    table.evict(0);
    const writer = new ByteWriter(0);
    table.write(writer);
    expect(shown(table, 'b')).toEqual([5, 5, 0, 5]);
    const again = new SeriesTable(9);
    const shapes = { series: SERIES_SHAPE, coarse: COARSE_SHAPE, shape: SHAPE_SHAPE, week: WEEK_SHAPE };
    again.read(new ByteReader(writer.finish()), shapes);
    expect(['a', 'b', 'c'].map((key) => shown(again, key))).toEqual([
      [4, 0, 4, 0],
      [5, 5, 0, 5],
      [6, 0, 0, 0],
    ]);
    expect(again.size()).toBe(4);
  });
});

describe('a copy for a successor', () => {
  test('has the day and the week of its own, and no shape', () => {
    const table = new SeriesTable(9);
    add(table, 'old', { learnt: 7, parts: ALL });
    table.copy(table.find('old'), table.open('new'));
    expect([shown(table, 'old'), shown(table, 'new')]).toEqual([[7, 7, 7, 7], [7, 7, 0, 7]]);
    add(table, 'old', { learnt: 8 });
    table.evict(1);
    expect(inUse(table)).toEqual([0, 0, 0, 0]);
  }); // prettier-ignore

  test('has no week where there is room for no more', () => {
    const table = new SeriesTable(1);
    add(table, 'old', { learnt: 7, parts: ['coarse', 'week'] });
    table.copy(table.find('old'), table.open('new'));
    expect(shown(table, 'new')).toEqual([7, 7, 0, 0]);
  });
});

describe('two tables merged', () => {
  const merged = (own: Known | undefined, other: Known, weeks = 9): { table: SeriesTable; shows: number[] } => {
    const [table, from] = [new SeriesTable(weeks), new SeriesTable(9)];
    add(from, 'elsewhere', { learnt: 1, parts: ALL });
    if (own !== undefined) add(table, 's', own);
    add(from, 's', other);
    table.takeRicher(from);
    return { table, shows: shown(table, 's') };
  };

  test.each<readonly [string, Known | undefined, Known, number[]]>([
    ['what only the other knows is taken, with its parts', undefined, { learnt: 5, parts: ALL }, [5, 5, 5, 5]],
    ['what the other knows better is taken', { learnt: 4, parts: ALL }, { learnt: 5, parts: ['week'] }, [5, 0, 0, 5]],
    ['what it knows as well stays', { learnt: 5 }, { learnt: 5, parts: ALL }, [5, 0, 0, 0]],
    ['what it knows less stays', { learnt: 6, parts: ['coarse'] }, { learnt: 5 }, [6, 6, 0, 0]],
    ['what was inherited is no proof', { learnt: 6 }, { learnt: 9, inherited: 3 }, [6, 0, 0, 0]],
    ['on neither side', { learnt: 9, inherited: 4 }, { learnt: 6 }, [6, 0, 0, 0]],
  ])('%s', (_, own, other, expected) => {
    const { table, shows } = merged(own, other);
    expect(shows).toEqual(expected);
    expect(table.size()).toBe(2);
  });

  test('what made room is free again, and a week is taken only where there is room', () => {
    expect(inUse(merged({ learnt: 4, parts: ALL }, { learnt: 5 }).table)).toEqual([2, 1, 1, 1]);
    const { table, shows } = merged(undefined, { learnt: 5, parts: ALL }, 1);
    expect(shows).toEqual([5, 5, 5, 0]);
    expect(inUse(table)).toEqual([2, 2, 2, 1]);
  });
});
