import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fingerprint } from '../../../src/lib/fingerprint.ts';

describe('a fingerprint', () => {
  test('is 32 hex digits, the same for the same text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(fingerprint(text)).toMatch(/^[0-9a-f]{32}$/);
        expect(fingerprint(text)).toBe(fingerprint(`${text}`));
      }),
    );
  });

  test('differs where one unit differs, wherever it stands', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 2_000 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (text, n, by) => {
          const at = n % text.length;
          const other = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ by) + text.slice(at + 1);
          expect(fingerprint(other)).not.toBe(fingerprint(text));
        },
      ),
    );
  });

  test('of ten thousand texts that count are all different, in each of its four parts nearly all', () => {
    const all = Array.from({ length: 10_000 }, (_, i) => fingerprint(`${'x'.repeat(20)}${i}`));
    expect(new Set(all).size).toBe(all.length);
    for (const from of [0, 8, 16, 24]) {
      // Of 10^4 numbers of 32 bits one pair in a hundred such sets is expected to be equal.
      expect(new Set(all.map((text) => text.slice(from, from + 8))).size).toBeGreaterThan(all.length - 5);
    }
  });
});
