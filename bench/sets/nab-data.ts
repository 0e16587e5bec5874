import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DataProblem } from '../registry.ts';
import { numberIn } from './case-rows.ts';

/** One file of the corpus. */
export interface NabSeries {
  /** `<category>/<file>.csv`. */
  readonly name: string;
  readonly timesMs: Float64Array;
  /** NaN: the cell is empty or no number. */
  readonly values: Float64Array;
  readonly stamps: readonly string[];
  readonly windows: readonly (readonly [left: number, right: number])[];
}

/** Reads every series that windows.json names; windows become row ranges. */
export function readNab(directory: string): readonly NabSeries[] {
  const windows = windowsIn(join(directory, 'windows.json'));
  const names = Object.keys(windows).toSorted();
  const absent = names.filter((name) => !existsSync(join(directory, 'data', name)));
  if (absent.length > 0) {
    const where = join(directory, 'data');
    throw new DataProblem(`windows.json names files that ${where} lacks: ${absent.join(', ')}; unpack the set again`);
  }
  if (names.length === 0) throw new DataProblem(`${join(directory, 'windows.json')} names no file: nothing to score`);
  return names.map((name) => readSeries(directory, name, windows[name] ?? []));
}

function windowsIn(path: string): Readonly<Record<string, readonly [string, string][]>> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, [string, string][]>;
  } catch (error) {
    throw new DataProblem(`${path} cannot be read as JSON (${String(error)}): unpack the set again`);
  }
}

/** `2015-02-26 21:42:53`, with or without parts of a second, is UTC for want of anything else. */
const timeOf = (stamp: string): number => Date.parse(`${stamp.slice(0, 19).replace(' ', 'T')}Z`);

function readSeries(directory: string, name: string, windows: readonly [string, string][]): NabSeries {
  const rows = rowsOf(join(directory, 'data', name));
  const stamps = rows.map(([stamp = '']) => stamp);
  const timesMs = Float64Array.from(stamps, timeOf);
  return {
    name,
    stamps,
    timesMs,
    values: Float64Array.from(rows, ([, value]) => numberIn(value)),
    windows: windows
      .map(([left, right]) => rowsBetween(timesMs, timeOf(left), timeOf(right)))
      .filter(([left, right]) => right >= left)
      .toSorted(([a], [b]) => a - b),
  };
}

/** First row not before the window and last row not after it. */
function rowsBetween(timesMs: Float64Array, fromMs: number, toMs: number): readonly [number, number] {
  return [timesMs.findIndex((time) => time >= fromMs), timesMs.findLastIndex((time) => time <= toMs)];
}

function rowsOf(path: string): readonly string[][] {
  const [, ...lines] = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line.trim() !== '').map((line) => line.trim().split(','));
}

/** A published detector's rows for a series: its scores, and what NAB's own scorer made of each row. */
export interface PeerRows {
  readonly scores: Float64Array;
  /** By profile, in the order standard, low FP, low FN; undefined: not stored. */
  readonly credits: readonly (Float64Array | undefined)[];
}

const CREDIT_COLUMNS = ['S(t)_standard', 'S(t)_reward_low_FP_rate', 'S(t)_reward_low_FN_rate'];

/** `undefined`: this detector has no scores for this series, or not as many as the series has rows. */
export function readPeerRows(directory: string, peer: string, series: NabSeries): PeerRows | undefined {
  const [category = '', file = ''] = series.name.split('/');
  const path = join(directory, 'results', peer, category, `${peer}_${file}`);
  if (!existsSync(path)) return undefined;
  const header = (readFileSync(path, 'utf8').split('\n', 1)[0] ?? '').trim().split(',');
  const rows = rowsOf(path);
  if (rows.length !== series.values.length) return undefined;
  const column = (name: string): Float64Array | undefined => {
    const at = header.indexOf(name);
    return at < 0 ? undefined : Float64Array.from(rows, (row) => numberIn(row[at]));
  };
  const scores = column('anomaly_score');
  return scores === undefined ? undefined : { scores, credits: CREDIT_COLUMNS.map(column) };
}

/** The scores alone. */
export function readPeer(directory: string, peer: string, series: NabSeries): Float64Array | undefined {
  return readPeerRows(directory, peer, series)?.scores;
}

/** Where published scores lie: beside the data or in it; `undefined`: nowhere. */
export function peersDirectory(data: string): string | undefined {
  return [join(data, '..', 'nab-peers'), join(data, 'nab-peers')].find((path) => existsSync(join(path, 'results')));
}

export const peersIn = (directory: string): readonly string[] => readdirSync(join(directory, 'results')).toSorted();
