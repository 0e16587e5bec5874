import { describe, expect, test } from '@jest/globals';
import { isInSample, scoreOf, wilsonInterval } from '../../../tools/mutation/tally.ts';
import type { MutantPlace } from '../../../tools/mutation/tally.ts';

const mutants = Array.from({ length: 5000 }, (_, i): MutantPlace => ({
  fileName: `/somewhere/src/detection/file-${i % 40}.ts`,
  location: { start: { line: i, column: i % 7 } },
  mutatorName: 'ConditionalExpression',
  replacement: i % 2 === 0 ? 'true' : 'false',
}));
const chosen = (share: number, seed = 1) => mutants.filter((mutant) => isInSample(mutant, share, seed));

describe('a sample of mutants', () => {
  test.each([0.1, 0.5, 0.9])('of share %d has about that many', (share) => {
    // Four standard deviations of 5000 tosses.
    expect(Math.abs(chosen(share).length - 5000 * share)).toBeLessThan(4 * Math.sqrt(5000 * share * (1 - share)));
  });

  test('a larger one holds the smaller, the whole holds all, another seed chooses others', () => {
    const small = chosen(0.1);
    expect(small.every((mutant) => isInSample(mutant, 0.3, 1))).toBe(true);
    expect(chosen(1)).toHaveLength(5000);
    expect(chosen(0.1, 2)).not.toEqual(small);
  });

  test('it depends on where the mutant is in src, not on where src is', () => {
    const moved = mutants.map((mutant) => ({ ...mutant, fileName: mutant.fileName.replace('/somewhere/', '') }));
    expect(moved.filter((mutant) => isInSample(mutant, 0.2, 1))).toHaveLength(chosen(0.2).length);
  });
});

test.each([
  // In closed form: 0 of n ends at z² / (n + z²), which is 0.2775 for n = 10.
  [80, 100, 0.7112, 0.8666],
  [0, 10, 0, 0.2775],
  [10, 10, 0.7225, 1],
  [0, 0, 0, 1],
])('of %d of %d the share lies between %d and %d', (hits, count, low, high) => {
  const [from, to] = wilsonInterval(hits, count);
  expect(from).toBeCloseTo(low, 3);
  expect(to).toBeCloseTo(high, 3);
});

test('a time-out is noticed, a mutant that no test reaches is not', () => {
  expect(scoreOf({ killed: 6, timedOut: 2, survived: 1, notReached: 1 })).toBe(0.8);
});
