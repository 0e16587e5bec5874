import type { Problem } from '../lib/parsed.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { assembleConfig } from './assemble.ts';
import type { Config } from './config.ts';
import { crossProblems } from './cross-checks.ts';
import { parseKeysFile } from './keys-file.ts';
import { SETTINGS, SETTING_NAMES, type SettingName, type Settings } from './schema.ts';
import { helpOf } from './setting.ts';
import { parseSinksFile } from './sinks-file.ts';
import { mergeSources } from './sources.ts';

/** Where settings come from. All of it is passed in, so that a test needs no process. */
export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Arguments after the program's name. */
  readonly argv: readonly string[];
  /** The file's text, or `undefined` where it cannot be read. */
  readonly readFile: (path: string) => string | undefined;
}

/**
 * Reads, checks and types everything at once, or returns every problem with what would follow from it. A bad value
 * never becomes a default, and no value is shown: it may be a secret in the wrong place.
 */
export function loadConfig({ env, argv, readFile }: ConfigSources): Result<Config, readonly Problem[]> {
  const raw = mergeSources(argv, env, readFile('.env') ?? '');
  const { settings, problems: bad } = typed(raw.values);
  const database = databaseUrl(settings, readFile);
  const keys = fileContent(settings.API_KEYS_FILE, readFile, parseKeysFile);
  const sinks = fileContent(settings.SINKS_FILE, readFile, parseSinksFile);
  const problems = [
    ...raw.problems,
    ...bad,
    ...unreadable(settings, readFile),
    ...database.problems,
    ...keys.problems,
    ...sinks.problems,
    ...crossProblems(settings, env, new Set(bad.map(({ path }) => path))),
  ];
  if (problems.length > 0) return err(problems);
  const whole = { ...(settings as Settings), ...database.url };
  return ok(deepFreeze(assembleConfig(whole, { env, keys: keys.value, sinks: sinks.value })));
}

/** Each setting is judged by itself: one bad value must not hide the next. */
function typed(values: Readonly<Partial<Record<SettingName, string>>>): {
  readonly settings: Partial<Settings>;
  readonly problems: readonly Problem[];
} {
  const settings: Record<string, unknown> = {};
  const problems: Problem[] = [];
  for (const name of SETTING_NAMES) {
    const parsed = SETTINGS[name].safeParse(values[name]);
    if (parsed.success) settings[name] = parsed.data;
    else problems.push(problem(name, parsed.error.issues[0]?.message ?? 'is invalid'));
  }
  return { settings, problems };
}

function problem(name: SettingName, message: string): Problem {
  const { consequence } = helpOf(SETTINGS[name]);
  return { path: name, reason: 'ConfigInvalid', message: `${message}; with it ${consequence}` };
}

/** A file that cannot be read now would fail at the worst moment later. */
function unreadable(settings: Partial<Settings>, readFile: ConfigSources['readFile']): readonly Problem[] {
  return SETTING_NAMES.filter((name) => helpOf(SETTINGS[name]).isFile === true).flatMap((name) => {
    const path = settings[name];
    return typeof path === 'string' && readFile(path) === undefined ? [problem(name, 'cannot be read')] : [];
  });
}

function databaseUrl(
  { DATABASE_URL_FILE: path }: Partial<Settings>,
  readFile: ConfigSources['readFile'],
): { readonly url: { DATABASE_URL?: string }; readonly problems: readonly Problem[] } {
  const text = path === undefined ? undefined : readFile(path);
  if (text === undefined) return { url: {}, problems: [] };
  const parsed = SETTINGS.DATABASE_URL.safeParse(text.trim());
  if (parsed.success && parsed.data !== undefined) return { url: { DATABASE_URL: parsed.data }, problems: [] };
  return { url: {}, problems: [problem('DATABASE_URL_FILE', 'must hold an address that begins with postgres://')] };
}

function fileContent<T>(
  path: string | undefined,
  readFile: ConfigSources['readFile'],
  parse: (text: string) => Result<readonly T[], readonly Problem[]>,
): { readonly value: readonly T[]; readonly problems: readonly Problem[] } {
  const text = path === undefined ? undefined : readFile(path);
  if (text === undefined) return { value: [], problems: [] };
  const parsed = parse(text);
  return parsed.ok ? { value: parsed.value, problems: [] } : { value: [], problems: parsed.error };
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const child of Object.values(value)) deepFreeze(child);
  return Object.freeze(value);
}
