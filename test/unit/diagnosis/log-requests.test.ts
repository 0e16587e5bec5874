import { describe, expect, test } from '@jest/globals';
import type { LogLine } from '../../../src/diagnosis/diagnosis.ts';
import { oddStep } from '../../../src/diagnosis/log-requests.ts';
import { MINUTE, ONSET } from '../../support/builders/diagnosis.ts';

const id = (i: number): string => `4bf92f3577b34da6${String(i).padStart(4, '0')}`;

/** Requests of these steps, a second apart and a millisecond a step, from `fromMs` on. */
function requests(count: number, steps: readonly string[], fromMs: number, tagged = (of: string) => `trace_id=${of}`): LogLine[] {
  return Array.from({ length: count }, (_, i) =>
    steps.map((step, k): LogLine => ({
      atMs: fromMs + i * 1000 + k,
      level: 'info',
      message: `${step} ${tagged(id(fromMs % 7919 + i))}`,
      service: 'checkout',
      pod: 'checkout-1',
    })),
  ).flat();
} // prettier-ignore

const BEFORE = ONSET - 5 * MINUTE;
const usual = requests(40, ['begin', 'query', 'done'], BEFORE);
const odd = requests(40, ['begin', 'denied'], ONSET);

describe('the step of a workload’s requests that changed most', () => {
  test('with what it follows, and how often it was taken, before and now', () => {
    expect(oddStep([...usual, ...odd], ONSET)).toMatchObject({ before: [0, 40], after: [40, 40] });
  });

  test('a request that ends early has no next step, one that begins otherwise has none before it', () => {
    const early = oddStep([...usual, ...requests(40, ['begin', 'query'], ONSET)], ONSET);
    expect(early).toMatchObject({ from: 'query trace_id=ID', before: [0, 40], after: [40, 40] });
    expect(early).not.toHaveProperty('to');
    const late = oddStep([...usual, ...requests(40, ['done'], ONSET)], ONSET);
    expect(late).toMatchObject({ to: 'done trace_id=ID', before: [0, 40], after: [40, 40] });
    expect(late).not.toHaveProperty('from');
  });

  test('lines may come in any order, and those without a time are left out', () => {
    const lines = [...usual, ...odd];
    const timeless = requests(40, ['begin', 'timeless'], 0).map((line) => ({ ...line, atMs: NaN }));
    const expected = oddStep(lines, ONSET);
    expect(oddStep(lines.toReversed(), ONSET)).toEqual(expected);
    expect(oddStep([...timeless, ...lines], ONSET)).toEqual(expected);
  });

  test('a request that was under way at the onset belongs whole to the time before', () => {
    const underWay = requests(20, ['begin'], ONSET - 20_000);
    const ends = requests(20, ['query'], ONSET - 20_000).map((line, i) => ({ ...line, atMs: ONSET + i }));
    expect(oddStep([...usual, ...underWay, ...ends, ...requests(40, ['begin', 'query', 'done'], ONSET + 1)], ONSET)).toBeUndefined();
  });

  test.each<readonly [string, readonly LogLine[]]>([
    ['only requests from before', usual],
    ['only requests since', odd],
    ['none', []],
    ['a change that chance explains', [...usual, ...requests(2, ['begin', 'denied'], ONSET)]],
  ])('nothing is said of %s', (_, lines) => {
    expect(oddStep(lines, ONSET)).toBeUndefined();
  });

  test('requests of two pods are two, though they carry one id', () => {
    const other = [...usual, ...requests(40, ['begin', 'query', 'done'], ONSET)].map((line, i) => ({ ...line, pod: `checkout-${i % 3}` }));
    // Each pod shows one line of each: a course of single steps, the same before and since.
    expect(oddStep(other, ONSET)).toBeUndefined();
  });

  test.each<readonly [string, (of: string) => string, boolean]>([
    ['trace_id=', (of) => `trace_id=${of}`, true],
    ['traceId: ', (of) => `traceId: ${of}`, true],
    ['span.id = ', (of) => `span.id = ${of}`, true],
    ['request-id:', (of) => `request-id:${of}`, true],
    ['a JSON field', (of) => `{"correlationId":"${of}"}`, true],
    ['a JSON field with spaces', (of) => `{ "trace_id" : "${of}" }`, true],
    ['in capitals', (of) => `REQUEST_ID=${of}`, true],
    ['an id of eight characters', (of) => `trace_id=${of.slice(-8)}`, true],
    ['an id of seven characters', (of) => `trace_id=${of.slice(-7)}`, false],
    ['an id that begins with a dash', (of) => `trace_id=-${of}`, false],
    ['another word before it', (of) => `backtrace_id=${of}`, false],
    ['a name that is none of these', (of) => `session_id=${of}`, false],
    ['no sign between', (of) => `trace_id ${of}`, false],
    ['far behind in a long line', (of) => `${'x'.repeat(8_192)} trace_id=${of}`, false],
  ])('the id of a request: %s', (_, tagged, expected) => {
    const lines = [...requests(40, ['begin', 'query', 'done'], BEFORE, tagged), ...requests(40, ['begin', 'denied'], ONSET, tagged)];
    expect(oddStep(lines, ONSET) !== undefined).toBe(expected);
  });
}); // prettier-ignore
