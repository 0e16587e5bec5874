import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rankEntities, rankMetrics } from '../../src/diagnosis/rank.ts';
import type { MetricKind, RankedEntity, RankSeries } from '../../src/diagnosis/rank.ts';
import type { Bench, Report } from '../registry.ts';
import { confidenceOf, missingData, numberIn, share, writeCases } from './case-rows.ts';
import type { CaseRow } from './case-rows.ts';
import { parseCsv } from './csv.ts';

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

/** Ranks the services of one repetition. */
function rankCase(folder: string): readonly RankedEntity[] {
  const normal = tableOf(join(folder, 'normal.csv'));
  const anomalous = tableOf(join(folder, 'anomalous.csv'));
  const seconds = [...column(normal, 'time'), ...column(anomalous, 'time')];
  const timesMs = Float64Array.from(seconds, (second) => second * 1000);
  const alarmAtMs = (column(anomalous, 'time')[0] ?? NaN) * 1000;
  const series = normal.columns.slice(1).map((name): RankSeries => {
    const [entity = '', ...metric] = name.split('_');
    const kind = KINDS[metric[0] ?? ''] ?? 'count';
    const values = Float64Array.from([...column(normal, name), ...column(anomalous, name)]);
    return { entity, metric: metric.join('_'), kind, timesMs, values };
  });
  return rankEntities(rankMetrics(series, alarmAtMs, SETTINGS));
}

interface Outcome extends CaseRow {
  readonly fault: string;
  readonly service: boolean;
  readonly metric: boolean;
}

function outcomeOf(data: string, name: string, repeat: string): Outcome {
  const ranked = rankCase(join(data, name, repeat));
  const cut = name.lastIndexOf('-');
  const [service, fault] = [name.slice(0, cut), name.slice(cut + 1)];
  const first = ranked[0];
  return {
    case: `${name}/${repeat}`,
    ranking: ranked.slice(0, 5).map((each) => `${each.entity}_${each.metrics[0]?.metric ?? ''}`),
    top: first?.entity ?? null,
    confidence: confidenceOf(ranked.map((each) => each.score)),
    fault,
    service: first?.entity === service,
    metric: first?.entity === service && first.metrics[0]?.metric === fault,
  };
}

function report(outcomes: readonly Outcome[]): Report {
  const atLeast = (value: number) => ({ kind: 'min', value }) as const;
  const figures = ['cpu', 'mem'].flatMap((fault) => {
    const mine = outcomes.filter((each) => each.fault === fault);
    const count = (is: (each: Outcome) => boolean): number => share(mine.filter(is).length, mine.length);
    return [
      { name: `service AC@1, ${fault}`, value: count((each) => each.service), unit: '', target: atLeast(1) },
      { name: `metric AC@1, ${fault}`, value: count((each) => each.metric), unit: '', target: atLeast(0.94) },
    ];
  });
  return { set: 'sock-shop', figures, lines: [`${outcomes.length} cases`] };
}

/** Root cause by robust shift alone: no call graph is given with these cases. */
export const sockShopBench: Bench = {
  name: 'sock-shop',
  about: 'root cause by service and metric, sock-shop cases (needs --data)',
  run({ data, out }) {
    if (data === undefined) return missingData('sock-shop', 'azamikram/rcd');
    const cases = readdirSync(data)
      .filter((name) => name.includes('-'))
      .sort();
    const outcomes = cases.flatMap((name) =>
      readdirSync(join(data, name))
        .sort()
        .map((repeat) => outcomeOf(data, name, repeat)),
    );
    writeCases(out, 'sock-shop', outcomes);
    return report(outcomes);
  },
};
