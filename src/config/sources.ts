import { parseArgs, parseEnv } from 'node:util';
import type { Problem } from '../lib/parsed.ts';
import { SETTINGS, SETTING_NAMES, type SettingName } from './schema.ts';
import { helpOf } from './setting.ts';

/** Raw text of the settings that are given somewhere, and what is wrong with the command line. */
export interface RawSettings {
  readonly values: Readonly<Partial<Record<SettingName, string>>>;
  readonly problems: readonly Problem[];
}

/** `ANOMALY_THRESHOLD` -> `anomaly-threshold`. */
export const flagOf = (name: SettingName): string =>
  helpOf(SETTINGS[name]).flag ?? name.toLowerCase().replaceAll('_', '-');

/** A setting that is given, and where. */
interface Given {
  readonly value: string;
  readonly from: 'flag' | 'environment' | '.env';
}

/** The settings that are given somewhere; where several say one, the first of flags, environment and `.env`. */
export function givenSettings(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  dotenv: string,
): ReadonlyMap<SettingName, Given> {
  const flags = readFlags(argv).values;
  const file = parseEnv(dotenv);
  const found = new Map<SettingName, Given>();
  for (const name of SETTING_NAMES) {
    for (const [from, value] of [
      ['flag', flags[name]],
      ['environment', env[name]],
      ['.env', file[name]],
    ] as const) {
      if (value === undefined || value === '' || found.has(name)) continue;
      found.set(name, { value, from });
    }
  }
  return found;
}

/** Flags before environment before `.env`. An empty value is none: that is how a chart leaves a setting out. */
export function mergeSources(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  dotenv: string,
): RawSettings {
  const given = givenSettings(argv, env, dotenv);
  const values = Object.fromEntries([...given].map(([name, { value }]) => [name, value]));
  return { values, problems: readFlags(argv).problems };
}

function readFlags(argv: readonly string[]): RawSettings {
  const byFlag = new Map(SETTING_NAMES.map((name) => [flagOf(name), name]));
  const switches = SETTING_NAMES.filter((name) => helpOf(SETTINGS[name]).isSwitch === true);
  const options = Object.fromEntries(
    [...byFlag].map(([flag, name]) => [flag, { type: switches.includes(name) ? 'boolean' : 'string' } as const]),
  );
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
  const values: Partial<Record<SettingName, string>> = {};
  const problems: Problem[] = [];
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    const name = token.kind === 'option' ? byFlag.get(token.name) : undefined;
    if (token.kind === 'positional' || name === undefined) {
      const shown = token.kind === 'positional' ? `argument ${token.index + 1}` : token.rawName;
      problems.push({ path: shown, reason: 'ConfigInvalid', message: 'is no setting; --help lists them' });
    } else if (token.value === undefined && !switches.includes(name)) {
      problems.push({ path: token.rawName, reason: 'ConfigInvalid', message: 'needs a value' });
    } else {
      values[name] = token.value ?? 'true';
    }
  }
  return { values, problems };
}
