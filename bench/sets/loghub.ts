import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TemplateMiner } from '../../src/diagnosis/log-templates.ts';
import type { Bench } from '../registry.ts';
import { missingData, share, writeCases } from './case-rows.ts';
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
  readonly templates: number;
  readonly trueTemplates: number;
}

function measure(data: string, system: string): SystemFigures {
  const rows = readCsv(readFileSync(join(data, system, `${system}_2k.log_structured.csv`), 'utf8'));
  const truth = rows.map((row) => row['EventId'] ?? '');
  const miner = new TemplateMiner();
  const found = rows.map((row) => miner.add(row['Content'] ?? ''));
  return {
    system,
    accuracy: groupingAccuracy(found, truth),
    templates: miner.size,
    trueTemplates: new Set(truth).size,
  };
}

/** Lines per second of CPU, best of five passes over the raw lines; CPU time, so that a busy machine changes little. */
function linesPerSecond(data: string, systems: readonly string[]): number {
  const logs = systems.map((system) => readFileSync(join(data, system, `${system}_2k.log`), 'utf8').split('\n'));
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
  return best;
}

/** Drain with one setting for all systems. */
export const loghubBench: Bench = {
  name: 'loghub',
  about: 'grouping accuracy and speed of log templates (needs --data)',
  run({ data, out }) {
    if (data === undefined) return missingData('loghub', 'logpai/loghub');
    const systems = readdirSync(data, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
    const measured = systems.map((system) => measure(data, system));
    const mean = share(
      measured.reduce((sum, each) => sum + each.accuracy, 0),
      measured.length,
    );
    writeCases(
      out,
      'loghub',
      measured.map((each) => ({ case: each.system, ranking: [], top: null, confidence: each.accuracy })),
    );
    return {
      set: 'loghub',
      figures: [
        {
          name: 'grouping accuracy, mean',
          value: mean,
          unit: '',
          target: { kind: 'min', value: 0.92 },
          note: 'published Drain, tuned per system: 0.905',
        },
        ...measured.map((each) => ({
          name: `  ${each.system}`,
          value: each.accuracy,
          unit: '',
          note: `${each.templates} templates, ${each.trueTemplates} true`,
        })),
        {
          name: 'speed',
          value: linesPerSecond(data, systems),
          unit: 'lines/s',
          target: { kind: 'min', value: 200_000 },
        },
      ],
      lines: [],
    };
  },
};
