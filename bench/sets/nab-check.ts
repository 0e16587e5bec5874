import { createHash } from 'node:crypto';
import type { Figure } from '../registry.ts';
import { peersIn, readPeerRows } from './nab-data.ts';
import type { NabSeries, PeerRows } from './nab-data.ts';
import { windowedGaussian } from './windowed-gaussian.ts';
import { NAB_PROFILES, bestNabScore, nabTotal, place, prepareCorpus, probation } from './nab-scorer.ts';
import type { NabProfile } from './nab-scorer.ts';

/**
 * Is our scorer NAB's? Published results hold what NAB's own scorer made of every row, in one of two ways: newer ones
 * state what a row would earn if it fired; older ones state what fired at the threshold of that time, with a window's
 * earning (or its loss) on the window's first row.
 */
export interface ScorerCheck {
  readonly rows: number;
  readonly detectors: number;
  /** Rows for which our scorer says something else. */
  readonly different: number;
  /** Series and profiles whose sum differs. */
  readonly differentTotals: number;
}

const EQUAL = 1e-6;

export function checkScorer(directory: string, corpus: readonly NabSeries[]): ScorerCheck {
  let [rows, detectors, different, differentTotals] = [0, 0, 0, 0];
  for (const peer of peersIn(directory)) {
    const stored = corpus.map((series) => readPeerRows(directory, peer, series));
    let compared = 0;
    NAB_PROFILES.forEach((profile, p) => {
      const known = corpus.flatMap((series, s) => pairOf(series, stored[s], p));
      if (known.length === 0) return;
      const result = known.some(({ credits }) => credits[0] !== 0)
        ? checkEarnings(known, profile)
        : checkFired(known, profile);
      compared += result.rows;
      different += result.different;
      differentTotals += result.differentTotals;
    });
    rows += compared;
    if (compared > 0) detectors++;
  }
  return { rows, detectors, different, differentTotals };
}

/** One series of one detector with the stored credits of one profile. */
interface Stored {
  readonly series: NabSeries;
  readonly scores: Float64Array;
  readonly credits: Float64Array;
}

function pairOf(series: NabSeries, stored: PeerRows | undefined, profile: number): readonly Stored[] {
  const credits = stored?.credits[profile];
  return stored === undefined || credits === undefined ? [] : [{ series, scores: stored.scores, credits }];
}

type Counts = Pick<ScorerCheck, 'rows' | 'different' | 'differentTotals'>;

/** What each row earns if it fires, weighted. */
function earningsOf({ windows, values }: NabSeries, { fp }: NabProfile): { earned: Float64Array; inside: Int32Array } {
  const earned = new Float64Array(values.length);
  const inside = new Int32Array(values.length).fill(-1);
  let next = 0;
  for (let i = 0; i < values.length; i++) {
    while (next < windows.length && i > (windows[next]?.[1] ?? 0)) next++;
    const { window, value } = place(i, windows[next], windows[next - 1], next);
    earned[i] = window < 0 ? value * fp : value;
    inside[i] = window;
  }
  return { earned, inside };
}

function checkEarnings(known: readonly Stored[], profile: NabProfile): Counts {
  let [rows, different] = [0, 0];
  for (const { series, credits } of known) {
    const { earned } = earningsOf(series, profile);
    for (let i = 0; i < credits.length; i++)
      if (!(Math.abs((credits[i] ?? NaN) - (earned[i] ?? NaN)) <= EQUAL)) different++;
    rows += credits.length;
  }
  return { rows, different, differentTotals: 0 };
}

interface Prepared extends Stored {
  readonly earned: Float64Array;
  /** Index of the row's window, or -1. */
  readonly inside: Int32Array;
}

function checkFired(known: readonly Stored[], profile: NabProfile): Counts {
  const prepared = known.map((stored) => ({ ...stored, ...earningsOf(stored.series, profile) }));
  const counts = possibleThresholds(prepared).map((threshold) => countsAt(prepared, threshold, profile));
  const [best] = counts.toSorted((a, b) => a.different - b.different);
  return best ?? { rows: 0, different: 0, differentTotals: 0 };
}

/**
 * The threshold is not stored. It is at most the lowest score of a row that was charged outside, above every score that was
 * not, and between these only a score within a window makes a difference.
 */
function possibleThresholds(prepared: readonly Prepared[]): readonly number[] {
  let [charged, quiet] = [Infinity, -Infinity];
  const within: number[] = [];
  for (const { credits, scores, inside } of prepared) {
    for (let i = probation(scores.length); i < credits.length; i++) {
      const score = scores[i] ?? NaN;
      if ((inside[i] ?? -1) >= 0) within.push(score);
      else if (credits[i] !== 0) charged = Math.min(charged, score);
      else quiet = Math.max(quiet, score);
    }
  }
  if (charged === Infinity) return [];
  const between = new Set(within.filter((score) => score > quiet && score <= charged));
  return [charged, ...[...between].toSorted((a, b) => b - a).slice(0, 50)];
}

function countsAt(prepared: readonly Prepared[], threshold: number, profile: NabProfile): Counts {
  let [rows, different, differentTotals] = [0, 0, 0];
  for (const each of prepared) {
    const expected = creditsAt(each, threshold, profile);
    for (let i = 0; i < expected.length; i++) {
      if (!(Math.abs((each.credits[i] ?? NaN) - (expected[i] ?? NaN)) <= EQUAL)) different++;
    }
    rows += expected.length;
    const firing = [...each.scores.keys()].filter((i) => (each.scores[i] ?? 0) >= threshold);
    const total = nabTotal(each.scores.length, each.series.windows, firing, profile);
    const stored = each.credits.reduce((sum, credit) => sum + credit, 0);
    if (!(Math.abs(total - stored) <= EQUAL * Math.max(1, firing.length))) differentTotals++;
  }
  return { rows, different, differentTotals };
}

function creditsAt({ series, scores, earned, inside }: Prepared, threshold: number, { fn }: NabProfile): Float64Array {
  const credits = new Float64Array(scores.length);
  const best = series.windows.map(() => -Infinity);
  for (let i = probation(scores.length); i < scores.length; i++) {
    if (!((scores[i] ?? 0) >= threshold)) continue;
    const window = inside[i] ?? -1;
    if (window < 0) credits[i] = earned[i] ?? 0;
    else best[window] = Math.max(best[window] ?? -Infinity, earned[i] ?? 0);
  }
  series.windows.forEach(([left], w) => {
    const value = best[w] ?? -Infinity;
    credits[left] = value === -Infinity ? -fn : value;
  });
  return credits;
}

/** Totals that others computed for a corpus, by the fingerprint of its names and windows: standard profile. */
const KNOWN_TOTALS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  '618730904bfbe7c1': {
    ARTime: 78.2,
    contextOSE: 74.1,
    earthgeckoSkyline: 56.1,
    knncad: 64.4,
    numenta: 71.2,
    randomCutForest: 52.0,
    windowedGaussian: 36.7,
  },
};

/** Names the corpus: the same files with the same windows. */
export function corpusDigest(corpus: readonly NabSeries[]): string {
  const hash = createHash('sha256');
  for (const { name, stamps, windows } of corpus) {
    hash.update(`${name} ${windows.map(([left, right]) => `${stamps[left]} ${stamps[right]}`).join()}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

/** Detectors whose total is not the one that is known, rounded to a tenth; `undefined`: none is known for this corpus. */
export function differentFromKnown(directory: string, corpus: readonly NabSeries[]): readonly string[] | undefined {
  const known = KNOWN_TOTALS[corpusDigest(corpus)];
  const [standard] = NAB_PROFILES;
  if (known === undefined || standard === undefined) return undefined;
  return Object.entries(known).flatMap(([peer, total]) => {
    const scored = corpus.flatMap((series) => {
      const scores = readPeerRows(directory, peer, series)?.scores;
      return scores === undefined ? [] : [{ name: series.name, windows: series.windows, scores }];
    });
    if (scored.length < corpus.length) return [];
    const { score } = bestNabScore(prepareCorpus(scored), standard);
    return Math.abs(score - total) < 0.051 ? [] : [`${peer} ${score.toFixed(2)} instead of ${total}`];
  });
}

/** Is our windowed Gaussian, the peer of the set `kpi`, Numenta's? Rows whose score differs; `undefined`: not stored. */
function gaussianDifferences(directory: string, corpus: readonly NabSeries[]): number | undefined {
  let different: number | undefined;
  for (const series of corpus) {
    const stored = readPeerRows(directory, 'windowedGaussian', series)?.scores;
    if (stored === undefined) continue;
    const scores = windowedGaussian(series.values);
    different ??= 0;
    for (let i = 0; i < scores.length; i++) {
      if (!(Math.abs((scores[i] ?? NaN) - (stored[i] ?? NaN)) <= 1e-5)) different++;
    }
  }
  return different;
}

/** The check as figures; none without peers. */
export function scorerFigures(directory: string | undefined, corpus: readonly NabSeries[]): readonly Figure[] {
  if (directory === undefined) return [];
  const { rows, detectors, different, differentTotals } = checkScorer(directory, corpus);
  if (rows === 0) return [];
  const none = { kind: 'max', value: 0 } as const;
  const note = `${rows.toLocaleString('en-US')} rows and profiles of ${detectors} detectors`;
  const known = differentFromKnown(directory, corpus);
  const gaussian = gaussianDifferences(directory, corpus);
  return [
    { name: 'scorer: rows scored otherwise than by NAB', value: different, unit: 'rows', target: none, note },
    { name: 'scorer: sums that differ from NAB’s', value: differentTotals, unit: '', target: none },
    ...(known === undefined
      ? []
      : [
          {
            name: 'scorer: totals that differ from known ones',
            value: known.length,
            unit: '',
            target: none,
            note: known.join(', '),
          },
        ]),
    ...(gaussian === undefined
      ? []
      : [{ name: 'windowed Gaussian: rows that differ from NAB’s', value: gaussian, unit: 'rows', target: none }]),
  ];
}
