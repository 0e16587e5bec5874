import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isoTime } from '../../../src/lib/iso-time.ts';

const YEAR_0_MS = Date.UTC(2000, 0, 1) - 730_485 * 86_400_000;
const YEAR_10000_MS = Date.UTC(10_000, 0, 1);

describe('isoTime', () => {
  test.each([
    ['the epoch', 0],
    ['the last millisecond of a day', Date.UTC(2026, 10, 26) - 1],
    ['the first millisecond of a day', Date.UTC(2026, 10, 26)],
    ['a leap day', Date.UTC(2024, 1, 29, 12, 34, 56, 789)],
    ['before the epoch', -1],
    ['a fraction of a millisecond before the epoch', -0.5],
    ['the first year of four digits', YEAR_0_MS],
    ['the millisecond before it', YEAR_0_MS - 1],
    ['the last millisecond of four digits', YEAR_10000_MS - 1],
    ['the first year of five digits', YEAR_10000_MS],
    ['the last instant that there is', 8.64e15],
  ])('%s', (_, atMs) => {
    expect(isoTime(atMs)).toBe(new Date(atMs).toISOString());
  });

  test('writes what Date writes, whatever was asked before', () => {
    const instant = fc.oneof(
      fc.integer({ min: YEAR_0_MS - 1e9, max: YEAR_10000_MS + 1e9 }),
      fc.double({ min: -1e14, max: 3e14, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(instant, { minLength: 1, maxLength: 20 }), (instants) => {
        for (const atMs of instants) expect(isoTime(atMs)).toBe(new Date(atMs).toISOString());
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([NaN, Infinity, -Infinity, 8.64e15 + 1])('%s is no instant', (atMs) => {
    expect(() => isoTime(atMs)).toThrow(RangeError);
  });
});
