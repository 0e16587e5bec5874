import { describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkScorer } from '../../../bench/sets/nab-check.ts';
import { readNab } from '../../../bench/sets/nab-data.ts';
import {
  NAB_PROFILES,
  bestNabScore,
  nabScoreAt,
  place,
  prepareCorpus,
  probation,
} from '../../../bench/sets/nab-scorer.ts';
import type { NabProfile, ScoredSeries } from '../../../bench/sets/nab-scorer.ts';
import { putNab, putNabPeer } from '../../support/bench-data.ts';

const [STANDARD, LOW_FP, LOW_FN] = NAB_PROFILES as readonly [NabProfile, NabProfile, NabProfile];

/** Forty rows, six of them on probation; a window over the rows 20 to 24. */
function series(firing: Readonly<Record<number, number>>): ScoredSeries {
  const scores = Float64Array.from({ length: 40 }, (_, i) => firing[i] ?? 0);
  return { name: 's', scores, windows: [[20, 24]] };
}
const scoreOf = (firing: Readonly<Record<number, number>>, profile = STANDARD): number =>
  bestNabScore(prepareCorpus([series(firing)]), profile).score;

describe('what a row is worth, by the formulas of NAB (values from Python)', () => {
  test.each([
    ['first row of a window of three', 2, 1],
    ['second row', 3, 0.9437422611978669],
    ['last row', 4, 0.6915182473196357],
    ['half a window after it', 5, -0.8482836399575129],
    ['a window after it', 6, -0.9866142981514303],
    ['three windows after it', 10, -0.9999993881955461],
    ['farther away', 11, -1],
  ])('%s', (_, row, expected) => {
    const value = row <= 4 ? place(row, [2, 4], undefined, 0) : place(row, undefined, [2, 4], 1);
    expect(value.value).toBeCloseTo(expected, 9);
  });

  test('before the first window a row costs its whole weight', () => {
    expect(place(0, [2, 4], undefined, 0)).toEqual({ window: -1, value: -1 });
  });
});

describe('a corpus', () => {
  test.each([
    ['nothing fires: the null detector', {}, 0],
    ['the first row of the window fires: the perfect one', { 20: 1 }, 100],
    ['a second row in the window earns nothing more', { 20: 1, 22: 1 }, 100],
    ['one false row far away, as sure as the hit, costs 0.11 of a window', { 20: 1, 10: 1 }, 100 * (1 - 0.11 / 2)],
    ['a false row that is less sure stays below the threshold', { 20: 1, 10: 0.9 }, 100],
    ['a false row on probation costs nothing', { 20: 1, 3: 1 }, 100],
    ['only false rows: better not to fire at all', { 10: 1 }, 0],
  ])('%s', (_, firing, expected) => {
    expect(scoreOf(firing)).toBeCloseTo(expected, 9);
  });

  test('the profiles weigh false rows and missed windows', () => {
    const firing = { 20: 1, 10: 1 };
    expect(scoreOf(firing, LOW_FP)).toBeCloseTo(100 * (1 - 0.22 / 2), 9);
    expect(scoreOf(firing, LOW_FN)).toBeCloseTo(100 * (1 - 0.11 / 3), 9);
  });

  test('one threshold serves all series: a quiet hit here is bought with a false row there', () => {
    const loud = series({ 20: 1, 10: 0.6 });
    const quiet = series({ 20: 0.5 });
    const best = bestNabScore(prepareCorpus([loud, quiet]), STANDARD);
    expect(best.threshold).toBe(0.5);
    expect(best.windowsHit).toBe(2);
    expect(best.score).toBeCloseTo(100 * (1 - 0.11 / 4), 9);
    expect(nabScoreAt(prepareCorpus([loud, quiet]), STANDARD, 0.9).score).toBeCloseTo(50, 9);
  });

  test.each([
    [100, 15],
    [4032, 604],
    [22_695, 750],
  ])('of %p rows the first %p are not scored', (rows, expected) => {
    expect(probation(rows)).toBe(expected);
  });
});

describe('our scorer against stored rows of NAB’s', () => {
  const sigmoid = (x: number): number => (x > 3 ? -1 : 2 / (1 + Math.exp(5 * x)) - 1);
  const [LEFT, RIGHT, ROWS] = [50, 59, 120];
  const inside = (i: number): boolean => i >= LEFT && i <= RIGHT;
  const earned = (i: number): number => {
    if (inside(i)) return sigmoid(-(RIGHT - i + 1) / (RIGHT - LEFT + 1)) / sigmoid(-1);
    return 0.11 * (i < LEFT ? -1 : sigmoid((i - RIGHT) / (RIGHT - LEFT)));
  };
  const fires: Readonly<Record<number, number>> = { 5: 0.99, 30: 0.9, 54: 0.8, 57: 0.95, 80: 0.7 };

  /** Old kind: what fired at 0.75 is charged, the window's best stands on its first row. */
  const charged = (i: number): number => {
    if (i === LEFT) return earned(54);
    return !inside(i) && i >= 18 && (fires[i] ?? 0) >= 0.75 ? earned(i) : 0;
  };

  function check(credit: (i: number) => number): ReturnType<typeof checkScorer> {
    const folder = mkdtempSync(join(tmpdir(), 'aegis-nab-check-'));
    const values = Array.from({ length: ROWS }, (_, i) => i);
    putNab(join(folder, 'nab'), [{ name: 'some/thing.csv', values, windows: [[LEFT, RIGHT]] }]);
    const rows = values.map((i) => ({ score: fires[i] ?? 0.1, credit: credit(i) }));
    putNabPeer(join(folder, 'nab-peers'), 'them', 'some/thing.csv', rows);
    const result = checkScorer(join(folder, 'nab-peers'), readNab(join(folder, 'nab')));
    rmSync(folder, { recursive: true });
    return result;
  }

  test('rows that state what they would earn: all agree', () => {
    expect(check(earned)).toEqual({ rows: ROWS, detectors: 1, different: 0, differentTotals: 0 });
  });

  test('rows that state what was charged: all agree, and so does the sum', () => {
    expect(check(charged)).toEqual({ rows: ROWS, detectors: 1, different: 0, differentTotals: 0 });
  });

  test.each<[string, (i: number) => number, number, number]>([
    ['an earning that is off', (i) => earned(i) + (i === 55 ? 0.01 : 0), 1, 0],
    ['a charge that is off', (i) => charged(i) + (i === 30 ? 0.01 : 0), 1, 1],
    ['a window said to be missed', (i) => (i === LEFT ? -1 : charged(i)), 1, 1],
  ])('%s is found', (_, credit, different, differentTotals) => {
    expect(check(credit)).toMatchObject({ different, differentTotals });
  });
});
