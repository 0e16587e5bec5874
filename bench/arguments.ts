import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Bench } from './registry.ts';

/** What a call of the engine's benchmark asks for. */
export interface Request {
  /** A set's name, or `all`. */
  readonly set: string;
  readonly data?: string;
  readonly out?: string;
  readonly charts?: string;
  readonly json: boolean;
  /** Exit with 1 if a target is missed. */
  readonly strict: boolean;
}

export const ALL = 'all';

const FOLDERS = ['data', 'out', 'charts'] as const;
const SWITCHES = ['json', 'strict', 'help'] as const;

export const USAGE = `npm run bench:engine -- SET [--data DIR] [--out DIR] [--charts DIR] [--json] [--strict]
  SET      a set, or all: everything in one table
  --data   the unpacked folder of the set; for all the folder that holds the sets' folders
  --out    a folder for results: <category>/<file>.csv of nab, one JSON line a case of the others
  --charts a folder for the drawings (SVG)
  --json   figures as JSON instead of a table
  --strict exit with 1 if a target is missed; 2 is wrong use or missing data, 0 everything else
sets:`;

/** Reads the arguments; every problem at once, each with what, where and how to mend. */
export function readArguments(
  argv: readonly string[],
  benches: readonly Bench[],
): { readonly request: Request } | { readonly problems: readonly string[] } | { readonly help: true } {
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: {
      ...Object.fromEntries(FOLDERS.map((name) => [name, { type: 'string' as const }])),
      ...Object.fromEntries(SWITCHES.map((name) => [name, { type: 'boolean' as const }])),
    },
  });
  const problems: string[] = [];
  const folders = new Map<string, string>();
  const switches = new Set<string>();
  const names: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') names.push(token.value);
    if (token.kind !== 'option') continue;
    const folder = FOLDERS.find((name) => name === token.name);
    if (folder !== undefined && token.value !== undefined && token.value !== '') folders.set(folder, token.value);
    else if (folder !== undefined) problems.push(`--${folder} names no folder: write --${folder} DIR`);
    else if (SWITCHES.some((name) => name === token.name)) switches.add(token.name);
    else problems.push(`${token.rawName} is no option: known are --data, --out, --charts, --json and --strict`);
  }
  if (switches.has('help')) return { help: true };
  const known = [...benches.map(({ name }) => name), ALL];
  const [set = ''] = names;
  if (names.length === 0) problems.push(`no SET is given: write one of ${known.join(', ')}`);
  if (names.length > 1) problems.push(`one SET a call, not ${names.join(' and ')}: all runs every set`);
  for (const name of names) {
    if (!known.includes(name)) problems.push(`${name} is no set: write one of ${known.join(', ')}`);
  }
  problems.push(...folderProblems(set, folders, benches));
  if (problems.length > 0) return { problems };
  const places = Object.fromEntries(folders) as Partial<Record<(typeof FOLDERS)[number], string>>;
  return { request: { set, ...places, json: switches.has('json'), strict: switches.has('strict') } };
}

function folderProblems(
  set: string,
  folders: ReadonlyMap<string, string>,
  benches: readonly Bench[],
): readonly string[] {
  const problems: string[] = [];
  for (const name of ['out', 'charts']) {
    const path = folders.get(name);
    if (path !== undefined && existsSync(path) && !isFolder(path)) {
      problems.push(`--${name} ${path} is a file: give a folder, it is made if it is not there`);
    }
  }
  const data = folders.get('data');
  const needs = benches.filter((bench) => bench.data !== undefined && (bench.name === set || set === ALL));
  if (needs.length === 0) return problems;
  if (data === undefined) problems.push(...needs.map((bench) => withoutData(bench, set)));
  else if (!existsSync(data)) problems.push(`--data ${data} does not exist: give the folder of the unpacked data`);
  else if (!isFolder(data)) problems.push(`--data ${data} is a file: unpack it (tar -xJf) and give the folder`);
  else if (set === ALL && !needs.some((bench) => bench.data?.isThere(join(data, bench.name)) ?? false)) {
    const folder = needs.map(({ name }) => name).join(', ');
    problems.push(`--data ${data} holds none of the sets: give the folder that holds ${folder}`);
  } else if (set !== ALL) problems.push(...needs.flatMap((bench) => wrongFolder(bench, data)));
  return problems;
}

const isFolder = (path: string): boolean => statSync(path).isDirectory();

function withoutData({ name, data }: Bench, set: string): string {
  const how = set === ALL ? '--data DIR with the unpacked folders, this one as' : '--data DIR with';
  const where = set === ALL ? ` DIR/${name}:` : '';
  return `${name} needs data: give ${how}${where} ${data?.layout ?? ''}; it comes from ${data?.from ?? ''}`;
}

/** A folder that is not the set's; often its parent was given. */
function wrongFolder({ name, data }: Bench, path: string): readonly string[] {
  if (data === undefined || data.isThere(path)) return [];
  const inside = join(path, name);
  if (data.isThere(inside)) return [`--data ${path} holds the set's folder, but is not it: give --data ${inside}`];
  return [`--data ${path} is not the folder of ${name}: it must hold ${data.layout}; it comes from ${data.from}`];
}
