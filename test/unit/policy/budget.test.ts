import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { budgetLeft, costOf, overdraft, spending, withinScope } from '../../../src/policy/budget.ts';
import type { SlidingLimit } from '../../../src/policy/budget.ts';
import { aRecord } from '../../support/builders/policy.ts';
import { HOUR, MINUTE, NOW, SECOND } from '../../support/builders/workload.ts';

const LIMIT: SlidingLimit = { name: 'per minute', limit: 3, windowMs: MINUTE };
const ago = (seconds: number, over: Parameters<typeof aRecord>[0] = {}) =>
  aRecord({ decidedAtMs: NOW - seconds * SECOND, ...over });

describe('overdraft', () => {
  test.each([
    ['room for one', [ago(10), ago(20)], 1, undefined],
    ['no room: when the oldest slides out', [ago(10), ago(20), ago(50)], 1, NOW + 10 * SECOND],
    ['room for two needs two to slide out', [ago(10), ago(20), ago(50)], 2, NOW + 40 * SECOND],
    ['a minute ago is outside', [ago(60), ago(60), ago(60)], 3, undefined],
    ['a moment less is inside', [ago(59.999), ago(1), ago(1)], 1, NOW + 1],
    ['each treated pod counts', [ago(10, { podUids: ['a', 'b', 'c'] })], 1, NOW + 50 * SECOND],
    ['a time in the future counts as now', [ago(-3600), ago(-1), ago(0)], 1, NOW + MINUTE],
  ])('%s', (_sentence, records, asked, retryAtMs) => {
    expect(overdraft(records, LIMIT, asked, NOW)?.retryAtMs).toBe(retryAtMs);
  });

  test('more than the whole budget is never there', () => {
    expect(overdraft([], LIMIT, 4, NOW)).toEqual({ name: 'per minute', used: 0, asked: 4, limit: 3 });
  });
});

test('what counts: sent effects and reservations, not dry runs, alerts or clean failures', () => {
  const counted = [
    aRecord({ name: 'sent' }),
    aRecord({ name: 'reserved', state: 'Executing', spent: false }),
    aRecord({ name: 'lost', state: 'Failed', reason: 'Ambiguous' }),
    aRecord({ name: 'ineffective', state: 'Ineffective' }),
  ];
  const { executedAtMs: _left, ...unsent } = aRecord({ name: 'dry-run-failed', state: 'Failed' });
  const others = [
    aRecord({ name: 'refused', state: 'Failed', reason: 'Rejected' }),
    aRecord({ name: 'pending', state: 'Pending', spent: false }),
    aRecord({ name: 'blocked', state: 'Blocked', spent: false }),
    aRecord({ name: 'dry', state: 'Executing', dryRun: true }),
    aRecord({ name: 'alert', action: 'alert_admin' }),
    aRecord({ name: 'self' }),
    unsent,
  ];
  expect(spending([...counted, ...others], 'self').map(({ name }) => name)).toEqual(counted.map(({ name }) => name));
});

test('an action on the workload as a whole costs one', () => {
  expect([costOf({ podUids: [] }), costOf({ podUids: ['a'] }), costOf({ podUids: ['a', 'b'] })]).toEqual([1, 1, 2]);
});

test('a budget is shared by the namespaces it selects, and by those that are not known', () => {
  const scope = { matchLabels: { team: 'a' }, matchExpressions: [] };
  const budget = { guardrail: 'g', scope, limits: { maxActionsPerMinute: 1, maxActionsPerHour: 1, maxConcurrent: 1 } };
  const rows = ['a', 'b', 'c'].map((namespace) => aRecord({ namespace }));
  const found = withinScope(rows, budget, { a: { team: 'a' }, b: { team: 'b' } });
  expect(found.map(({ namespace }) => namespace)).toEqual(['a', 'c']);
});

describe('laws of the sliding window (I3)', () => {
  const times = fc.array(fc.integer({ min: 0, max: 3 * 3600 }), { maxLength: 60 });

  test('acting only where there is no overdraft, no window ever holds more than the limit', () => {
    fc.assert(
      fc.property(times, (seconds) => {
        const done: ReturnType<typeof aRecord>[] = [];
        for (const second of [...seconds].sort((a, b) => a - b)) {
          const nowMs = NOW + second * SECOND;
          if (overdraft(done, LIMIT, 1, nowMs) === undefined) done.push(aRecord({ decidedAtMs: nowMs }));
        }
        for (const { decidedAtMs } of done) {
          const inside = done.filter((r) => r.decidedAtMs >= decidedAtMs && r.decidedAtMs < decidedAtMs + MINUTE);
          expect(inside.length).toBeLessThanOrEqual(LIMIT.limit);
        }
      }),
    );
  });

  test('at retryAtMs there is room, a moment before there is not', () => {
    fc.assert(
      fc.property(times, fc.integer({ min: 1, max: 3 }), (seconds, asked) => {
        const records = seconds.map((second) => ago(second % 120));
        const over = overdraft(records, LIMIT, asked, NOW);
        if (over?.retryAtMs === undefined) return;
        expect(overdraft(records, LIMIT, asked, over.retryAtMs)).toBeUndefined();
        expect(overdraft(records, LIMIT, asked, over.retryAtMs - 1)).toBeDefined();
      }),
    );
  });

  test('what is left fits, and one more does not', () => {
    const limits = [LIMIT, { name: 'per hour', limit: 7, windowMs: HOUR }];
    fc.assert(
      fc.property(times, (seconds) => {
        const records = seconds.map((second) => ago(second));
        const left = budgetLeft(records, limits, NOW);
        const fits = (asked: number) => limits.every((limit) => overdraft(records, limit, asked, NOW) === undefined);
        expect(fits(left + 1)).toBe(false);
        if (left > 0) expect(fits(left)).toBe(true);
      }),
    );
  });
});
