import { err, ok, type Result } from '../../lib/result.ts';
import { Problems, type FileProblem } from './problems.ts';
import type { RecordedSeries } from './recorded-series.ts';
import { SampleTable } from './sample-table.ts';
import { parseTime } from './sample-time.ts';

const REQUIRED = ['time', 'pod', 'metric', 'value'] as const;
const OPTIONAL = ['namespace', 'workload'] as const;
type Column = (typeof REQUIRED)[number] | (typeof OPTIONAL)[number];

const HEADER = 'time,namespace,workload,pod,metric,value';

/**
 * `time,namespace,workload,pod,metric,value`, in any order of columns; namespace and workload may be left out, an empty pod
 * means the workload as a whole. Every problem of the file at once. A row without a value is a gap.
 */
export function readCsv(
  file: string,
  content: string,
  defaultNamespace: string,
): Result<readonly RecordedSeries[], readonly FileProblem[]> {
  const problems = new Problems(file);
  const lines = content.replace(/^\uFEFF/, '').split(/\r?\n/);
  const columns = headerOf(lines[0] ?? '', problems);
  if (columns === undefined) return err(problems.list());
  const table = new SampleTable();
  let rows = 0;
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] ?? '';
    if (line.trim() === '' || line.startsWith('#')) continue;
    rows += 1;
    const cells = cellsOf(line);
    if (cells.length !== columns.width) {
      problems.add(i + 1, `has ${cells.length} cells, the header ${columns.width}; quote cells that hold a comma`);
      continue;
    }
    const cell = (column: Column): string => cells[columns.at.get(column) ?? -1]?.trim() ?? '';
    readRow(cell, i + 1, { table, problems, defaultNamespace });
  }
  if (rows === 0) problems.add(undefined, `holds no sample; below the header ${HEADER} it takes one line each`);
  return problems.count > 0 ? err(problems.list()) : ok(table.series());
}

interface Sink {
  readonly table: SampleTable;
  readonly problems: Problems;
  readonly defaultNamespace: string;
}

function readRow(cell: (column: Column) => string, line: number, { table, problems, defaultNamespace }: Sink): void {
  const [time, metric, text] = [cell('time'), cell('metric'), cell('value')];
  const atMs = parseTime(time);
  if (atMs === undefined) {
    problems.add(line, `time ${JSON.stringify(time)} is none; write 2026-01-05T12:30:00Z or epoch seconds`);
  }
  if (metric === '') problems.add(line, 'metric is empty; write a name such as cpu_usage');
  const value = Number(text);
  const isGap = text === '' || /^[+-]?(nan|inf(inity)?)$/i.test(text);
  if (!isGap && !Number.isFinite(value)) {
    problems.add(line, `value ${JSON.stringify(text)} is no number; leave the cell empty for a gap`);
  }
  if (atMs === undefined || metric === '' || isGap || !Number.isFinite(value)) return;
  const [pod, workload] = [cell('pod'), cell('workload')];
  table.add({
    ...{ metric, atMs, value, namespace: cell('namespace') || defaultNamespace },
    ...(pod !== '' && { pod }),
    ...(workload !== '' && { workload }),
  });
}

function headerOf(
  line: string,
  problems: Problems,
): { readonly at: ReadonlyMap<string, number>; readonly width: number } | undefined {
  const names = cellsOf(line).map((name) => name.trim().toLowerCase());
  const known: readonly string[] = [...REQUIRED, ...OPTIONAL];
  const missing = REQUIRED.filter((name) => !names.includes(name));
  const unknown = names.filter((name) => !known.includes(name));
  for (const name of missing) problems.add(1, `the header lacks the column ${name}; the whole header is ${HEADER}`);
  for (const name of unknown) {
    problems.add(1, `the header names a column ${JSON.stringify(name)} that is not known; known: ${known.join(', ')}`);
  }
  if (problems.count > 0) return undefined;
  return { at: new Map(names.map((name, index) => [name, index])), width: names.length };
}

/** RFC 4180 within a line: cells may be quoted, a quote in them is doubled. */
function cellsOf(line: string): readonly string[] {
  if (!line.includes('"')) return line.split(',');
  const cells: string[] = [];
  const pattern = /(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g;
  for (const [, quoted, plain] of line.matchAll(pattern)) cells.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
  return cells;
}
