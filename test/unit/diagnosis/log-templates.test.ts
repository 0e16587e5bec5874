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

  test('without lines from before nothing is called new', () => {
    expect(templateFacts(lines.slice(10), 100_000, 110_000).some((each) => each.isNew)).toBe(false);
  });
});
