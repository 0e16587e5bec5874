import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rankEntities, rankMetrics } from '../../src/diagnosis/rank.ts';
import type { MetricKind, RankedEntity, RankSeries } from '../../src/diagnosis/rank.ts';
import { DataProblem } from '../registry.ts';
import type { Bench, Report } from '../registry.ts';
import { confidenceOf, numberIn, share, writeCases } from './case-rows.ts';
import type { CaseRow } from './case-rows.ts';
import { parseCsv } from './csv.ts';
import { nSigma } from './n-sigma.ts';
import type { NSigmaEntity } from './n-sigma.ts';

const KINDS: Readonly<Record<string, MetricKind>> = { cpu: 'utilisation', mem: 'bytes', lod: 'rate', lat: 'latency' };

/** The two halves of a case are hours apart: no sample lies between, so no guard is needed. */
const SETTINGS = { guardMs: 0, minSamples: 3 };

interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly number[])[];
}

function tableOf(file: string): Table {
  const [header = [], ...rows] = parseCsv(readFileSync(file, 'utf8'));
  return { columns: header, rows: rows.filter((row) => row.length > 1).map((row) => row.map(numberIn)) };
}

function column(table: Table, name: string): readonly number[] {
  const at = table.columns.indexOf(name);
  return table.rows.map((row) => (at < 0 ? NaN : (row[at] ?? NaN)));
}

/** What is measured in one repetition, before and after the fault. */
function seriesOf(folder: string): { readonly series: readonly RankSeries[]; readonly alarmAtMs: number } {
  const normal = tableOf(join(folder, 'normal.csv'));
  const anomalous = tableOf(join(folder, 'anomalous.csv'));
  const seconds = [...column(normal, 'time'), ...column(anomalous, 'time')];
  const timesMs = Float64Array.from(seconds, (second) => second * 1000);
  const alarmAtMs = (column(anomalous, 'time')[0] ?? NaN) * 1000;
  const names = normal.columns.filter((name) => name !== 'time');
  const series = names.map((name): RankSeries => {
    const [entity = '', ...metric] = name.split('_');
    const kind = KINDS[metric[0] ?? ''] ?? 'count';
    const values = Float64Array.from([...column(normal, name), ...column(anomalous, name)]);
    return { entity, metric: metric.join('_'), kind, timesMs, values };
  });
  return { series, alarmAtMs };
}

interface Outcome extends CaseRow {
  readonly fault: string;
  readonly service: boolean;
  readonly metric: boolean;
  /** The baseline's answer. */
  readonly peer: { readonly service: boolean; readonly metric: boolean };
}

/** `SERVICE-FAULT`: the name is the truth, and only the scoring below looks at it. */
function outcomeOf(data: string, name: string, repeat: string): Outcome {
  const { series, alarmAtMs } = seriesOf(join(data, name, repeat));
  const ranked: readonly RankedEntity[] = rankEntities(rankMetrics(series, alarmAtMs, SETTINGS));
  const cut = name.lastIndexOf('-');
  const [service, fault] = [name.slice(0, cut), name.slice(cut + 1)];
  const first = ranked[0];
  const metric = first?.metrics[0]?.metric ?? null;
  const theirs: NSigmaEntity | undefined = nSigma(series, alarmAtMs)[0];
  return {
    case: `${name}/${repeat}`,
    ranking: ranked.slice(0, 5).map((each) => `${each.entity}_${each.metrics[0]?.metric ?? ''}`),
    topType: metric,
    confidence: confidenceOf(ranked.map((each) => each.score)),
    fault,
    service: first?.entity === service,
    metric: first?.entity === service && metric === fault,
    peer: { service: theirs?.entity === service, metric: theirs?.entity === service && theirs.metric === fault },
  };
}

/** The faults that the specification names, and any other that the data has. */
const NAMED_FAULTS = ['cpu', 'mem'];

function report(outcomes: readonly Outcome[]): Report {
  const atLeast = (value: number) => ({ kind: 'min', value }) as const;
  const faults = new Set([...NAMED_FAULTS, ...outcomes.map(({ fault }) => fault).toSorted()]);
  const figures = [...faults].flatMap((fault) => {
    const mine = outcomes.filter((each) => each.fault === fault);
    const count = (is: (each: Outcome) => boolean): number => share(mine.filter(is).length, mine.length);
    const note = mine.length === 0 ? 'no such case in this data' : `${mine.length} cases`;
    return [
      {
        name: `service AC@1, ${fault}`,
        value: count((each) => each.service),
        unit: '',
        target: atLeast(1),
        peer: { name: 'n-sigma', value: count((each) => each.peer.service) },
        note,
      },
      {
        name: `metric AC@1, ${fault}`,
        value: count((each) => each.metric),
        unit: '',
        target: atLeast(0.94),
        peer: { name: 'n-sigma', value: count((each) => each.peer.metric) },
        note,
      },
    ];
  });
  const missed = outcomes.filter((each) => !each.metric);
  return {
    set: 'sock-shop',
    figures,
    lines: missed.map((each) => `missed ${each.case}: ${each.ranking.slice(0, 3).join(', ')}`),
  };
}

/** `SERVICE-FAULT/REPEAT` folders with both tables. */
function casesIn(data: string): readonly { readonly name: string; readonly repeat: string }[] {
  const folders = (path: string): string[] =>
    readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .toSorted();
  return folders(data)
    .filter((name) => name.includes('-'))
    .flatMap((name) => folders(join(data, name)).map((repeat) => ({ name, repeat })))
    .filter(({ name, repeat }) => TABLES.every((table) => existsSync(join(data, name, repeat, table))));
}

const TABLES = ['normal.csv', 'anomalous.csv'];
const LAYOUT = 'SERVICE-FAULT/REPEAT/{normal,anomalous}.csv';

/** Root cause by robust shift alone: no call graph is given with these cases. */
export const sockShopBench: Bench = {
  name: 'sock-shop',
  about: 'root cause by service and metric, sock-shop faults',
  data: {
    layout: LAYOUT,
    from: 'https://github.com/azamikram/rcd (data)',
    isThere: (directory) => existsSync(directory) && casesIn(directory).length > 0,
  },
  run({ data, out }) {
    if (data === undefined) throw new DataProblem(`sock-shop needs data: ${LAYOUT}`);
    const outcomes = casesIn(data).map(({ name, repeat }) => outcomeOf(data, name, repeat));
    writeCases(out, 'sock-shop', outcomes);
    return report(outcomes);
  },
};
