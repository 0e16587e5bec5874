import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CallGraph } from '../../src/diagnosis/call-graph.ts';
import { shiftOf } from '../../src/diagnosis/rank.ts';
import type { RankedMetric, RankSeries } from '../../src/diagnosis/rank.ts';
import { findRootCause } from '../../src/diagnosis/root-cause.ts';
import type { RootCause, SuspectEvidence } from '../../src/diagnosis/root-cause.ts';
import { DataProblem } from '../registry.ts';
import type { Bench } from '../registry.ts';
import { confidenceOf, numberIn, share, writeCases } from './case-rows.ts';
import type { CaseRow } from './case-rows.ts';
import { parseCsv } from './csv.ts';
import { nSigma } from './n-sigma.ts';

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

/** When "after" begins on the made-up clock of `seriesIn`. */
const ALARM_MS = 1e9;

/** Normal days, then the issue: they lie apart, so only the order of their rows is kept. */
function seriesIn(column: Column, before: readonly number[], after: readonly number[]): RankSeries {
  const values = [...before, ...after].map((value) => harmOf(column.metric, value));
  const timesMs = Float64Array.from(values, (_, i) => (i < before.length ? i : ALARM_MS + i));
  const kind = column.metric === 'latency' ? 'latency' : 'ratio';
  return { entity: column.node, metric: column.metric, kind, timesMs, values: Float64Array.from(values) };
}

const shiftIn = (series: RankSeries): RankedMetric | undefined =>
  shiftOf(series, ALARM_MS, { guardMs: 0, minSamples: 1 });

interface Explanation {
  readonly cause: RootCause;
  /** The baseline's first suspect: the node that moved most, whatever the graph says. */
  readonly peer: string | undefined;
}

/** Explains the target's harm in `rows` of the metrics against the normal days. */
function explain(
  target: Target,
  now: Metrics,
  rows: readonly number[],
  baseline: readonly Metrics[],
  graph: CallGraph,
): Explanation {
  const pick = (values: readonly number[]): number[] => rows.map((row) => values[row] ?? NaN);
  const series = now.columns
    .filter((column) => column.metric === target.metric && column.statistic === target.agg)
    .map((column) => {
      const same = (each: Column): boolean =>
        each.node === column.node && each.metric === column.metric && each.statistic === column.statistic;
      const before = baseline.flatMap((day) => day.columns.find(same)?.values ?? []);
      return seriesIn(column, before, pick(column.values));
    });
  const suspects = series.flatMap((each): SuspectEvidence[] => {
    const shift = shiftIn(each);
    if (shift === undefined) return [];
    const { entity } = each;
    const requests = now.columns.find((column) => column.node === entity && column.metric === 'requests');
    const calls = median(pick(requests?.values ?? []));
    const inheritedScore = Math.log1p(Math.max(0, shift.shift));
    const impact = (shift.after - shift.before) * calls;
    return [{ entity, ownScore: 0, inheritedScore, impact, calls, isProxy: isProxy(entity) }];
  });
  const cause = findRootCause({ suspects, graph, target: target.node });
  return { cause, peer: nSigma(series, ALARM_MS)[0]?.entity };
}

interface Outcome extends CaseRow {
  readonly isRight: boolean;
  readonly isPeerRight: boolean;
}

/** One issue, by its path below the data: SCENARIO/PART/ISSUE. */
function issueOutcome(data: string, issue: string, graph: CallGraph, baseline: readonly Metrics[]): Outcome {
  const folder = join(data, issue);
  const told = JSON.parse(readFileSync(join(folder, 'target.json'), 'utf8')) as {
    readonly target: Target;
    readonly root_cause: { readonly node: string };
  };
  const metrics = metricsOf(join(folder, 'metrics.csv'));
  const rows = metrics.seconds.flatMap((second, i) => (second >= told.target.timestamp - 300 ? [i] : []));
  const { cause, peer } = explain(told.target, metrics, rows, baseline, graph);
  const { ranking } = cause;
  return {
    case: issue,
    ranking: ranking.slice(0, 5).map((each) => each.entity),
    topType: null,
    confidence: confidenceOf(ranking.map((each) => each.score)),
    isRight: ranking[0]?.entity === told.root_cause.node,
    isPeerRight: peer === told.root_cause.node,
  };
}

const WINDOW = 4;

/** What is watched, by the issues themselves: a node, a metric and a statistic; the cause is not looked at. */
function targetsOf(data: string, issues: readonly string[]): readonly Target[] {
  const targets = issues.map((issue) => {
    const text = readFileSync(join(data, issue, 'target.json'), 'utf8');
    return (JSON.parse(text) as { readonly target: Target }).target;
  });
  return [...new Map(targets.map((each) => [`${each.node} ${each.metric} ${each.agg}`, each])).values()];
}

/** Windows of the second half of the normal days, judged by the first half: nobody should be blamed. */
function quietWindows(day: Metrics, graph: CallGraph, targets: readonly Target[]): readonly boolean[] {
  const half = Math.floor(day.seconds.length / 2);
  const first: Metrics = {
    seconds: day.seconds.slice(0, half),
    columns: day.columns.map((column) => ({ ...column, values: column.values.slice(0, half) })),
  };
  const quiet: boolean[] = [];
  for (let start = half; start + WINDOW <= day.seconds.length; start += 2 * WINDOW) {
    const rows = Array.from({ length: WINDOW }, (_, i) => start + i);
    const blamed = targets.some((target) =>
      explain(target, day, rows, [first], graph).cause.ranking.some((each) => each.because === 'deepest'),
    );
    quiet.push(!blamed);
  }
  return quiet;
}

/** Every issue of a scenario with its truth: SCENARIO/PART/ISSUE below the data, whatever the part is called. */
function issuesIn(data: string, scenario: string): readonly string[] {
  const below = (path: string): string[] =>
    readdirSync(join(data, path), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `${path}/${name}`)
      .toSorted();
  const holds = (path: string): boolean =>
    ['target.json', 'metrics.csv'].every((file) => existsSync(join(data, path, file)));
  return below(scenario).flatMap(below).filter(holds);
}

function scenariosIn(data: string): readonly string[] {
  return readdirSync(data, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(data, entry.name, 'graph.csv')))
    .map(({ name }) => name)
    .toSorted();
}

const LAYOUT = 'SCENARIO/{graph.csv,noissue/metrics.csv,train/ISSUE/{metrics.csv,target.json}}';

/** Latency and availability of a call graph at five-minute resolution; root causes of the issues. */
export const petshopBench: Bench = {
  name: 'petshop',
  about: 'root cause on a call graph and specificity, PetShop issues',
  data: {
    layout: LAYOUT,
    from: 'https://github.com/amazon-science/petshop-root-cause-analysis (dataset)',
    isThere: (directory) => existsSync(directory) && scenariosIn(directory).length > 0,
  },
  run({ data, out }) {
    if (data === undefined) throw new DataProblem(`petshop needs data: ${LAYOUT}`);
    const scenarios = scenariosIn(data);
    const graphs = new Map(scenarios.map((name) => [name, graphOf(join(data, name, 'graph.csv'))]));
    const normal = (name: string): string => join(data, name, 'noissue', 'metrics.csv');
    const days = new Map(
      scenarios.filter((name) => existsSync(normal(name))).map((name) => [name, metricsOf(normal(name))]),
    );
    const graph = (name: string): CallGraph => graphs.get(name) ?? { edges: [] };
    const outcomes = scenarios.flatMap((scenario) => {
      const own = days.get(scenario);
      const baseline = own === undefined ? [...days.values()] : [own];
      return issuesIn(data, scenario).map((issue) => issueOutcome(data, issue, graph(scenario), baseline));
    });
    const targets = targetsOf(
      data,
      scenarios.flatMap((scenario) => issuesIn(data, scenario)),
    );
    const quiet = [...days].flatMap(([name, day]) => quietWindows(day, graph(name), targets));
    writeCases(out, 'petshop', outcomes);
    const count = (is: (each: Outcome) => boolean): number => share(outcomes.filter(is).length, outcomes.length);
    return {
      set: 'petshop',
      figures: [
        {
          name: 'root cause top-1',
          value: count((each) => each.isRight),
          unit: '',
          target: { kind: 'min', value: 0.8 },
          peer: { name: 'n-sigma', value: count((each) => each.isPeerRight) },
          note: `${outcomes.length} issues`,
        },
        {
          name: 'specificity on normal days',
          value: share(quiet.filter(Boolean).length, quiet.length),
          unit: '',
          target: { kind: 'min', value: 0.9 },
          note: `${quiet.length} windows, ${targets.length} targets`,
        },
      ],
      lines: outcomes
        .filter((each) => !each.isRight)
        .map((each) => `missed ${each.case}: ${each.ranking.slice(0, 2).join(', ')}`),
    };
  },
};
