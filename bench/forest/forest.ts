import { IsolationForest } from 'ml-isolation-forest';
import { trainVector, vectorOddness } from '../../src/detection/detectors/vector.ts';
import { seededRandom } from '../../src/lib/seeded-random.ts';
import { barChart } from '../charts/bar-chart.ts';
import { MILLISECOND, cpuNanoseconds, max } from '../cpu-cost.ts';
import { DataProblem } from '../registry.ts';
import type { Bench, Chart, Figure, Report } from '../registry.ts';
import { writeCases } from '../sets/case-rows.ts';
import { areasOf, mean, rowsOf, storedAreas } from './contenders.ts';
import { fixturesDigest, forestFixtures } from './fixtures.ts';

/** One kind of fixture: means over its data seeds. */
interface Comparison {
  readonly kind: string;
  readonly ours: number;
  readonly alone: number;
  readonly mlIsolationForest: number;
  readonly scikitLearn: number;
  /** Standard error of the difference to the better one, from data set to data set. */
  readonly error: number;
}

function compare(): readonly Comparison[] {
  const fixtures = forestFixtures();
  const stored = storedAreas();
  if (stored.digest !== fixturesDigest(fixtures)) {
    throw new DataProblem(
      'bench/forest/scikit-learn.json was made from other fixtures: make it anew, bench/forest/scikit-learn.py says how',
    );
  }
  return [...Map.groupBy(fixtures, ({ name }) => name)].map(([kind, group]) => {
    const areas = group.map(areasOf);
    const theirs = group.map(({ seed }) =>
      mean(stored.results.find((each) => each.name === kind && each.seed === seed)?.averagePrecision ?? []),
    );
    const mlIsolationForest = mean(areas.map((each) => each.mlIsolationForest));
    const scikitLearn = mean(theirs);
    const differences = areas.map((each, i) => {
      const best = mlIsolationForest > scikitLearn ? each.mlIsolationForest : (theirs[i] ?? NaN);
      return each.ours - best;
    });
    return {
      kind,
      ours: mean(areas.map(({ ours }) => ours)),
      alone: mean(areas.map(({ ourForestAlone }) => ourForestAlone)),
      mlIsolationForest,
      scikitLearn,
      error: standardError(differences),
    };
  });
}

function standardError(values: readonly number[]): number {
  const middle = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}

/** The best of the two beside ours; never below means: at least the better one of them. */
function figureOf({ kind, ours, mlIsolationForest, scikitLearn, error }: Comparison): Figure {
  const isTheirs = mlIsolationForest > scikitLearn;
  const best = Math.max(mlIsolationForest, scikitLearn);
  return {
    name: `AUC-PR, ${kind}`,
    value: ours,
    unit: '',
    target: { kind: 'min', value: best },
    peer: { name: isTheirs ? 'ml-isolation-forest' : 'scikit-learn', value: best },
    note: `${(ours - best).toFixed(3)} ± ${error.toFixed(3)}`,
  };
}

/** Training on 256 rows of 6 columns and scoring one row: CPU of the whole vector model, and of the package. */
function costs(): readonly Figure[] {
  const random = seededRandom(4);
  const values = new Float32Array(256 * 6).map(() => random.normal());
  const rows = { matrix: { rows: 256, columns: 6, values }, loads: Float64Array.from({ length: 256 }, () => 1) };
  const asked = Array.from({ length: 500 }, () => new Float32Array(6).map(() => 1.5 * random.normal()));
  const train = cheapest(30, (i) => trainVector(rows, seededRandom(i)));
  const model = trainVector(rows, seededRandom(1));
  const predict = cheapest(60, () => asked.reduce((sum, row) => sum + vectorOddness(model, row, 1), 0)) / asked.length;
  const plain = rowsOf(values, 6).map((row) => [...row]);
  const theirTrain = cheapest(10, () => {
    new IsolationForest().train(plain);
  });
  const theirs = new IsolationForest();
  theirs.train(plain);
  const question = asked.map((row) => [...row]);
  const theirPredict = cheapest(10, () => theirs.predict(question)) / asked.length;
  const name = 'ml-isolation-forest';
  return [
    {
      name: 'train 256 x 6',
      value: train / MILLISECOND,
      unit: 'ms CPU',
      target: max(10),
      peer: { name, value: theirTrain / MILLISECOND },
    },
    {
      name: 'predict one vector',
      value: predict / 1000,
      unit: 'µs CPU',
      target: max(5),
      peer: { name, value: theirPredict / 1000 },
    },
  ];
}

/** CPU of the cheapest of so many runs: the rest is what else the machine had to do. */
function cheapest(runs: number, work: (run: number) => unknown): number {
  let best = Infinity;
  for (let run = 0; run < runs; run++)
    best = Math.min(
      best,
      cpuNanoseconds(() => void work(run)),
    );
  return best;
}

function chartOf(comparisons: readonly Comparison[]): Chart {
  const svg = barChart({
    title: 'Finding odd rows: area under the precision-recall curve',
    subtitle: 'Means over five data sets of each kind; 1 is perfect.',
    series: ['Aegis', 'scikit-learn', 'ml-isolation-forest'],
    groups: comparisons.map(({ kind, ours, scikitLearn, mlIsolationForest }) => ({
      label: kind,
      values: [ours, scikitLearn, mlIsolationForest],
    })),
    max: 1,
  });
  return { name: 'forest', svg };
}

/** The forest of the vector model against the package it replaces and against scikit-learn. */
export const forestBench: Bench = {
  name: 'forest',
  about: 'isolation forest beside ml-isolation-forest and scikit-learn, on generated fixtures',
  run({ out }): Report {
    const comparisons = compare();
    writeCases(
      out,
      'forest',
      comparisons.map(({ kind, ours, scikitLearn, mlIsolationForest }) => {
        const ranked = Object.entries({ aegis: ours, 'scikit-learn': scikitLearn, mlIsolationForest }).toSorted(
          ([, a], [, b]) => b - a,
        );
        return { case: kind, ranking: ranked.map(([name]) => name), topType: null, confidence: ours };
      }),
    );
    const lines = comparisons.map(({ kind, ours, alone, scikitLearn, mlIsolationForest }) => {
      const cells = [ours, alone, scikitLearn, mlIsolationForest].map((area) => area.toFixed(3).padStart(9));
      return `${kind.padEnd(64)}${cells.join('')}`;
    });
    const header = `${'AUC-PR'.padEnd(64)}${['engine', 'alone', 'sklearn', 'ml-i-f'].map((name) => name.padStart(9)).join('')}`;
    return {
      set: 'forest',
      figures: [...comparisons.map(figureOf), ...costs()],
      lines: [
        header,
        ...lines,
        'engine: forest, and distance where the rows form one cloud; alone: the forest without the distance',
        `scikit-learn: stored results of ${storedAreas().by}; ml-isolation-forest: trained in this run, unseeded`,
      ],
      charts: [chartOf(comparisons)],
    };
  },
};
