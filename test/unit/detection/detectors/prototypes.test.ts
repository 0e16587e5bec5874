import { describe, expect, test } from '@jest/globals';
import { nearestPrototype, teachPrototype } from '../../../../src/detection/detectors/prototypes.ts';
import { D } from '../../../../src/detection/state/series-record.ts';
import type { Cursor } from '../../../../src/detection/state/slab.ts';
import { aRecord } from '../../../support/builders/detection.ts';

/** Values have ranged over 0 to 400, spreads over 0 to 40: a distance of 1 is 100 in value or 10 in spread. */
function aPast(states: readonly (readonly [value: number, spread: number])[] = []): Cursor {
  const c = aRecord();
  c.f64[c.d + D.high] = 400;
  c.f64[c.d + D.spreadHigh] = 40;
  for (const [value, spread] of states) meet(c, value, spread);
  return c;
}

function meet(c: Cursor, value: number, spread = 0): number {
  const distance = nearestPrototype(c, value, spread);
  teachPrototype(c, value, spread, distance);
  return distance;
}

describe('the nearest remembered state', () => {
  test.each([
    ['by value', [[100, 5]], [150, 5], 0.5],
    ['by spread', [[100, 5]], [100, 8], 0.3],
    ['by the axis on which they are farther apart', [[100, 5]], [150, 8], 0.5],
    ['on either side', [[100, 5]], [20, 1], 0.8],
    [
      'of several',
      [
        [0, 0],
        [100, 5],
        [300, 20],
      ],
      [310, 19],
      0.1,
    ],
    ['where nothing is remembered yet', [], [310, 19], 0],
  ] as const)('%s', (_, states, [value, spread], expected) => {
    expect(nearestPrototype(aPast(states), value, spread)).toBeCloseTo(expected, 6);
  });

  test('an axis that never moved counts four quarters as soon as it moves, however little', () => {
    const c = aRecord();
    c.f64.fill(7, c.d + D.low, c.d + D.low + 2);
    meet(c, 7);
    expect(nearestPrototype(c, 7, 0)).toBe(0);
    expect(nearestPrototype(c, 7.5, 0)).toBeCloseTo(4, 6);
    expect(nearestPrototype(c, 7, 0.25)).toBeCloseTo(4, 6);
  });
});

describe('a state is remembered', () => {
  test.each([
    ['if it is more than a quarter away from all others', 126, 0.26],
    ['not if it is a quarter away: the next one there is as far', 125, 0.5],
  ])('%s', (_, value, next) => {
    const c = aPast([[100, 0]]);
    meet(c, value);
    expect(meet(c, 150)).toBeCloseTo(next === 0.5 ? 0.5 : 0.24, 6);
  });

  test('112 at most: the next takes the place of the one that nothing was near to for the longest', () => {
    const states = Array.from({ length: 112 }, (_, i) => [100 * i, 0] as const);
    const c = aPast(states);
    meet(c, 0);
    meet(c, 200);
    meet(c, 20_000);
    meet(c, 30_000);
    // 100 and 300 made room; 0 and 200 had been met again.
    const far = [0, 100, 200, 300, 400, 20_000, 30_000].filter((value) => nearestPrototype(c, value, 0) > 0);
    expect(far).toEqual([100, 300]);
  });
});
