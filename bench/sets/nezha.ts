import { join } from 'node:path';
import { sequenceShifts } from '../../src/diagnosis/log-sequences.ts';
import type { SequencedLine } from '../../src/diagnosis/log-sequences.ts';
import { TemplateMiner } from '../../src/diagnosis/log-templates.ts';
import { shiftOf } from '../../src/diagnosis/rank.ts';
import type { RankSeries, RankSettings } from '../../src/diagnosis/rank.ts';
import { findRootCause } from '../../src/diagnosis/root-cause.ts';
import type { EdgeShift, RootCause, SuspectEvidence } from '../../src/diagnosis/root-cause.ts';
import { DataProblem } from '../registry.ts';
import type { Bench, Figure } from '../registry.ts';
import { confidenceOf, share, writeCases } from './case-rows.ts';
import type { CaseRow } from './case-rows.ts';
import { nSigma } from './n-sigma.ts';
import { columnOf, daysIn, faultsOf, hasEdges, logLines, podSheets, sheetOf } from './nezha-data.ts';
import type { Column, Fault, Sheet } from './nezha-data.ts';

/** Faults that metrics can show; the others are errors in code, which only logs tell. */
const RESOURCE_FAULTS = ['cpu_contention', 'cpu_consumed', 'network_delay'];
const RESOURCES = ['CpuUsageRate(%)', 'MemoryUsageRate(%)'];

/** Metrics come once a minute, and the first fault two minutes after the first sample. */
const SETTINGS: RankSettings = { guardMs: 30_000, minSamples: 2 };
const BEFORE_MS = 40 * 60_000;
const AFTER_MS = 4 * 60_000;
const LOG_AFTER_MS = 150_000;

/** What is known at the time: nothing later than the window after the fault. */
function windowOf({ timesMs, values }: Column, atMs: number): Column {
  const kept = [...timesMs.keys()].filter((i) => {
    const time = timesMs[i] ?? NaN;
    return time >= atMs - BEFORE_MS && time <= atMs + AFTER_MS;
  });
  return {
    timesMs: Float64Array.from(kept, (i) => timesMs[i] ?? NaN),
    values: Float64Array.from(kept, (i) => values[i] ?? NaN),
  };
}

/** Resources of every pod around a fault. */
function resourceSeries(sheets: ReadonlyMap<string, Sheet>, atMs: number): readonly RankSeries[] {
  return [...sheets].flatMap(([entity, sheet]) =>
    RESOURCES.map((metric): RankSeries => {
      const column = windowOf(columnOf(sheet, metric, 'Time'), atMs);
      return { entity, metric, kind: 'utilisation', ...column };
    }),
  );
}

function resourceSuspects(series: readonly RankSeries[], atMs: number): readonly SuspectEvidence[] {
  return [...Map.groupBy(series, ({ entity }) => entity)].map(([entity, own]) => {
    const shifts = own.map((each) => shiftOf(each, atMs, SETTINGS)?.shift ?? 0);
    return { entity, ownScore: Math.log1p(Math.max(0, ...shifts)), inheritedScore: 0 };
  });
}

/** Delay that an edge adds: what the caller waits less what the callee works, in milliseconds. */
function edgeShifts(day: string, atMs: number): readonly EdgeShift[] {
  const source = sheetOf(day, 'source_50.csv');
  const destination = sheetOf(day, 'destination_50.csv');
  const names = Object.keys(source[0] ?? {}).filter((name) => name.includes('_'));
  return names.flatMap((name): EdgeShift[] => {
    const [caller = '', callee = ''] = name.split('_');
    const waited = columnOf(source, name, 'time');
    const worked = columnOf(destination, name, 'time').values;
    const added = {
      timesMs: waited.timesMs,
      values: waited.values.map((value, i) => 1000 * (value - (worked[i] ?? NaN))),
    };
    const shift = shiftOf(
      { entity: name, metric: 'delay', kind: 'latency', ...windowOf(added, atMs) },
      atMs,
      SETTINGS,
    )?.shift;
    return shift === undefined ? [] : [{ caller, callee, shift }];
  });
}

interface Outcome extends CaseRow {
  readonly isRight: boolean;
  /** The baseline, resources alone. */
  readonly isPeerRight: boolean;
  readonly type: string;
  readonly by: 'graph' | 'logs';
}

function outcomeOf(
  fault: Fault,
  { ranking }: RootCause,
  series: readonly RankSeries[],
  how: { readonly day: string; readonly by: Outcome['by'] },
): Outcome {
  return {
    case: `${how.day}/${fault.time}`,
    ranking: ranking.slice(0, 5).map((each) => each.entity),
    topType: null,
    confidence: confidenceOf(ranking.map((each) => each.score)),
    isRight: ranking[0]?.entity === fault.service,
    isPeerRight: nSigma(series, fault.atMs)[0]?.entity === fault.service,
    type: fault.type,
    by: how.by,
  };
}

/** Where the edges of the call graph were measured: metrics and edges. */
function byGraph(data: string, name: string): readonly Outcome[] {
  const day = join(data, 'rca_data', name);
  const sheets = podSheets(day);
  return faultsOf(day).map((fault) => {
    const series = resourceSeries(sheets, fault.atMs);
    const suspects = resourceSuspects(series, fault.atMs);
    const cause = findRootCause({ suspects, edges: edgeShifts(day, fault.atMs) });
    return outcomeOf(fault, cause, series, { day: name, by: 'graph' });
  });
}

/** Elsewhere: the order of log lines within a request, and resources where they moved clearly. */
function byLogs(data: string, name: string): readonly Outcome[] {
  const day = join(data, 'rca_data', name);
  const faults = faultsOf(day);
  const sheets = podSheets(day);
  const miner = new TemplateMiner();
  const lines = logLines([join(data, 'construct_data', name, 'log'), join(day, 'log')]).map((line) => ({
    atMs: line.atMs,
    entity: line.service,
    sequence: line.span,
    template: miner.add(`${line.service} ${line.message}`),
  }));
  return faults.map((fault, i) => {
    // Alarms before this one are known, as this one's time is; what was wrong then is not.
    const wasFaulty = (atMs: number): boolean =>
      faults.slice(0, i).some((each) => atMs >= each.atMs && atMs < each.atMs + AFTER_MS);
    const before: SequencedLine[] = lines.filter((line) => line.atMs < fault.atMs && !wasFaulty(line.atMs));
    const after = lines.filter((line) => line.atMs >= fault.atMs && line.atMs < fault.atMs + LOG_AFTER_MS);
    const logs = sequenceShifts(before, after).map(({ entity, score }) => ({
      entity,
      ownScore: Math.log1p(score),
      inheritedScore: 0,
    }));
    const series = resourceSeries(sheets, fault.atMs);
    const resources = resourceSuspects(series, fault.atMs).filter((each) => each.ownScore >= Math.log1p(5));
    const cause = findRootCause({ suspects: [...logs, ...resources] });
    return outcomeOf(fault, cause, series, { day: name, by: 'logs' });
  });
}

function figureOf(name: string, outcomes: readonly Outcome[], wanted: number | undefined): Figure {
  const count = (is: (each: Outcome) => boolean): number => share(outcomes.filter(is).length, outcomes.length);
  return {
    name,
    value: count((each) => each.isRight),
    unit: '',
    ...(wanted === undefined ? {} : { target: { kind: 'min', value: wanted } }),
    peer: { name: 'n-sigma of resources', value: count((each) => each.isPeerRight) },
    note: outcomes.length === 0 ? 'no such fault in this data' : `${outcomes.length} faults`,
  };
}

const LAYOUT = 'rca_data/DAY/{*fault_list.json,metric,log} and construct_data/DAY/log';

/** Root causes of injected faults: by metrics and edges where edges were measured, by logs and metrics elsewhere. */
export const nezhaBench: Bench = {
  name: 'nezha',
  about: 'root cause by metrics, edges and log sequences, Nezha',
  data: {
    layout: LAYOUT,
    from: 'https://github.com/IntelligentDDS/Nezha',
    isThere: (directory) => daysIn(directory).length > 0,
  },
  run({ data, out }) {
    if (data === undefined) throw new DataProblem(`nezha needs data: ${LAYOUT}`);
    const all = daysIn(data).flatMap((day) =>
      hasEdges(join(data, 'rca_data', day)) ? byGraph(data, day) : byLogs(data, day),
    );
    writeCases(out, 'nezha', all);
    const graph = all.filter(({ by }) => by === 'graph');
    const isResource = ({ type }: Outcome): boolean => RESOURCE_FAULTS.includes(type);
    const logs = all.filter(({ by }) => by === 'logs');
    return {
      set: 'nezha',
      figures: [
        figureOf('metrics and call graph (Online Boutique), resource faults AS@1', graph.filter(isResource), 0.9),
        figureOf(
          'the same, faults in code, which metrics hardly show',
          graph.filter((each) => !isResource(each)),
          undefined,
        ),
        figureOf('with logs (Train Ticket), all faults AS@1', logs, 0.85),
      ],
      lines: all
        .filter((each) => !each.isRight)
        .map((each) => `missed ${each.case} ${each.type}: ${each.ranking.slice(0, 3).join(', ')}`),
    };
  },
};
