import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DataProblem } from '../registry.ts';
import type { Bench, BenchOptions, Figure, Report } from '../registry.ts';
import { crossValidate } from './nab-cross-validation.ts';
import type { Candidate } from './nab-cross-validation.ts';
import { nabCharts } from './nab-charts.ts';
import { scorerFigures } from './nab-check.ts';
import { peersDirectory, peersIn, readNab, readPeer } from './nab-data.ts';
import type { NabSeries } from './nab-data.ts';
import { alarmScores, designRatios, streamFeatures } from './nab-detector.ts';
import type { Design, StreamFeatures } from './nab-detector.ts';
import { NAB_PROFILES, bestNabScore, nabScoreAt, prepareCorpus } from './nab-scorer.ts';
import type { NabProfile, NabResult, ScoredSeries } from './nab-scorer.ts';

/** What the engine uses: shape, or own history that is clearly beyond its line, or time of day. */
export const ENGINE: Design = { name: 'engine, with shape', blend: 1, historyLine: 1.3, line: 1.1, refractory: 125 };
export const HISTORY: Design = {
  name: 'engine, own history only',
  blend: 0,
  historyLine: Infinity,
  line: 1,
  refractory: 150,
};

/** What nested cross-validation may choose from: structures, not only thresholds. */
const FAMILY: readonly Design[] = [0, 0.5, 0.7, 0.85, 1].flatMap((blend) =>
  [Infinity, 1.5, 1.3].flatMap((historyLine) =>
    [100, 125, 150].map((refractory) => ({
      name: `blend ${blend}, history ${historyLine}, refractory ${refractory}`,
      blend,
      historyLine,
      line: 1,
      refractory,
    })),
  ),
);
const HALVES = 20;
/** Twenty halves leave an error of 2 in the mean; so many one of 0.5. */
const MANY_HALVES = 200;
const STANDARD = NAB_PROFILES[0] as NabProfile;

interface Prepared {
  readonly series: NabSeries;
  readonly features: StreamFeatures;
}

/** A detector's results in the order of the profiles: standard, low FP, low FN. */
interface Standing {
  readonly name: string;
  readonly results: readonly NabResult[];
}

function run({ data, out }: BenchOptions): Report {
  if (data === undefined) throw new DataProblem(`nab needs data: ${LAYOUT}`);
  const prepared = readNab(data).map((series) => ({
    series,
    features: streamFeatures(series.timesMs, series.values),
  }));
  const scored = scoredBy(prepared, ENGINE);
  if (out !== undefined) writeScores(out, prepared, scored);
  const corpus = prepareCorpus(scored);
  const [standard, lowFp, lowFn] = NAB_PROFILES.map((profile) => bestNabScore(corpus, profile));
  const series = prepared.map((each) => each.series);
  const family = FAMILY.map((design) => candidate(prepared, design));
  const cross = crossValidate(series, family, STANDARD, HALVES);
  const steady = crossValidate(series, family, STANDARD, MANY_HALVES);
  const fixed = crossValidate(series, [candidate(prepared, ENGINE)], STANDARD, HALVES);
  const directory = peersDirectory(data);
  const peers = directory === undefined ? [] : peerStandings(directory, prepared);
  const [best] = peers.toSorted((a, b) => (b.results[0]?.score ?? 0) - (a.results[0]?.score ?? 0));
  const beside = (value: (results: readonly NabResult[]) => number | undefined): Pick<Figure, 'peer'> => {
    const found = best === undefined ? undefined : value(best.results);
    return best === undefined || found === undefined ? {} : { peer: { name: best.name, value: found } };
  };
  const figures: Figure[] = [
    { ...figure('standard, development', standard?.score, atLeast(78.2)), ...beside(([each]) => each?.score) },
    { ...figure('low FP, development', lowFp?.score, atLeast(70.4)), ...beside(([, each]) => each?.score) },
    { ...figure('low FN, development', lowFn?.score, atLeast(83.1)), ...beside(([, , each]) => each?.score) },
    { ...figure('windows hit', shareHit(standard), atLeast(90), '%'), ...beside(([each]) => shareHit(each)) },
    {
      ...figure('false-positive rows per 10,000', standard?.falseRowsPer10k, { kind: 'max', value: 3 }),
      ...beside(([each]) => each?.falseRowsPer10k),
    },
    figure('standard at the fixed threshold 0.85', nabScoreAt(corpus, STANDARD, 0.85).score, undefined),
    figure('nested cross-validation, mean of 20 halves', cross.mean, atLeast(75)),
    figure('nested cross-validation, spread', cross.spread, undefined),
    figure('nested cross-validation, mean of 200 halves', steady.mean, undefined),
    figure('nested cross-validation, spread over 200', steady.spread, undefined),
    figure('same halves, this design, line alone chosen', fixed.mean, undefined),
    figure('same halves, spread', fixed.spread, undefined),
    figure(
      'rows whose score changed when later rows were cut',
      prefixChanges(prepared),
      { kind: 'max', value: 0 },
      'rows',
    ),
    ...scorerFigures(directory, series),
  ];
  const ours = [ENGINE, HISTORY].map((design) => standingOf(design.name, scoredBy(prepared, design)));
  const lines = [
    row('detector', 'std', 'lowFP', 'lowFN', 'windows', 'FP/10k'),
    ...[...ours, ...peers].map(resultRow),
    ...(peers.length > 0 ? [] : ['peers: no scores of others for these files (nab-peers) lie beside the data']),
    ...cross.chosen.slice(0, 3).map(([name, times]) => `chosen in ${times} of ${HALVES} halves: ${name}`),
  ];
  const charts = nabCharts(
    [...ours, ...peers].map((each) => ({
      name: each.name,
      score: each.results[0]?.score ?? NaN,
      isPeer: peers.includes(each),
    })),
    { development: standard?.score ?? NaN, cross: steady },
  );
  return { set: 'nab', figures, lines, charts };
}

const atLeast = (value: number) => ({ kind: 'min', value }) as const;

const shareHit = (result: NabResult | undefined): number =>
  (100 * (result?.windowsHit ?? NaN)) / (result?.windows ?? NaN);

function figure(name: string, value: number | undefined, target: Figure['target'], unit = ''): Figure {
  const plain = { name, value: value ?? NaN, unit };
  return target === undefined ? plain : { ...plain, target };
}

function scoredBy(prepared: readonly Prepared[], design: Design): readonly ScoredSeries[] {
  return prepared.map(({ series, features }) => ({
    name: series.name,
    windows: series.windows,
    scores: alarmScores(designRatios(features, design), design.refractory),
  }));
}

/** Cuts every series at two places and scores it anew: the rows that remain must keep their scores. */
function prefixChanges(prepared: readonly Prepared[]): number {
  let changed = 0;
  for (const { series, features } of prepared) {
    const whole = alarmScores(designRatios(features, ENGINE), ENGINE.refractory);
    for (const share of [0.4, 0.7]) {
      const end = Math.floor(series.values.length * share);
      const cut = streamFeatures(series.timesMs.subarray(0, end), series.values.subarray(0, end));
      const scores = alarmScores(designRatios(cut, ENGINE), ENGINE.refractory);
      for (let i = 0; i < end; i++) if (scores[i] !== whole[i]) changed++;
    }
  }
  return changed;
}

const candidate = (prepared: readonly Prepared[], design: Design): Candidate => ({
  design,
  ratios: prepared.map(({ features }) => designRatios(features, design)),
});

function row(...cells: readonly string[]): string {
  return cells.map((cell, i) => (i === 0 ? cell.padEnd(28) : cell.padStart(8))).join('');
}

function standingOf(name: string, scored: readonly ScoredSeries[]): Standing {
  const corpus = prepareCorpus(scored);
  return { name, results: NAB_PROFILES.map((profile) => bestNabScore(corpus, profile)) };
}

function resultRow({ name, results }: Standing): string {
  const [standard] = results;
  const hit = `${standard?.windowsHit}/${standard?.windows}`;
  return row(name, ...results.map(({ score }) => score.toFixed(1)), hit, (standard?.falseRowsPer10k ?? NaN).toFixed(1));
}

/** Published detectors over the same rows with the same scorer; only those that have every series. */
function peerStandings(directory: string, prepared: readonly Prepared[]): readonly Standing[] {
  return peersIn(directory).flatMap((peer) => {
    const scored = prepared.flatMap(({ series }) => {
      const scores = readPeer(directory, peer, series);
      return scores === undefined ? [] : [{ name: series.name, windows: series.windows, scores }];
    });
    return scored.length === prepared.length ? [standingOf(peer, scored)] : [];
  });
}

function writeScores(out: string, prepared: readonly Prepared[], scored: readonly ScoredSeries[]): void {
  prepared.forEach(({ series }, s) => {
    const path = join(out, series.name);
    mkdirSync(dirname(path), { recursive: true });
    const rows = series.stamps.map((stamp, i) => `${stamp},${textOf(series.values[i])},${scored[s]?.scores[i]}`);
    writeFileSync(path, `timestamp,value,anomaly_score\n${rows.join('\n')}\n`);
  });
}

const textOf = (value = NaN): string => (Number.isFinite(value) ? String(value) : '');

const LAYOUT = 'windows.json and data/<category>/<file>.csv (timestamp,value); peers in ../nab-peers if there are any';

export const nabBench: Bench = {
  name: 'nab',
  about: 'streams: NAB score, windows, nested cross-validation and prefix test beside published detectors',
  data: {
    layout: LAYOUT,
    from: 'https://github.com/numenta/NAB (MIT)',
    isThere: (directory) => existsSync(join(directory, 'windows.json')) && existsSync(join(directory, 'data')),
  },
  run,
};
