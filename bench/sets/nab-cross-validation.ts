import { seededRandom } from '../../src/lib/seeded-random.ts';
import type { NabSeries } from './nab-data.ts';
import { alarmRows } from './nab-detector.ts';
import type { Design } from './nab-detector.ts';
import { nabTotal } from './nab-scorer.ts';
import type { NabProfile } from './nab-scorer.ts';

/** Lines that may be chosen: 0.5 to 2 of a design's own, 3.5 % apart. */
const LINES = Float64Array.from({ length: 41 }, (_, i) => 0.5 * 4 ** (i / 40));
/**
 * A line is judged by the mean score of its neighbourhood, three lines (11 %) to either side: what is high alone there is
 * luck of the half, a plateau carries over. Any width from 1 to 6 gives the same mean within 0.4; a peak costs 1.5.
 */
const PLATEAU = 3;

/** One series with a design's ratios for it. */
export interface Candidate {
  readonly design: Design;
  /** In the order of the series. */
  readonly ratios: readonly Float64Array[];
}

export interface CrossValidation {
  readonly mean: number;
  /** Standard deviation over halves. */
  readonly spread: number;
  /** The score of each half that was not chosen on; a half without a window has none. */
  readonly scores: readonly number[];
  /** Names of the designs that were chosen, the most frequent first, with how often. */
  readonly chosen: readonly (readonly [name: string, times: number])[];
}

/** Totals by series and line: totals add up over series, so any half is a sum of rows. */
type Totals = readonly Float64Array[];

/**
 * Structure, constants and line are chosen on one random half of the series and scored on the other; mean and spread over
 * halves. The alarm policy re-arms at the line that is tried, in choosing as in scoring.
 */
export function crossValidate(
  series: readonly NabSeries[],
  family: readonly Candidate[],
  profile: NabProfile,
  halves: number,
): CrossValidation {
  const all = family.map(({ design, ratios }) => ({ design, totals: totalsOf(series, ratios, design, profile) }));
  const scoreAt = (totals: Totals, line: number, half: ReadonlySet<number>, inside: boolean): number => {
    let [total, windows] = [0, 0];
    totals.forEach((row, s) => {
      if (half.has(s) !== inside) return;
      total += row[line] ?? 0;
      windows += series[s]?.windows.length ?? 0;
    });
    return (100 * (total + profile.fn * windows)) / ((1 + profile.fn) * windows);
  };
  const results: number[] = [];
  const chosen = new Map<string, number>();
  for (const half of randomHalves(series.length, halves)) {
    let best: { readonly at: number; readonly line: number; readonly score: number } | undefined;
    all.forEach(({ totals }, at) => {
      const scores = Array.from(LINES, (_, line) => scoreAt(totals, line, half, true));
      scores.forEach((_, line) => {
        const near = scores.slice(Math.max(line - PLATEAU, 0), line + PLATEAU + 1);
        const score = near.reduce((sum, each) => sum + each, 0) / near.length;
        if (best === undefined || score > best.score) best = { at, line, score };
      });
    });
    const choice = best === undefined ? undefined : all[best.at];
    if (best === undefined || choice === undefined) continue;
    const score = scoreAt(choice.totals, best.line, half, false);
    if (!Number.isFinite(score)) continue;
    results.push(score);
    chosen.set(choice.design.name, (chosen.get(choice.design.name) ?? 0) + 1);
  }
  const mean = results.reduce((sum, score) => sum + score, 0) / results.length;
  const spread = Math.sqrt(results.reduce((sum, score) => sum + (score - mean) ** 2, 0) / results.length);
  return { mean, spread, scores: results, chosen: [...chosen].toSorted(([, a], [, b]) => b - a) };
}

function totalsOf(
  series: readonly NabSeries[],
  ratios: readonly Float64Array[],
  { refractory }: Design,
  profile: NabProfile,
): Totals {
  return series.map(({ windows }, s) => {
    const of = ratios[s] ?? new Float64Array(0);
    return LINES.map((line) => nabTotal(of.length, windows, alarmRows(of, refractory, line), profile));
  });
}

/** Index sets of random halves, the larger one where the number is odd. */
function randomHalves(count: number, halves: number): readonly ReadonlySet<number>[] {
  const random = seededRandom(2024);
  return Array.from({ length: halves }, () => {
    const order = Array.from({ length: count }, (_, i) => i);
    for (let i = order.length - 1; i > 0; i--) {
      const j = random.below(i + 1);
      [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
    }
    return new Set(order.slice(0, Math.ceil(order.length / 2)));
  });
}
