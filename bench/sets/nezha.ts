import { join } from 'node:path';
import { sequenceShifts } from '../../src/diagnosis/log-sequences.ts';
import type { SequencedLine } from '../../src/diagnosis/log-sequences.ts';
import { TemplateMiner } from '../../src/diagnosis/log-templates.ts';
import { shiftOf } from '../../src/diagnosis/rank.ts';
import type { RankSettings } from '../../src/diagnosis/rank.ts';
import { findRootCause } from '../../src/diagnosis/root-cause.ts';
import type { EdgeShift, RootCause, SuspectEvidence } from '../../src/diagnosis/root-cause.ts';
import type { Bench } from '../registry.ts';
import { confidenceOf, missingData, share, writeCases } from './case-rows.ts';
import type { CaseRow } from './case-rows.ts';
import { columnOf, faultsOf, logLines, podSheets, sheetOf } from './nezha-data.ts';
import type { Column, Fault, Sheet } from './nezha-data.ts';

const SHOP_DAY = '2022-08-22';
const TICKET_DAY = '2023-01-29';
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

function resourceSuspects(sheets: ReadonlyMap<string, Sheet>, atMs: number): readonly SuspectEvidence[] {
  return [...sheets].map(([entity, sheet]) => {
    const shifts = RESOURCES.map((metric) => {
      const column = windowOf(columnOf(sheet, metric, 'Time'), atMs);
      return shiftOf({ entity, metric, kind: 'utilisation', ...column }, atMs, SETTINGS)?.shift ?? 0;
    });
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
  readonly type: string;
}

function outcomeOf(name: string, fault: Fault, { ranking }: RootCause): Outcome {
  return {
    case: `${name} ${new Date(fault.atMs).toISOString()} ${fault.type}`,
    ranking: ranking.slice(0, 5).map((each) => each.entity),
    top: ranking[0]?.entity ?? null,
    confidence: confidenceOf(ranking.map((each) => each.score)),
    isRight: ranking[0]?.entity === fault.service,
    type: fault.type,
  };
}

function onlineBoutique(data: string): readonly Outcome[] {
  const day = join(data, 'rca_data', SHOP_DAY);
  const sheets = podSheets(day);
  return faultsOf(day)
    .filter((fault) => RESOURCE_FAULTS.includes(fault.type))
    .map((fault) => {
      const suspects = resourceSuspects(sheets, fault.atMs);
      return outcomeOf('online-boutique', fault, findRootCause({ suspects, edges: edgeShifts(day, fault.atMs) }));
    });
}

function trainTicket(data: string): readonly Outcome[] {
  const day = join(data, 'rca_data', TICKET_DAY);
  const faults = faultsOf(day);
  const sheets = podSheets(day);
  const miner = new TemplateMiner();
  const lines = logLines([join(data, 'construct_data', TICKET_DAY, 'log'), join(day, 'log')]).map((line) => ({
    atMs: line.atMs,
    entity: line.service,
    sequence: line.span,
    template: miner.add(`${line.service} ${line.message}`),
  }));
  return faults.map((fault, i) => {
    const wasFaulty = (atMs: number): boolean =>
      faults.slice(0, i).some((each) => atMs >= each.atMs && atMs < each.atMs + AFTER_MS);
    const before: SequencedLine[] = lines.filter((line) => line.atMs < fault.atMs && !wasFaulty(line.atMs));
    const after = lines.filter((line) => line.atMs >= fault.atMs && line.atMs < fault.atMs + LOG_AFTER_MS);
    const logs = sequenceShifts(before, after).map(({ entity, score }) => ({
      entity,
      ownScore: Math.log1p(score),
      inheritedScore: 0,
    }));
    const resources = resourceSuspects(sheets, fault.atMs).filter((each) => each.ownScore >= Math.log1p(5));
    return outcomeOf('train-ticket', fault, findRootCause({ suspects: [...logs, ...resources] }));
  });
}

/** Root causes of injected faults: Online Boutique by metrics and edges, Train Ticket by logs and metrics. */
export const nezhaBench: Bench = {
  name: 'nezha',
  about: 'root cause by metrics, edges and log sequences, Nezha (needs --data)',
  run({ data, out }) {
    if (data === undefined) return missingData('nezha', 'IntelligentDDS/Nezha');
    const shop = onlineBoutique(data);
    const ticket = trainTicket(data);
    const all = [...shop, ...ticket];
    writeCases(out, 'nezha', all);
    const right = (outcomes: readonly Outcome[]): number =>
      share(outcomes.filter((each) => each.isRight).length, outcomes.length);
    return {
      set: 'nezha',
      figures: [
        {
          name: 'Online Boutique, resource faults AS@1',
          value: right(shop),
          unit: '',
          target: { kind: 'min', value: 0.9 },
          note: `${shop.length} faults`,
        },
        {
          name: 'Train Ticket, all faults AS@1',
          value: right(ticket),
          unit: '',
          target: { kind: 'min', value: 0.85 },
          note: `${ticket.length} faults`,
        },
      ],
      lines: all
        .filter((each) => !each.isRight)
        .map((each) => `missed ${each.case}: ${each.ranking.slice(0, 3).join(', ')}`),
    };
  },
};
