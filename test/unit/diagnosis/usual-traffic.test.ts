import { describe, expect, test } from '@jest/globals';
import type { RememberedSeries } from '../../../src/diagnosis/series-memory.ts';
import { usualTraffic } from '../../../src/diagnosis/usual-traffic.ts';

const ONSET = 1_000_000;
/** Polls each 15 s, the last `untilS` before the onset. */
const series = (value: number, polls: number, { untilS = 75, pod = 'a', shiftMs = 0 } = {}): RememberedSeries => ({
  ...{ metric: 'request_rate', pod },
  points: Array.from({ length: polls }, (_, i) => ({
    atMs: ONSET - untilS * 1_000 - (polls - 1 - i) * 15_000 + shiftMs,
    value,
  })),
});
const whole = ({ pod: _, ...rest }: RememberedSeries): RememberedSeries => rest;

describe('healthy traffic before the onset', () => {
  test.each([
    ['one pod', [series(50, 10)], 50],
    [
      'the sum of the pods, though they are not scraped at one instant',
      [series(50, 10), series(30, 10, { pod: 'b', shiftMs: 4_000 })],
      80,
    ],
    [
      'a pod that was replaced counts while it was there',
      [series(50, 10), series(30, 10, { pod: 'old', untilS: 600 })],
      50,
    ],
    ['the workload’s own series alone, where there is one', [whole(series(90, 10)), series(50, 10)], 90],
    ['fewer than six moments: never observed', [series(50, 5)], undefined],
    ['only what lies more than a minute before', [series(50, 10, { untilS: 0 })], 50],
    ['nothing from before', [series(50, 3, { untilS: 0 })], undefined],
    ['another metric', [{ ...series(50, 10), metric: 'cpu_usage' }], undefined],
    ['no traffic is traffic: it was observed', [series(0, 10)], 0],
  ] as const)('%s', (_, given, expected) => {
    expect(usualTraffic(given, ONSET)).toEqual(expected);
  });
});
