import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ALL, USAGE, readArguments } from './arguments.ts';
import type { Request } from './arguments.ts';
import { DataProblem, figuresForMachines, isMet, renderAll, renderTable } from './registry.ts';
import type { Bench, Report } from './registry.ts';

/** Where a run writes to: the console, or a test. */
export interface Output {
  print(text: string): void;
  complain(text: string): void;
}

/** Runs the engine's benchmark as the arguments ask; returns the exit code (see `USAGE`). */
export async function runEngineBench(
  argv: readonly string[],
  benches: readonly Bench[],
  output: Output,
): Promise<number> {
  const read = readArguments(argv, benches);
  const sets = benches.map(({ name, about }) => `  ${name.padEnd(11)} ${about}`);
  if ('help' in read) {
    output.print([USAGE, ...sets].join('\n'));
    return 0;
  }
  if ('problems' in read) {
    for (const problem of read.problems) output.complain(problem);
    output.complain([USAGE, ...sets].join('\n'));
    return 2;
  }
  const { request } = read;
  const chosen = request.set === ALL ? benches : benches.filter(({ name }) => name === request.set);
  const reports: Report[] = [];
  let failures = 0;
  for (const bench of chosen) {
    const report = await runOne(bench, request, output);
    if (report === undefined) failures++;
    else reports.push(report);
  }
  print(request, reports, output);
  drawAll(request, reports);
  if (failures > 0) return 2;
  return request.strict && !reports.every(({ figures }) => figures.every(isMet)) ? 1 : 0;
}

/** One set; `undefined` if its data cannot be used, which has been said. In `all` a set without a folder is only named. */
async function runOne(bench: Bench, request: Request, output: Output): Promise<Report | undefined> {
  const { data, out } = placesOf(bench, request);
  if (bench.data !== undefined && data !== undefined && !bench.data.isThere(data)) {
    const note = `${data} does not hold ${bench.data.layout}; it comes from ${bench.data.from}`;
    return { set: bench.name, figures: [{ name: 'data', value: NaN, unit: '', note }], lines: [] };
  }
  try {
    if (request.set === ALL) output.complain(`${bench.name} …`);
    return await bench.run({ ...(data === undefined ? {} : { data }), ...(out === undefined ? {} : { out }) });
  } catch (error) {
    if (!(error instanceof DataProblem) && !isFileError(error)) throw error;
    output.complain(`${bench.name}: ${error.message}`);
    return undefined;
  }
}

function placesOf(bench: Bench, { set, data, out }: Request): { data?: string; out?: string } {
  const below = (path: string): string => (set === ALL ? join(path, bench.name) : path);
  return {
    ...(data === undefined || bench.data === undefined ? {} : { data: below(data) }),
    ...(out === undefined ? {} : { out: below(out) }),
  };
}

const isFileError = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && 'code' in error;

function print({ set, json }: Request, reports: readonly Report[], output: Output): void {
  if (json) {
    const plain = reports.map((report) => ({
      set: report.set,
      figures: figuresForMachines(report),
      lines: report.lines,
    }));
    output.print(JSON.stringify(set === ALL ? { set: ALL, reports: plain } : (plain[0] ?? null)));
    return;
  }
  if (set !== ALL) {
    for (const report of reports) output.print(renderTable(report));
    return;
  }
  for (const { set: name, lines } of reports) if (lines.length > 0) output.print([`== ${name}`, ...lines].join('\n'));
  output.print(renderAll(reports));
}

function drawAll({ charts }: Request, reports: readonly Report[]): void {
  if (charts === undefined) return;
  mkdirSync(charts, { recursive: true });
  for (const report of reports) {
    for (const { name, svg } of report.charts ?? []) writeFileSync(join(charts, `${name}.svg`), svg);
  }
}
