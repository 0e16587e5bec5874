import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createSieve } from '../../../src/diagnosis/anchors.ts';
import {
  LOG_PATTERNS,
  LOG_SIGNATURES,
  signaturesOf,
  type LogSignature,
} from '../../../src/diagnosis/log-signatures.ts';

const sieve = createSieve(LOG_SIGNATURES);

const inAnyCase = (text: string): fc.Arbitrary<string> =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((upper) => [...text].map((char, i) => (upper[i] === true ? char.toUpperCase() : char)).join(''));

/** Texts that the pattern of a signature matches, its words in whatever case, with whatever around them. */
const matchOf = (signature: LogSignature): fc.Arbitrary<string> => {
  const withoutEdges = new RegExp(LOG_PATTERNS[signature].source.replaceAll('\\b', ''));
  const around = fc.oneof(
    fc.constant(''),
    fc.string({ unit: 'binary', maxLength: 8 }).map((text) => `${text} `),
  );
  return fc
    .tuple(around, fc.stringMatching(withoutEdges).chain(inAnyCase), around)
    .map(([before, text, behind]) => `${before} ${text} ${behind}`)
    .filter((line) => LOG_PATTERNS[signature].test(line));
};

const tried = (line: string): readonly LogSignature[] =>
  LOG_SIGNATURES.filter((signature) => LOG_PATTERNS[signature].test(line));

describe('the sieve', () => {
  test.each(LOG_SIGNATURES)('lets through whatever is %s', (signature) => {
    const bit = 1 << LOG_SIGNATURES.indexOf(signature);
    fc.assert(
      fc.property(matchOf(signature), (line) => {
        expect(sieve(line) & bit).toBe(bit);
        expect(signaturesOf(line)).toEqual(tried(line));
      }),
      { numRuns: 600 },
    );
  });

  test('changes no verdict on any other text', () => {
    const words = fc.constantFrom(
      'connection',
      'timeout',
      'pool',
      'GC',
      'lock',
      '503',
      'retry',
      'ſlow',
      'K',
      'rate',
      'limit',
    );
    const line = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(words).map((list) => list.join(' ')),
    );
    fc.assert(
      fc.property(line, (text) => {
        expect(signaturesOf(text)).toEqual(tried(text));
      }),
      { numRuns: 3_000 },
    );
  });

  test.each(['GET /cart/77 answered 200 after 3 ms', 'user 12 added item 4711 to the cart', ''])(
    'tries no pattern on an ordinary line: %s',
    (line) => {
      expect(sieve(line)).toBe(0);
    },
  );
});
