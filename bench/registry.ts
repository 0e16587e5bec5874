/** One measured figure beside its target and its peer. */
export interface Figure {
  readonly name: string;
  /** NaN: could not be measured with this data, and `note` says why. */
  readonly value: number;
  readonly unit: string;
  /** `max`: the value must not exceed it; `min`: it must reach it; absent: for comparison only. */
  readonly target?: { readonly kind: 'max' | 'min'; readonly value: number };
  /** The best other method in the same run, or a published figure; its name says which. */
  readonly peer?: { readonly name: string; readonly value: number };
  readonly note?: string;
}

/** What a benchmark prints: a table for people, JSON for machines. */
export interface Report {
  readonly set: string;
  readonly figures: readonly Figure[];
  /** Free lines under the table: all peers, cases that were missed. */
  readonly lines: readonly string[];
  /** Drawings for `--charts`. */
  readonly charts?: readonly Chart[];
}

/** An SVG document and the name of its file, without the ending. */
export interface Chart {
  readonly name: string;
  readonly svg: string;
}

export interface BenchOptions {
  /** Folder of the unpacked data set. */
  readonly data?: string;
  /** Folder for one result file per series or case. */
  readonly out?: string;
  /** Requests of the long run of `rest`. */
  readonly requests?: number;
  /** Measure `rest` beside a stand-in of the Python engine as well, installed into a folder that is removed again. */
  readonly python?: boolean;
}

/** A benchmark of one set or part. Throws `DataProblem` if what it needs is not there. */
export interface Bench {
  readonly name: string;
  readonly about: string;
  /** What `--data` must hold, for sets that need data. */
  readonly data?: DataNeed;
  run(options: BenchOptions): Promise<Report> | Report;
}

/** What the folder of a set looks like, and where it comes from. */
export interface DataNeed {
  /** In words: “windows.json and data/<category>/<file>.csv”. */
  readonly layout: string;
  readonly from: string;
  /** True if the folder looks like this set. */
  readonly isThere: (directory: string) => boolean;
}

/** Data that is missing or cannot be read: what, where, how to mend. */
export class DataProblem extends Error {
  override readonly name = 'DataProblem';
}

/** True if the figure keeps its target, or has none; a figure that could not be measured is not met. */
export function isMet({ value, target }: Figure): boolean {
  if (target === undefined) return true;
  return target.kind === 'max' ? value <= target.value : value >= target.value;
}

/** `ok`, `MISSED`, `not measured`, or nothing where there is no target. */
export function markOf(figure: Figure): string {
  if (Number.isNaN(figure.value)) return 'not measured';
  if (figure.target === undefined) return '';
  return isMet(figure) ? 'ok' : 'MISSED';
}

/** The report as an aligned table. */
export function renderTable(report: Report): string {
  const rows = report.figures.map((figure) => rowOf(figure));
  return [`== ${report.set}`, ...aligned([HEADER, ...rows]), ...report.lines].join('\n');
}

/** One table of several reports, with the set in the first column. */
export function renderAll(reports: readonly Report[]): string {
  const rows = reports.flatMap(({ set, figures }) => figures.map((figure) => [set, ...rowOf(figure)]));
  const missed = reports.flatMap(({ set, figures }) =>
    figures.filter((figure) => !isMet(figure)).map(({ name }) => `  ${set}: ${name}`),
  );
  const verdict = missed.length === 0 ? ['every target is met'] : [`${missed.length} not met:`, ...missed];
  return [...aligned([['set', ...HEADER], ...rows]), '', ...verdict].join('\n');
}

/** The same for machines. */
export function figuresForMachines(report: Report): readonly object[] {
  return report.figures.map((figure) => ({
    ...figure,
    value: Number.isFinite(figure.value) ? figure.value : null,
    ...(figure.target === undefined ? {} : { met: isMet(figure) }),
  }));
}

const HEADER = ['figure', 'value', 'unit', 'target', 'peer', '', ''];

function rowOf(figure: Figure): readonly string[] {
  const { name, value, unit, target, peer, note } = figure;
  const wanted = target === undefined ? '' : `${target.kind === 'max' ? '<=' : '>='} ${format(target.value)}`;
  const beside = peer === undefined ? '' : `${format(peer.value)} ${peer.name}`;
  return [name, format(value), unit, wanted, beside, markOf(figure), note ?? ''];
}

function aligned(table: readonly (readonly string[])[]): readonly string[] {
  const columns = Math.max(...table.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...table.map((row) => (row[column] ?? '').length)),
  );
  return table.map((row) =>
    row
      .map((cell, column) => (column === columns - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

function format(value: number): string {
  if (Number.isNaN(value)) return '-';
  if (!Number.isFinite(value)) return String(value);
  const digits = Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 10 ? 1 : 3;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}
