import { describe, expect, test } from '@jest/globals';
import { summarise, type Second } from '../../../tools/e2e/load/tally.ts';

const second = (atMs: number, more: Partial<Second> = {}): Second => ({
  ...{ workload: 'web', atMs, sent: 2, failed: 0, latenciesMs: [10, 20], causes: {} },
  ...more,
});

describe('what callers saw', () => {
  test.each<[string, readonly Second[], number, number]>([
    ['the first second counts', [second(1_000), second(2_000)], 1_000, 2],
    ['the last does not', [second(1_000), second(3_000)], 3_000, 2],
    ['another workload does not', [second(1_000), second(1_000, { workload: 'mail' })], 3_000, 2],
    ['failed requests were sent too', [second(1_000, { failed: 2, latenciesMs: [] })], 3_000, 2],
  ])('%s', (_, seconds, toMs, sent) => {
    expect(summarise(seconds, 'web', 1_000, Math.max(toMs, 1_001)).sent).toBe(sent);
  });

  test('causes of failures add up', () => {
    const seconds = [
      second(0, { failed: 2, latenciesMs: [], causes: { 503: 1, timeout: 1 } }),
      second(1_000, { failed: 1, latenciesMs: [5], causes: { 503: 1 } }),
    ];
    const seen = summarise(seconds, 'web', 0, 2_000);
    expect(seen.causes).toEqual({ 503: 2, timeout: 1 });
    expect(seen.failedShare).toBe(0.75);
  });

  test('the 95th percentile is a duration that came', () => {
    const latenciesMs = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect(summarise([second(0, { latenciesMs })], 'web', 0, 1_000).p95Ms).toBe(95);
  });

  test('no request is no share of failures, not a good one', () => {
    const seen = summarise([], 'web', 0, 1_000);
    expect([seen.sent, seen.failedShare, seen.p95Ms]).toEqual([0, NaN, NaN]);
  });
});
