import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compilePattern } from '../../../src/lib/linear-pattern.ts';
import type { LinearPattern } from '../../../src/lib/linear-pattern.ts';

function compiled(source: string): LinearPattern {
  const pattern = compilePattern(source);
  if (!pattern.ok) throw new Error(pattern.error);
  return pattern.value;
}

const TEXTS = [
  '',
  'a',
  'b',
  'ab',
  'abab',
  'aaa',
  'shop-1',
  'SHOP',
  'a b',
  'a\nb',
  'x]y',
  '2024-01-31',
  'foo_bar',
  '-',
  'é',
];

describe('a pattern says the same as the built-in engine', () => {
  test.each([
    'a', 'ab', 'a|b', 'a*', '^a*$', '^(ab)+$', '^(?:ab)?$', 'a{2}', '^a{2,}$', '^a{1,2}$', '^a{0}$', '.', '^.$', '^.*$', 'a.b', '\\d{4}-\\d\\d', '^\\w+$',
    '\\W', '\\s', '^\\S*$', '[ab]+', '^[^ab]+$', '[a-c-]', '[\\d-]', '[\\]]', '[^\\w]', '^$', '\\bfoo', 'a\\b', '\\Bb', 'a|', '|', '(a|b|)c?', '^(a|ab)(b|)$',
    '\\x61', '\\u0061b', '[\\x61-\\x63]', '\\-', '\\.', 'a+?b', '(a*)*', '^(a+)+$', '((a|b)*ab)+$', '[^a]', '[\\D]', '[^\\D]', '\\n', '{', 'a{', 'a{,2}',
  ])('%s', (source) => {
    const pattern = compiled(source);
    for (const text of TEXTS) expect([text, pattern.test(text)]).toEqual([text, new RegExp(source).test(text)]);
  }); // prettier-ignore

  test('(?i) at the front ignores case, in sets and ranges too', () => {
    expect(compiled('(?i)^sh[o-p]{2}$').test('SHOP')).toBe(true);
    expect(compiled('(?i)[^s]').test('S')).toBe(false);
  });

  test('random patterns over a small alphabet agree with the built-in engine', () => {
    const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '(a|b)', '(?:ab|)', '^', '$', '\\b');
    const piece = fc
      .tuple(atom, fc.constantFrom('', '*', '+', '?', '{2}', '{0,2}', '{1,}'))
      .map(([a, q]) => (/^[\^$\\]b?$/.test(a) ? a : a + q));
    const source = fc
      .array(
        fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join('')),
        { minLength: 1, maxLength: 3 },
      )
      .map((parts) => parts.join('|'));
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ' '), maxLength: 12 });
    fc.assert(
      fc.property(source, text, (pattern, subject) => {
        expect(compiled(pattern).test(subject)).toBe(new RegExp(pattern).test(subject));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('what is refused', () => {
  test.each([
    ['(?=a)', 'look-around, names and flags in groups are not supported'],
    ['(?<n>a)', 'look-around, names and flags in groups are not supported'],
    ['(a)\\1', '\\1 is not supported'],
    ['\\p{L}', '\\p is not supported'],
    ['(a', 'a group is not closed'],
    ['a)', 'a closing parenthesis without an opening one'],
    ['[a', 'a set is not closed'],
    ['[]', 'an empty set'],
    ['[b-a]', 'a range is out of order'],
    ['*a', 'nothing before * to repeat'],
    ['a**', 'two repeats in a row'],
    ['a{3,2}', 'the repeat {3,2} is out of order'],
    ['a\\', 'a backslash at the end'],
    ['((a{100}){100}){100}', 'the pattern unrolls to more than 400 steps'],
    ['x'.repeat(257), 'the pattern is longer than 256 characters'],
    ['('.repeat(60) + ')'.repeat(60), 'groups are nested too deeply'],
  ])('%s', (source, problem) => expect(compilePattern(source)).toEqual({ ok: false, error: problem }));
});

test('a pattern that takes the built-in engine for ever takes a bounded number of steps', () => {
  // (a+)+$ on 27 a's and a b: 2 s in the built-in engine; here 8 KiB are as many steps as any other 8 KiB.
  expect(compiled('^(a+)+$').test(`${'a'.repeat(8_000)}b`)).toBe(false);
  expect(compiled('(a|a)*(a|a)*(a|a)*c').test('a'.repeat(8_192))).toBe(false);
});

test('only the first 8 KiB are searched', () => expect(compiled('b').test(`${'a'.repeat(8_192)}b`)).toBe(false));
