import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TemplateMiner, tokensOf } from '../../src/diagnosis/log-templates.ts';
import { barChart } from '../charts/bar-chart.ts';
import { DataProblem } from '../registry.ts';
import type { Bench } from '../registry.ts';
import { share, writeCases } from './case-rows.ts';
import type { CaseRow } from './case-rows.ts';
import { readCsv } from './csv.ts';

/** Share of lines whose whole group is exactly a true group (grouping accuracy, Zhu et al. 2019). */
function groupingAccuracy(found: readonly number[], truth: readonly string[]): number {
  const sizes = new Map<number, number>();
  for (const id of found) sizes.set(id, (sizes.get(id) ?? 0) + 1);
  const groups = Map.groupBy(truth.keys(), (i) => truth[i] ?? '');
  let right = 0;
  for (const lines of groups.values()) {
    const id = found[lines[0] ?? -1];
    const isWhole = id !== undefined && lines.every((i) => found[i] === id) && sizes.get(id) === lines.length;
    if (isWhole) right += lines.length;
  }
  return share(right, truth.length);
}

interface SystemFigures {
  readonly system: string;
  readonly accuracy: number;
  /** Grouping by the masked text alone, without a tree: what masking earns by itself. */
  readonly maskedOnly: number;
  readonly templates: number;
  readonly trueTemplates: number;
  readonly rows: readonly CaseRow[];
}

/** A folder of the set with its two files, whatever they are called before the ending. */
interface System {
  readonly name: string;
  readonly structured: string;
  /** Raw lines; some downloads lack them. */
  readonly raw: string | undefined;
}

function systemsIn(data: string): readonly System[] {
  return readdirSync(data, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }): System[] => {
      const files = readdirSync(join(data, name)).toSorted();
      const structured = files.find((file) => file.endsWith('_structured.csv'));
      const raw = files.find((file) => file.endsWith('.log'));
      if (structured === undefined) return [];
      const at = (file: string): string => join(data, name, file);
      return [{ name, structured: at(structured), raw: raw === undefined ? undefined : at(raw) }];
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function measure({ name, structured }: System): SystemFigures {
  const lines = readCsv(readFileSync(structured, 'utf8'));
  const truth = lines.map((line) => line['EventId'] ?? '');
  const contents = lines.map((line) => line['Content'] ?? '');
  const miner = new TemplateMiner();
  const found = contents.map((content) => miner.add(content));
  const ids = new Map<string, number>();
  const masked = contents.map((content) => {
    const text = tokensOf(content).join(' ');
    const id = ids.get(text) ?? ids.size;
    ids.set(text, id);
    return id;
  });
  return {
    system: name,
    accuracy: groupingAccuracy(found, truth),
    maskedOnly: groupingAccuracy(masked, truth),
    templates: miner.size,
    trueTemplates: new Set(truth).size,
    rows: found.map((id, i) => ({
      case: `${name}/${lines[i]?.['LineId'] ?? i + 1}`,
      ranking: [miner.template(id)?.tokens.join(' ') ?? ''],
      topType: String(id),
      confidence: 1,
    })),
  };
}

/** Lines per second of CPU, best of five passes over the raw lines; CPU time, so that a busy machine changes little. */
function linesPerSecond(systems: readonly System[]): number {
  const logs = systems.flatMap(({ raw }) => (raw === undefined ? [] : [readFileSync(raw, 'utf8').split('\n')]));
  let best = 0;
  for (let pass = 0; pass < 5; pass++) {
    const before = process.cpuUsage();
    let lines = 0;
    for (const log of logs) {
      const miner = new TemplateMiner();
      for (const line of log) miner.add(line);
      lines += log.length;
    }
    const { user, system } = process.cpuUsage(before);
    best = Math.max(best, lines / ((user + system) / 1e6));
  }
  return logs.length === 0 ? NaN : best;
}

const meanOf = (values: readonly number[]): number =>
  share(
    values.reduce((sum, value) => sum + value, 0),
    values.length,
  );

const LAYOUT = 'SYSTEM/*_structured.csv (Content, EventId) and SYSTEM/*.log';

/** Drain with one setting for all systems. */
export const loghubBench: Bench = {
  name: 'loghub',
  about: 'grouping accuracy and speed of log templates',
  data: {
    layout: LAYOUT,
    from: 'https://github.com/logpai/loghub',
    isThere: (directory) => existsSync(directory) && systemsIn(directory).length > 0,
  },
  run({ data, out }) {
    if (data === undefined) throw new DataProblem(`loghub needs data: ${LAYOUT}`);
    const systems = systemsIn(data);
    const measured = systems.map(measure);
    writeCases(
      out,
      'loghub',
      measured.flatMap((each) => each.rows),
    );
    const chart = barChart({
      title: 'Log templates: grouping accuracy',
      subtitle: 'One setting for all systems; a line is right if its whole group is.',
      series: ['Aegis (Drain)', 'masking alone'],
      groups: measured.map(({ system, accuracy, maskedOnly }) => ({ label: system, values: [accuracy, maskedOnly] })),
      max: 1,
    });
    return {
      set: 'loghub',
      figures: [
        {
          name: 'grouping accuracy, mean',
          value: meanOf(measured.map((each) => each.accuracy)),
          unit: '',
          target: { kind: 'min', value: 0.92 },
          peer: { name: 'masking alone', value: meanOf(measured.map((each) => each.maskedOnly)) },
          note: 'published Drain, tuned per system: 0.905 (16 systems)',
        },
        ...measured.map((each) => ({
          name: `  ${each.system}`,
          value: each.accuracy,
          unit: '',
          peer: { name: 'masking alone', value: each.maskedOnly },
          note: `${each.templates} templates, ${each.trueTemplates} true`,
        })),
        {
          name: 'speed',
          value: linesPerSecond(systems),
          unit: 'lines/s',
          target: { kind: 'min', value: 200_000 },
        },
      ],
      lines: [],
      charts: [{ name: 'loghub', svg: chart }],
    };
  },
};
