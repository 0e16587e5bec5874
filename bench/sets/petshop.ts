import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CallGraph } from '../../src/diagnosis/call-graph.ts';
import { shiftOf } from '../../src/diagnosis/rank.ts';
import type { RankedMetric } from '../../src/diagnosis/rank.ts';
import { findRootCause } from '../../src/diagnosis/root-cause.ts';
import type { RootCause, SuspectEvidence } from '../../src/diagnosis/root-cause.ts';
import type { Bench } from '../registry.ts';
import { confidenceOf, missingData, numberIn, share, writeCases } from './case-rows.ts';
import type { CaseRow } from './case-rows.ts';
import { parseCsv } from './csv.ts';

/** A node known only by what its callers measure of it: an address or a client's view of it. */
const isProxy = (node: string): boolean => node.endsWith('_remote') || node.endsWith('_client');

interface Column {
  readonly node: string;
  readonly metric: string;
  readonly statistic: string;
  readonly values: readonly number[];
}

interface Metrics {
  readonly seconds: readonly number[];
  readonly columns: readonly Column[];
}

function metricsOf(file: string): Metrics {
  const [nodes = [], metrics = [], statistics = [], , ...rows] = parseCsv(readFileSync(file, 'utf8'));
  const filled = rows.filter((row) => row.length > 1);
  const columns = nodes.slice(1).map((node, i) => ({
    node,
    metric: metrics[i + 1] ?? '',
    statistic: statistics[i + 1] ?? '',
    values: filled.map((row) => numberIn(row[i + 1])),
  }));
  return { seconds: filled.map((row) => numberIn(row[0])), columns };
}

function graphOf(file: string): CallGraph {
  const [header = [], ...rows] = parseCsv(readFileSync(file, 'utf8'));
  const edges = rows.flatMap(([caller = '', ...cells]) =>
    cells.flatMap((cell, i) => (numberIn(cell) > 0 ? [{ caller, callee: header[i + 1] ?? '' }] : [])),
  );
  return { edges };
}

interface Target {
  readonly node: string;
  readonly metric: string;
  readonly agg: string;
  readonly timestamp: number;
}

const median = (values: readonly number[]): number => {
  const sorted = values.filter(Number.isFinite).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
};

/** Milliseconds, and errors instead of availability: what harms goes up. */
const harmOf = (metric: string, value: number): number => (metric === 'latency' ? value * 1000 : 1 - value / 100);

function shiftIn(column: Column, before: readonly number[], after: readonly number[]): RankedMetric | undefined {
  const values = [...before, ...after].map((value) => harmOf(column.metric, value));
  const timesMs = Float64Array.from(values, (_, i) => (i < before.length ? i : 1e9 + i));
  const kind = column.metric === 'latency' ? 'latency' : 'ratio';
  const series = {
    entity: column.node,
    metric: column.metric,
    kind,
    timesMs,
    values: Float64Array.from(values),
  } as const;
  return shiftOf(series, 1e9, { guardMs: 0, minSamples: 1 });
}

/** Explains the target's harm in `rows` of the metrics against the normal days. */
function explain(
  target: Target,
  now: Metrics,
  rows: readonly number[],
  baseline: readonly Metrics[],
  graph: CallGraph,
): RootCause {
  const pick = (values: readonly number[]): number[] => rows.map((row) => values[row] ?? NaN);
  const suspects = now.columns
    .filter((column) => column.metric === target.metric && column.statistic === target.agg)
    .flatMap((column): SuspectEvidence[] => {
      const same = (each: Column): boolean =>
        each.node === column.node && each.metric === column.metric && each.statistic === column.statistic;
      const before = baseline.flatMap((day) => day.columns.find(same)?.values ?? []);
      const shift = shiftIn(column, before, pick(column.values));
      if (shift === undefined) return [];
      const requests = now.columns.find((each) => each.node === column.node && each.metric === 'requests');
      const calls = median(pick(requests?.values ?? []));
      const inheritedScore = Math.log1p(Math.max(0, shift.shift));
      const impact = (shift.after - shift.before) * calls;
      return [{ entity: column.node, ownScore: 0, inheritedScore, impact, calls, isProxy: isProxy(column.node) }];
    });
  return findRootCause({ suspects, graph, target: target.node });
}

interface Outcome extends CaseRow {
  readonly isRight: boolean;
}

function issueOutcome(data: string, scenario: string, issue: string, baseline: readonly Metrics[]): Outcome {
  const folder = join(data, scenario, 'train', issue);
  const told = JSON.parse(readFileSync(join(folder, 'target.json'), 'utf8')) as {
    readonly target: Target;
    readonly root_cause: { readonly node: string };
  };
  const metrics = metricsOf(join(folder, 'metrics.csv'));
  const rows = metrics.seconds.flatMap((second, i) => (second >= told.target.timestamp - 300 ? [i] : []));
  const { ranking } = explain(told.target, metrics, rows, baseline, graphOf(join(data, scenario, 'graph.csv')));
  return {
    case: `${scenario}/${issue}`,
    ranking: ranking.slice(0, 5).map((each) => each.entity),
    top: ranking[0]?.entity ?? null,
    confidence: confidenceOf(ranking.map((each) => each.score)),
    isRight: ranking[0]?.entity === told.root_cause.node,
  };
}

const WINDOW = 4;

/** Windows of the second half of the normal days, judged by the first half: none should be blamed for the target. */
function quietWindows(day: Metrics, graph: CallGraph): readonly boolean[] {
  const half = Math.floor(day.seconds.length / 2);
  const first: Metrics = {
    seconds: day.seconds.slice(0, half),
    columns: day.columns.map((column) => ({ ...column, values: column.values.slice(0, half) })),
  };
  const quiet: boolean[] = [];
  for (let start = half; start + WINDOW <= day.seconds.length; start += 2 * WINDOW) {
    const rows = Array.from({ length: WINDOW }, (_, i) => start + i);
    const blamed = ['latency', 'availability'].some((metric) => {
      const target = { node: 'PetSite', metric, agg: 'Average', timestamp: 0 };
      const { ranking } = explain(target, day, rows, [first], graph);
      return ranking.some((each) => each.because === 'deepest');
    });
    quiet.push(!blamed);
  }
  return quiet;
}

/** Latency and availability of a call graph at five-minute resolution; root causes of the `train` issues. */
export const petshopBench: Bench = {
  name: 'petshop',
  about: 'root cause on a call graph and specificity, PetShop train issues (needs --data)',
  run({ data, out }) {
    if (data === undefined) return missingData('petshop', 'amazon-science/petshop-root-cause-analysis');
    const scenarios = readdirSync(data)
      .filter((name) => existsSync(join(data, name, 'train')))
      .sort();
    const normal = (name: string): string => join(data, name, 'noissue', 'metrics.csv');
    const days = new Map(
      scenarios.filter((name) => existsSync(normal(name))).map((name) => [name, metricsOf(normal(name))]),
    );
    const outcomes = scenarios.flatMap((scenario) => {
      const own = days.get(scenario);
      const baseline = own === undefined ? [...days.values()] : [own];
      return readdirSync(join(data, scenario, 'train'))
        .sort()
        .map((issue) => issueOutcome(data, scenario, issue, baseline));
    });
    const quiet = [...days].flatMap(([name, day]) => quietWindows(day, graphOf(join(data, name, 'graph.csv'))));
    writeCases(out, 'petshop', outcomes);
    return {
      set: 'petshop',
      figures: [
        {
          name: 'root cause top-1',
          value: share(outcomes.filter((each) => each.isRight).length, outcomes.length),
          unit: '',
          target: { kind: 'min', value: 0.8 },
          note: `${outcomes.length} issues`,
        },
        {
          name: 'specificity on normal days',
          value: share(quiet.filter(Boolean).length, quiet.length),
          unit: '',
          target: { kind: 'min', value: 0.9 },
          note: `${quiet.length} windows`,
        },
      ],
      lines: outcomes
        .filter((each) => !each.isRight)
        .map((each) => `missed ${each.case}: ${each.ranking.slice(0, 2).join(', ')}`),
    };
  },
};
