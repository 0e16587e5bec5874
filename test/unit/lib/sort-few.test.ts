import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sortFew } from '../../../src/lib/sort-few.ts';

const pairs = (size: { readonly minLength: number; readonly maxLength: number }) =>
  fc.array(fc.record({ key: fc.integer({ min: 0, max: 5 }), id: fc.nat() }), size);

test.each([
  ['few', { minLength: 0, maxLength: 16 }],
  ['many', { minLength: 17, maxLength: 60 }],
])('of %s items it sorts as sort does, equal ones in their order', (_, size) => {
  fc.assert(
    fc.property(pairs(size), (items) => {
      const expected = items.toSorted((a, b) => a.key - b.key);
      expect(sortFew(items, (a, b) => a.key < b.key)).toEqual(expected);
    }),
  );
});

test('it sorts the very array that it is given', () => {
  const names = ['b', 'a'];
  expect(sortFew(names, (a, b) => a < b)).toBe(names);
  expect(names).toEqual(['a', 'b']);
});
