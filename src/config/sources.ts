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

/** Flags before environment before `.env`. An empty value is none: that is how a chart leaves a setting out. */
export function mergeSources(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  dotenv: string,
): RawSettings {
  const flags = readFlags(argv);
  const file = parseEnv(dotenv);
  const given = SETTING_NAMES.flatMap((name) => {
    const value = [flags.values[name], env[name], file[name]].find((text) => text !== undefined && text !== '');
    return value === undefined ? [] : [[name, value] as const];
  });
  return { values: Object.fromEntries(given), problems: flags.problems };
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
