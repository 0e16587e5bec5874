import { expect, test } from '@jest/globals';
import { inWords } from '../../../src/lib/duration.ts';

test.each([
  [0, '0 s'],
  [-5_000, '0 s'],
  [499, '0 s'],
  [45_000, '45 s'],
  [60_000, '1 min'],
  [260_000, '4 min 20 s'],
  [7_200_000, '2 h'],
  [7_205_000, '2 h'],
  [9_000_000, '2 h 30 min'],
  [97_200_000, '1 d 3 h'],
])('%d ms are %s', (ms, expected) => expect(inWords(ms)).toBe(expected));
