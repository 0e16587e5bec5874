import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { labelValue } from '../../../../src/api/v1alpha1/labels.ts';

describe('a label value', () => {
  test.each([
    ['a short name stays', 'checkout', 'checkout'],
    ['dots stay', 'a.b', 'a.b'],
  ])('%s', (_, text, expected) => {
    expect(labelValue(text)).toBe(expected);
  });

  test('two long names that begin alike stay two values', () => {
    expect(labelValue(`${'a'.repeat(200)}1`)).not.toBe(labelValue(`${'a'.repeat(200)}2`));
  });

  test('is legal for every text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        expect(labelValue(text)).toMatch(/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/);
      }),
    );
  });
});
