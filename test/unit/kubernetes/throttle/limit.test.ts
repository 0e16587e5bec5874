import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { shareOf } from '../../../../src/kubernetes/throttle/limit.ts';

describe('a limit in whole requests', () => {
  test.each([
    ['100/s over 2 proxies', 100, 2, { requests: 50, unit: 'Second' }],
    ['100/s over 3 proxies is rounded', 100, 3, { requests: 33, unit: 'Second' }],
    ['7/s over 2: whole seconds would miss by more than 5 %', 7, 2, { requests: 210, unit: 'Minute' }],
    ['half a request a second', 0.5, 1, { requests: 30, unit: 'Minute' }],
    ['next to nothing is at least one a minute', 0.001, 5, { requests: 1, unit: 'Minute' }],
    ['no counter counts as one', 10, 0, { requests: 10, unit: 'Second' }],
  ])('%s', (_, limit, counters, expected) => {
    expect(shareOf(limit, counters)).toEqual(expected);
  });

  test('all counters together miss the limit by 5 % at most, from one a second each on', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 1e6, noNaN: true }), fc.integer({ min: 1, max: 100 }), (each, counters) => {
        const { requests, unit } = shareOf(each * counters, counters);
        const perSecond = (counters * requests) / (unit === 'Second' ? 1 : 60);
        expect(Math.abs(perSecond - each * counters) / (each * counters)).toBeLessThanOrEqual(0.05 + 1e-9);
      }),
    );
  });
});
