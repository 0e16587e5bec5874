import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scoreOfRatio } from '../../src/detection/statistics/score-of-ratio.ts';
import { averagePrecision } from '../forest/average-precision.ts';
import { DataProblem } from '../registry.ts';
import type { Bench, Figure } from '../registry.ts';
import { numberIn, share, writeCases } from './case-rows.ts';
import { readCsv } from './csv.ts';
import { ENGINE, HISTORY } from './nab.ts';
import { designRatios, streamFeatures } from './nab-detector.ts';
import { rowFigures, unite } from './row-scores.ts';
import type { JudgedRows } from './row-scores.ts';
import { sameTimeYesterday } from './same-time-yesterday.ts';
import { windowedGaussian } from './windowed-gaussian.ts';

/** One key performance indicator with a label for every row. */
interface Kpi {
  readonly name: string;
  readonly stamps: readonly string[];
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  readonly labels: Uint8Array;
}

/** Rows before this are not judged, by nobody: too little is known. */
const SPEAKS_FROM = 200;
/** The policy default: a score from here on is an alarm. */
const THRESHOLD = 0.85;

function readKpi(directory: string, name: string): Kpi {
  const path = join(directory, name);
  const rows = readCsv(readFileSync(path, 'utf8'));
  const [first] = rows;
  if (first === undefined || !['timestamp', 'value', 'label'].every((column) => column in first)) {
    throw new DataProblem(`${path} has no rows with timestamp, value and label: unpack the set again`);
  }
  const stamps = rows.map((row) => row['timestamp'] ?? '');
  return {
    name,
    stamps,
    timesMs: Float64Array.from(stamps, (stamp) => Number(stamp) * 1000),
    values: Float64Array.from(rows, (row) => numberIn(row['value'])),
    labels: Uint8Array.from(rows, (row) => (Number(row['label']) > 0 ? 1 : 0)),
  };
}

const filesIn = (directory: string): readonly string[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.csv'))
    .toSorted();

/** The detectors of one run: ours with the score that an operator sees, and the baselines. */
const DETECTORS: readonly { readonly name: string; readonly score: (kpi: Kpi) => Float64Array }[] = [
  {
    name: 'engine, with shape',
    score: ({ timesMs, values }) => designRatios(streamFeatures(timesMs, values), ENGINE).map(scoreOfRatio),
  },
  {
    name: 'engine, own history only',
    score: ({ timesMs, values }) => designRatios(streamFeatures(timesMs, values), HISTORY).map(scoreOfRatio),
  },
  { name: 'windowed Gaussian', score: ({ values }) => windowedGaussian(values) },
  { name: 'same time yesterday', score: ({ timesMs, values }) => sameTimeYesterday(timesMs, values) },
];

const LAYOUT = '*.csv with timestamp (seconds), value and label (0 or 1)';

/** Row by row, no point adjustment: a stretch that is touched once does not count as found row for row. */
export const kpiBench: Bench = {
  name: 'kpi',
  about: 'streams with a label for every row, without point adjustment',
  data: {
    layout: LAYOUT,
    from: 'https://github.com/NetManAIOps/donut (sample_data, MIT)',
    isThere: (directory) => existsSync(directory) && filesIn(directory).length > 0,
  },
  run({ data, out }) {
    if (data === undefined) throw new DataProblem(`kpi needs data: ${LAYOUT}`);
    const kpis = filesIn(data).map((name) => readKpi(data, name));
    const judged = DETECTORS.map(({ name, score }) => {
      const scores = kpis.map(score);
      const rows = kpis.map(({ labels }, i) => cut({ labels, scores: scores[i] ?? new Float64Array(0) }));
      return { name, scores, rows, figures: rowFigures(unite(rows), THRESHOLD) };
    });
    const [ours, , ...peers] = judged;
    if (ours === undefined) throw new DataProblem('kpi: no detector');
    const [best] = peers.toSorted((a, b) => b.figures.averagePrecision - a.figures.averagePrecision);
    if (out !== undefined) writeScores(out, kpis, ours.scores);
    writeCases(
      out,
      'kpi',
      kpis.map(({ name, stamps }, i) => {
        const { scores = new Float64Array(0), labels } = ours.rows[i] ?? { labels: new Uint8Array(0) };
        const order = [...scores.keys()].toSorted((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0)).slice(0, 20);
        return {
          case: name,
          ranking: order.map((row) => stamps[row + SPEAKS_FROM] ?? ''),
          topType: null,
          confidence: averagePrecision(scores, labels),
        };
      }),
    );
    const beside = (value: number | undefined): Pick<Figure, 'peer'> =>
      best === undefined || value === undefined ? {} : { peer: { name: best.name, value } };
    const { figures } = ours;
    return {
      set: 'kpi',
      figures: [
        {
          name: 'AUC-PR of rows',
          value: figures.averagePrecision,
          unit: '',
          ...beside(best?.figures.averagePrecision),
        },
        {
          name: 'F1 of rows, best threshold for all files',
          value: figures.bestF1,
          unit: '',
          ...beside(best?.figures.bestF1),
        },
        { name: 'F1 of rows at 0.85', value: figures.f1, unit: '' },
        {
          name: 'labelled stretches with an alarm at 0.85',
          value: 100 * share(figures.found, figures.stretches),
          unit: '%',
          note: `${figures.found} of ${figures.stretches}`,
        },
        { name: 'false-positive rows per 10,000 at 0.85', value: figures.falsePer10k, unit: '' },
      ],
      lines: [
        `${'detector'.padEnd(24)}  AUC-PR  best F1`,
        ...judged.map(
          ({ name, figures: each }) =>
            `${name.padEnd(24)}  ${each.averagePrecision.toFixed(3).padStart(6)}  ${each.bestF1.toFixed(3).padStart(7)}`,
        ),
        `${kpis.length} files, rows from the ${SPEAKS_FROM}th on`,
      ],
    };
  },
};

const cut = ({ labels, scores }: JudgedRows): JudgedRows => ({
  labels: labels.subarray(SPEAKS_FROM),
  scores: scores.subarray(SPEAKS_FROM),
});

function writeScores(out: string, kpis: readonly Kpi[], scores: readonly Float64Array[]): void {
  mkdirSync(out, { recursive: true });
  kpis.forEach(({ name, stamps, values }, k) => {
    const rows = stamps.map((stamp, i) => {
      const value = values[i] ?? NaN;
      return `${stamp},${Number.isFinite(value) ? value : ''},${scores[k]?.[i] ?? 0}`;
    });
    writeFileSync(join(out, name), `timestamp,value,anomaly_score\n${rows.join('\n')}\n`);
  });
}
