import { describe, expect, test } from '@jest/globals';
import { sequenceShifts } from '../../../src/diagnosis/log-sequences.ts';
import type { SequencedLine } from '../../../src/diagnosis/log-sequences.ts';

/** `count` requests of an entity, each with these templates in order. */
const requests = (entity: string, count: number, templates: readonly number[], prefix = ''): SequencedLine[] =>
  Array.from({ length: count }, (_, i) =>
    templates.map((template) => ({ entity, sequence: `${prefix}${i}`, template })),
  ).flat();

describe('steps that changed', () => {
  const before = [...requests('cart', 100, [1, 2, 3]), ...requests('user', 100, [7, 8])];

  test('a method that returns early ends its sequence sooner', () => {
    const [worst] = sequenceShifts(before, [...requests('cart', 20, [1]), ...requests('user', 20, [7, 8])]);
    expect(worst).toMatchObject({ entity: 'cart', from: 1, before: [0, 100], after: [20, 20] });
    expect(worst?.to).toBeUndefined();
    expect(worst?.score).toBeGreaterThan(5);
  });

  test('another step than usual', () => {
    const [worst] = sequenceShifts(before, [...requests('cart', 20, [1, 2, 3]), ...requests('user', 20, [7, 9])]);
    expect(worst).toMatchObject({ entity: 'user', from: 7, to: 9 });
  });

  test('the same steps at another rate are nothing', () => {
    const scores = sequenceShifts(before, requests('cart', 7, [1, 2, 3])).map((each) => each.score);
    expect(Math.max(0, ...scores)).toBeLessThan(1);
  });

  test('interleaved requests are told apart', () => {
    const mixed = [
      ...requests('cart', 2, [1], 'a'),
      ...requests('cart', 2, [1], 'b'),
      ...requests('cart', 2, [2, 3], 'a'),
      ...requests('cart', 2, [2, 3], 'b'),
    ];
    const scores = sequenceShifts(before, mixed).map((each) => each.score);
    expect(Math.max(0, ...scores)).toBeLessThan(1);
  });

  test('a source that was hardly seen says nothing', () => {
    expect(sequenceShifts(requests('cart', 2, [1, 2]), requests('cart', 20, [1, 5]))).toEqual([]);
  });

  test('one that was seen three times does', () => {
    expect(sequenceShifts(requests('cart', 3, [1, 2]), requests('cart', 20, [1, 5]))).not.toEqual([]);
  });

  test('of several entities the most unusual one first, each with its worst step', () => {
    const usual = requests('user', 20, [7, 8]);
    const now = [...requests('cart', 20, [1, 2, 9]), ...usual, ...requests('user', 10, [7, 9], 'x')];
    const found = sequenceShifts(before, now);
    expect(found.map(({ entity }) => entity)).toEqual(['cart', 'user']);
    expect(found[0]).toMatchObject({ before: [0, 100], after: [20, 20] });
    expect(found[1]).toMatchObject({ before: [0, 100], after: [10, 30], to: 9 });
    // Of a share of (0 + 0.5) / 101 before, 20 of 20 are far: by as many standard deviations as the doc says.
    const share = 0.5 / 101;
    const variance = 20 * share * (1 - share) + (400 * share * (1 - share)) / 101 + 0.5;
    expect(found[0]?.score).toBeCloseTo((20 - 20 * share) / Math.sqrt(variance), 9);
  });

  test('a request that begins otherwise has no step before it', () => {
    const [worst] = sequenceShifts(before, requests('cart', 20, [3]));
    expect(worst).toMatchObject({ before: [0, 100], after: [20, 20], to: 3 });
    expect(worst).not.toHaveProperty('from');
  });
});
