import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { at, optionalTime, stringMap } from '../../../src/kubernetes/json.ts';
import { isEmpty, readSelector, selectorQuery, selects } from '../../../src/kubernetes/label-selector.ts';
import { mergePatch } from '../../../src/kubernetes/merge-patch.ts';
import { microTime } from '../../../src/kubernetes/micro-time.ts';
import { quantity } from '../../../src/kubernetes/quantity.ts';

describe('quantity', () => {
  const rows: [string, unknown, number | undefined][] = [
    ['milli cores', '250m', 0.25],
    ['whole cores', '2', 2],
    ['a number', 3, 3],
    ['binary', '96Mi', 96 * 2 ** 20],
    ['decimal', '1.5G', 1.5e9],
    ['exponent', '1e3', 1_000],
    ['exa, not an exponent', '1E', 1e18],
    ['nano', '5n', 5e-9],
    ['not a quantity', '1.2.3', undefined],
    ['a unit that does not exist', '5X', undefined],
    ['nothing', undefined, undefined],
    ['too large', '1e999', undefined],
  ];
  test.each(rows)('%s', (_row, value, expected) => {
    const actual = quantity(value);
    if (expected === undefined) expect(actual).toBeUndefined();
    else expect(actual).toBeCloseTo(expected, 9);
  });
});

describe('label selectors', () => {
  const labels = { app: 'web', tier: 'front' };
  const rows: [string, unknown, boolean][] = [
    ['equal labels', { matchLabels: { app: 'web' } }, true],
    ['another value', { matchLabels: { app: 'db' } }, false],
    ['In', { matchExpressions: [{ key: 'tier', operator: 'In', values: ['front', 'back'] }] }, true],
    ['In, absent label', { matchExpressions: [{ key: 'x', operator: 'In', values: ['front'] }] }, false],
    ['NotIn, absent label', { matchExpressions: [{ key: 'x', operator: 'NotIn', values: ['front'] }] }, true],
    ['Exists', { matchExpressions: [{ key: 'app', operator: 'Exists' }] }, true],
    ['DoesNotExist', { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] }, false],
    ['an operator that does not exist selects nothing', { matchExpressions: [{ key: 'app', operator: '~' }] }, false],
    ['names of Object.prototype are no labels', { matchExpressions: [{ key: 'toString', operator: 'Exists' }] }, false],
    [
      'all conditions must hold',
      { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['front'] }] },
      false,
    ],
  ];
  test.each(rows)('%s', (_row, selector, expected) => {
    const read = readSelector(selector);
    expect(read !== undefined && selects(read, labels)).toBe(expected);
  });

  test('an absent selector is not an empty one', () => {
    expect(readSelector(undefined)).toBeUndefined();
    expect(isEmpty(readSelector({}) ?? { matchLabels: { a: 'b' }, matchExpressions: [] })).toBe(true);
  });

  test('as a query', () => {
    const selector = readSelector({
      matchLabels: { app: 'web' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['a', 'b'] },
        { key: 'x', operator: 'NotIn', values: ['c'] },
        { key: 'y', operator: 'Exists' },
        { key: 'z', operator: 'DoesNotExist' },
      ],
    });
    expect(selector && selectorQuery(selector)).toBe('app=web,tier in (a,b),x notin (c),y,!z');
  });
});

describe('mergePatch', () => {
  const apply = (target: Record<string, unknown>, patch: Record<string, unknown>): Record<string, unknown> => {
    const result = { ...target };
    for (const [key, value] of Object.entries(patch)) {
      if (value === null) delete result[key];
      else if (typeof value === 'object' && !Array.isArray(value)) {
        const before = result[key];
        const base = typeof before === 'object' && before !== null && !Array.isArray(before) ? before : {};
        result[key] = apply(base as Record<string, unknown>, value as Record<string, unknown>);
      } else result[key] = value;
    }
    return result;
  };

  test('no difference is no patch', () => {
    expect(mergePatch({ a: { b: [1] } }, { a: { b: [1] } })).toBeUndefined();
  });

  test('a key that is gone becomes null', () => {
    expect(mergePatch({ a: 1, b: { c: 1, d: 2 } }, { b: { c: 1 } })).toEqual({ a: null, b: { d: null } });
  });

  test('applied to the old value it gives the new one', () => {
    const leaf = fc.oneof(fc.integer(), fc.string(), fc.array(fc.integer(), { maxLength: 3 }));
    const key = fc.constantFrom('a', 'b', 'c', 'd');
    const map = fc.dictionary(key, fc.oneof(leaf, fc.dictionary(key, leaf, { minKeys: 1 })));
    fc.assert(
      fc.property(map, map, (before, after) => {
        const patch = mergePatch(before, after);
        const result = patch === undefined ? before : apply(before, patch);
        // An empty map and an absent one cannot be told apart by a merge patch of what is inside.
        expect(JSON.parse(JSON.stringify(result))).toEqual(JSON.parse(JSON.stringify(after)));
      }),
    );
  });
});

describe('reading', () => {
  test('nothing throws on a strange shape', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(typeof at(value, 'a', 'b')).toBe('object');
        expect(typeof stringMap(value)).toBe('object');
        optionalTime(value);
      }),
    );
  });

  test('a MicroTime comes as text and goes as text', () => {
    expect(microTime(Date.UTC(2026, 0, 5, 12, 0, 0, 7))).toBe('2026-01-05T12:00:00.007000Z');
    expect(optionalTime('2026-01-05T12:00:00.007123Z')).toBe(Date.UTC(2026, 0, 5, 12, 0, 0, 7));
    expect(optionalTime('yesterday')).toBeUndefined();
  });
});
