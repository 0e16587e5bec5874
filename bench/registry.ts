/** One measured figure beside its target. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** `max`: the value must not exceed it; `min`: it must reach it; absent: for comparison only. */
  readonly target?: { readonly kind: 'max' | 'min'; readonly value: number };
  readonly note?: string;
}

/** What a benchmark prints: a table for people, JSON for machines. */
export interface Report {
  readonly set: string;
  readonly figures: readonly Figure[];
  /** Free lines under the table: peers, explanations. */
  readonly lines: readonly string[];
}

export interface BenchOptions {
  /** Folder of the unpacked data set; absent: the benchmark says where to get it. */
  readonly data?: string;
  /** Folder for one result file per series or case. */
  readonly out?: string;
}

/** A benchmark of one set or part. Returning `undefined` means: it could not run, and has said why. */
export interface Bench {
  readonly name: string;
  readonly about: string;
  run(options: BenchOptions): Promise<Report | undefined> | Report | undefined;
}

/** True if the figure keeps its target, or has none. */
export function isMet({ value, target }: Figure): boolean {
  if (target === undefined) return true;
  return target.kind === 'max' ? value <= target.value : value >= target.value;
}

/** The report as an aligned table. */
export function renderTable(report: Report): string {
  const rows = report.figures.map((figure) => {
    const { target } = figure;
    const wanted = target === undefined ? '' : `${target.kind === 'max' ? '<=' : '>='} ${format(target.value)}`;
    const mark = target === undefined ? '' : isMet(figure) ? 'ok' : 'MISSED';
    return [figure.name, format(figure.value), figure.unit, wanted, mark, figure.note ?? ''];
  });
  const table = [['figure', 'value', 'unit', 'target', '', ''], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((row) => (row[column] ?? '').length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [`== ${report.set}`, ...lines, ...report.lines].join('\n');
}

function format(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 10 ? 1 : 3;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}
