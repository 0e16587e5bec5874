import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { maskToken } from '../../../src/diagnosis/log-masking.ts';
import { TemplateMiner, tokensOf } from '../../../src/diagnosis/log-templates.ts';
import { templateFacts } from '../../../src/diagnosis/template-facts.ts';
import type { LogLine } from '../../../src/diagnosis/diagnosis.ts';

describe('masking keeps what names and drops what varies', () => {
  test.each([
    ['a word', 'connected', 'connected'],
    ['a number', '4711', '<*>'],
    ['a negative number', '-17', '<*>'],
    ['a key with a value', 'code=17,', 'code=<*>,'],
    ['an address in parentheses', '(10.0.3.7:8080)', '(<*>)'],
    ['hexadecimal', '0xdeadbeef1', '<*>'],
    ['a UUID', '3f2a9c1e-77aa-4b1b-9e11-aa0b6c7d8e9f', '<*>'],
    ['a unit', '35ms', '<*>'],
    ['a name that ends in a digit', 'worker7', 'worker<*>'],
    ['a month', 'Jun', '<*>'],
    ['a sign goes with its number', 'node-246', 'node<*>'],
    ['a sum', '+5', '<*>'],
    ['hexadecimal letters that are a whole token', 'AF3', '<*>'],
    ['hexadecimal letters behind a key', 'key=abc1', 'key=<*>'],
    ['hexadecimal letters at the end of a word', 'xabc1', 'xabc<*>'],
    ['a letter beyond F', 'GF3', 'GF<*>'],
    ['letters behind a number go with it', 'aF3z', '<*>'],
    ['a sign beside the letters', '@A1[', '@<*>['],
    ['another one', '[z1`', '[z<*>`'],
    ['and a brace', '{z1Z{', '{z<*>{'],
    ['nothing', '', ''],
  ])('%s: %s', (_, token, masked) => {
    expect(maskToken(token)).toBe(masked);
  });
});

function groupsOf(lines: readonly string[], miner = new TemplateMiner()): readonly number[] {
  return lines.map((line) => miner.add(line));
}

describe('templates', () => {
  test('lines that differ in values only are one kind', () => {
    const [a, b, c] = groupsOf([
      'user 17 logged in from 10.0.0.1',
      'user 18 logged in from 10.0.0.2',
      'user 18 logged out',
    ]);
    expect(a).toBe(b);
    expect(c).not.toBe(a);
  });

  test('a template becomes more general as lines join it', () => {
    const miner = new TemplateMiner();
    const id = miner.add('opened the session of anna on the console');
    expect(miner.add('opened the session of bert on the console')).toBe(id);
    expect(miner.template(id)).toEqual({
      id,
      tokens: ['opened', 'the', 'session', 'of', '<*>', 'on', 'the', 'console'],
      count: 2,
    });
  });

  test('an empty line is a kind of its own', () => {
    expect(groupsOf(['', '   ', 'x'])).toEqual([0, 0, 1]);
  });

  test('an id that was never given has no template', () => {
    expect(new TemplateMiner().template(3)).toBeUndefined();
  });

  test.each([
    ['three of four tokens alike: one kind', ['a b c d', 'a b c e'], 0.75, 1],
    ['two of four: two', ['a b c d', 'a b e f'], 0.75, 2],
    ['two of four, where half is enough: one', ['a b c d', 'a b e f'], 0.5, 1],
    ['another first token is another branch, however alike', ['a b c d', 'x b c d'], 0.75, 2],
    ['another second one as well', ['a b c d', 'a x c d'], 0.75, 2],
    ['another length is another kind', ['a b c d', 'a b c d e'], 0.1, 2],
  ])('%s', (_, lines, similarity, kinds) => {
    expect(new Set(groupsOf(lines, new TemplateMiner({ similarity }))).size).toBe(kinds);
  });

  test('of two that fit the one that fits better is joined; of equal ones the more general', () => {
    const miner = new TemplateMiner({ similarity: 0.5 });
    const [first, second] = groupsOf(['a b c d e f', 'a b x y z w'], miner);
    expect(first).not.toBe(second);
    expect(miner.add('a b x y z f')).toBe(second);
    // The second is now `a b x y z <*>`: both share three tokens with this line, and the second lets one vary.
    expect(miner.add('a b c y q r')).toBe(second);
  });

  test('a full leaf takes a line into the most similar template', () => {
    const miner = new TemplateMiner({ maxPerLeaf: 2 });
    expect(groupsOf(['a b c d e', 'a b f g h', 'a b f x y'], miner)).toEqual([0, 1, 1]);
    expect(miner.template(1)?.tokens).toEqual(['a', 'b', 'f', '<*>', '<*>']);
  });

  test('a full node takes further words into one branch', () => {
    const miner = new TemplateMiner({ maxChildren: 2 });
    expect(groupsOf(['a x y z', 'b x y z', 'c x y z', 'd x y z', 'a x y z'], miner)).toEqual([0, 1, 2, 2, 0]);
  });

  test('memory is bounded: a full tree answers with everything else', () => {
    const miner = new TemplateMiner({ maxTemplates: 20, maxPerLeaf: 4, maxChildren: 5 });
    for (let i = 0; i < 500; i++) miner.add(`${'w'.repeat(i % 30)} ${'xy'.repeat(i % 17)} ${'z '.repeat(i % 11)}`);
    expect(miner.size).toBeLessThanOrEqual(21);
  });

  test('a line of a megabyte is cut', () => {
    expect(tokensOf('word '.repeat(200_000)).length).toBeLessThanOrEqual(120);
    expect(tokensOf('x'.repeat(1_000_000))[0]?.length).toBe(8192);
  });

  test('any text has a template, and the same text the same one', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 30 }), (lines) => {
        const miner = new TemplateMiner();
        const ids = groupsOf(lines, miner);
        expect(ids.every((id) => miner.template(id) !== undefined)).toBe(true);
        expect(groupsOf(lines)).toEqual(ids);
      }),
      { seed: 4, numRuns: 60 },
    );
  });
});

describe('rates before and since the onset', () => {
  const line = (message: string, atMs: number, level: LogLine['level'] = 'error'): LogLine => ({
    atMs,
    message,
    level,
    service: 's',
  });
  const lines = [
    ...Array.from({ length: 10 }, (_, i) => line(`request ${i} served`, i * 10_000, 'info')),
    ...Array.from({ length: 10 }, (_, i) => line(`request ${i} served`, 100_000 + i * 1000, 'info')),
    line('panic: nil map 7', 105_000),
    line('panic: nil map 8', 106_000),
  ];

  test('new kinds come first, risen ones next', () => {
    const facts = templateFacts(lines, 100_000, 110_000);
    expect(facts[0]).toMatchObject({ template: 'panic: nil map <*>', isNew: true, since: 2, alarming: 2, before: 0 });
    expect(facts[1]).toMatchObject({ template: 'request <*> served', isNew: false, rateRatio: 10 });
  });

  test('the order of the lines does not matter', () => {
    expect(templateFacts([...lines].reverse(), 100_000, 110_000)).toEqual(templateFacts(lines, 100_000, 110_000));
  });

  test.each([
    ['served in a tenth of the time as often', 110_000, 10],
    ['of less than a second is taken as a second', 100_000, 100],
  ])('the time since the onset: %s', (_, nowMs, ratio) => {
    expect(templateFacts(lines, 100_000, nowMs)[1]?.rateRatio).toBeCloseTo(ratio, 9);
  });

  test('what was seen for less than a second before says nothing of what is new', () => {
    const at = (beforeMs: number) => templateFacts([line('a b', 0), line('panic: c', beforeMs)], beforeMs, beforeMs + 1000);
    expect(at(999).map(({ isNew, rateRatio }) => [isNew, rateRatio])).toEqual([[false, 1], [false, 1]]);
    expect(at(1000).map(({ isNew, rateRatio }) => [isNew, rateRatio])).toEqual([[true, 1e6], [false, 0]]);
  }); // prettier-ignore

  test('of equal rates the more frequent first, then by name', () => {
    const since = [line('b two', 5000), line('a one', 5001), line('c three', 5002), line('c three', 5003)];
    const facts = templateFacts([line('old', 0), ...since], 5000, 6000);
    expect(facts.map(({ template }) => template)).toEqual(['c three', 'a one', 'b two', 'old']);
  });

  test('warnings and errors are alarming, and lines without a time are left out', () => {
    const since = (['error', 'warn', 'info', 'debug'] as const).map((level, i) => line('x y', 5000 + i, level));
    expect(templateFacts([line('old', 0), ...since, line('x y', NaN)], 5000, 6000)[0]).toMatchObject({ since: 4, alarming: 2 });
  }); // prettier-ignore

  test('without lines from before nothing is called new', () => {
    expect(templateFacts(lines.slice(10), 100_000, 110_000).some((each) => each.isNew)).toBe(false);
  });
});
