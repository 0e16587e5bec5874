import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hashParts, sha256Hex } from '../../../src/lib/hash.ts';

describe('sha256Hex', () => {
  test.each([0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 1000])('agrees with the platform at %i bytes', (length) => {
    const text = 'x'.repeat(length);
    expect(sha256Hex(text)).toBe(createHash('sha256').update(text).digest('hex'));
  });

  test('agrees with the platform on any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(sha256Hex(text)).toBe(createHash('sha256').update(text, 'utf8').digest('hex'));
      }),
    );
  });
});

describe('hashParts', () => {
  test('is 128 bits of hex', () => expect(hashParts('a', 1)).toMatch(/^[0-9a-f]{32}$/));
  test('tells apart where a part ends', () => expect(hashParts('ab', 'c')).not.toBe(hashParts('a', 'bc')));
  test('tells apart how many parts there are', () => expect(hashParts('a|1:b')).not.toBe(hashParts('a', 'b')));
});
