import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One file of the corpus. */
export interface NabSeries {
  /** `<category>/<file>.csv`. */
  readonly name: string;
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  readonly stamps: readonly string[];
  readonly windows: readonly (readonly [left: number, right: number])[];
}

/** Reads every series that windows.json names; windows become row ranges. */
export function readNab(directory: string): readonly NabSeries[] {
  const windows = JSON.parse(readFileSync(join(directory, 'windows.json'), 'utf8')) as Record<
    string,
    [string, string][]
  >;
  return Object.keys(windows)
    .toSorted()
    .map((name) => readSeries(directory, name, windows[name] ?? []));
}

function readSeries(directory: string, name: string, windows: readonly [string, string][]): NabSeries {
  const rows = readRows(join(directory, 'data', name));
  const stamps = rows.map(([stamp = '']) => stamp);
  const index = new Map(stamps.map((stamp, i) => [stamp, i]));
  const rowOf = (stamp: string): number => {
    const row = index.get(stamp.slice(0, 19));
    if (row === undefined) throw new Error(`${name}: no row at ${stamp}`);
    return row;
  };
  return {
    name,
    stamps,
    timesMs: Float64Array.from(stamps, (stamp) => Date.parse(`${stamp.replace(' ', 'T')}Z`)),
    values: Float64Array.from(rows, ([, value]) => Number(value)),
    windows: windows.map(([left, right]) => [rowOf(left), rowOf(right)] as const),
  };
}

function readRows(path: string): readonly string[][] {
  const [, ...lines] = readFileSync(path, 'utf8').trim().split('\n');
  return lines.map((line) => line.trim().split(','));
}

/** A published detector's scores for the same rows; `undefined`: it has none for this series. */
export function readPeer(directory: string, peer: string, series: NabSeries): Float64Array | undefined {
  const [category = '', file = ''] = series.name.split('/');
  try {
    const text = readFileSync(join(directory, 'results', peer, category, `${peer}_${file}`), 'utf8');
    const [header = '', ...lines] = text.trim().split('\n');
    const column = header.trim().split(',').indexOf('anomaly_score');
    return Float64Array.from(lines, (line) => Number(line.trim().split(',')[column]));
  } catch {
    return undefined;
  }
}

export const peersIn = (directory: string): readonly string[] => readdirSync(join(directory, 'results')).toSorted();
