import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataProblem } from '../registry.ts';
import { numberIn } from './case-rows.ts';
import { parseCsv, readCsv } from './csv.ts';

export interface Fault {
  readonly atMs: number;
  /** As the list says it. */
  readonly time: string;
  readonly service: string;
  readonly type: string;
}

/** `cartservice-579f59597d-wc2lz` is a pod of `cartservice`. */
const serviceOf = (pod: string): string => pod.split('-').slice(0, -2).join('-');

const listIn = (day: string): string | undefined => readdirSync(day).find((file) => file.endsWith('fault_list.json'));

/** Days with injected faults: folders of `rca_data` that hold a fault list and metrics. */
export function daysIn(data: string): readonly string[] {
  const all = join(data, 'rca_data');
  if (!existsSync(all)) return [];
  return readdirSync(all, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .filter((name) => existsSync(join(all, name, 'metric')) && listIn(join(all, name)) !== undefined)
    .toSorted();
}

/** The injected faults of a day, in their order. The list's unix stamps are in local time; its texts are UTC. */
export function faultsOf(day: string): readonly Fault[] {
  const path = join(day, listIn(day) ?? '');
  const hours = JSON.parse(readFileSync(path, 'utf8')) as Record<string, readonly Record<string, string>[]>;
  const faults = Object.values(hours)
    .flat()
    .map((fault) => ({
      atMs: Date.parse(`${(fault['inject_time'] ?? '').replace(' ', 'T')}Z`),
      time: fault['inject_time'] ?? '',
      service: serviceOf(fault['inject_pod'] ?? ''),
      type: fault['inject_type'] ?? '',
    }))
    .toSorted((a, b) => a.atMs - b.atMs);
  const undated = faults.filter(({ atMs }) => !Number.isFinite(atMs)).length;
  if (undated > 0)
    throw new DataProblem(`${path}: ${undated} faults without a readable inject_time; unpack the set again`);
  return faults;
}

/** True if it was measured how long callers waited and callees worked: then the call graph can be blamed. */
export const hasEdges = (day: string): boolean =>
  ['source_50.csv', 'destination_50.csv'].every((file) => existsSync(join(day, 'metric', file)));

export interface Column {
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
}

export type Sheet = readonly Readonly<Record<string, string>>[];

/** Time of a row: `2022-08-22 03:51:19.607158889 +0000 UTC …`. */
const rowTime = (text: string): number => Date.parse(`${text.slice(0, 19).replace(' ', 'T')}Z`);

export function columnOf(sheet: Sheet, name: string, timeName: string): Column {
  return {
    timesMs: Float64Array.from(sheet, (row) => rowTime(row[timeName] ?? '')),
    values: Float64Array.from(sheet, (row) => numberIn(row[name])),
  };
}

/** The pod metrics of a day by service. */
export function podSheets(day: string): ReadonlyMap<string, Sheet> {
  const files = readdirSync(join(day, 'metric')).filter((file) => file.endsWith('_metric.csv'));
  return new Map(files.map((file) => [serviceOf(file.replace('_metric.csv', '')), sheetOf(day, file)]));
}

export const sheetOf = (day: string, file: string): Sheet => readCsv(readFileSync(join(day, 'metric', file), 'utf8'));

export interface RawLine {
  readonly atMs: number;
  /** Nanoseconds as text of equal length: sorts by time. */
  readonly order: string;
  readonly service: string;
  readonly span: string;
  readonly message: string;
}

function messageOf(cell: string): string {
  try {
    const { log } = JSON.parse(cell) as { readonly log?: unknown };
    return typeof log === 'string' ? log : cell;
  } catch {
    return cell;
  }
}

const CLOCK = /^\d\d:\d\d:\d\d\.\d+ /;
const IDS = /TraceID: \S+ SpanID: \S+ /;
/** `OrderService#118`: the place in the source, which masking would take for a number. */
const PLACE = /#(\d+)/;
const spelled = (digits: string): string => digits.replaceAll(/\d/g, (digit) => 'abcdefghij'.charAt(Number(digit)));

/** Every line of the folders once, by time: files overlap, and a folder may be absent. */
export function logLines(folders: readonly string[]): readonly RawLine[] {
  const seen = new Set<string>();
  const lines: RawLine[] = [];
  for (const folder of folders.filter((path) => existsSync(path))) {
    for (const file of readdirSync(folder)) {
      for (const row of parseCsv(readFileSync(join(folder, file), 'utf8')).slice(1)) {
        const [time = '', order = '', , pod = '', , , span = '', cell = ''] = row;
        const key = `${order} ${pod} ${span} ${cell}`;
        if (row.length < 8 || seen.has(key)) continue;
        seen.add(key);
        const message = messageOf(cell)
          .replace(IDS, '')
          .replace(CLOCK, '')
          .replace(PLACE, (_, digits: string) => `#${spelled(digits)}`);
        lines.push({ atMs: Date.parse(time), order: order.padStart(20, '0'), service: serviceOf(pod), span, message });
      }
    }
  }
  return lines.toSorted((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0));
}
