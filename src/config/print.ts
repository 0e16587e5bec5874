import { SETTINGS, SETTING_NAMES, type SettingName } from './schema.ts';
import { helpOf } from './setting.ts';
import { settingRows } from './help.ts';
import { givenSettings } from './sources.ts';
import type { ConfigSources } from './load.ts';

/** One setting as it is in force. */
export interface SettingInForce {
  readonly name: SettingName;
  /** Text as it was given, or the default; empty: left out. A secret is never shown. */
  readonly value: string;
  readonly from: 'flag' | 'environment' | '.env' | 'default';
}

const HIDDEN = '[set, not shown]';

/** Every setting with its value and where it came from; for `aegis config print`. */
export function settingsInForce({ env, argv, readFile }: ConfigSources): readonly SettingInForce[] {
  const given = givenSettings(argv, env, readFile('.env') ?? '');
  const defaults = new Map(settingRows().map(({ name, defaultText }) => [name, defaultText]));
  return SETTING_NAMES.map((name): SettingInForce => {
    const found = given.get(name);
    if (found === undefined) return { name, value: defaults.get(name) ?? '', from: 'default' };
    const isSecret = helpOf(SETTINGS[name]).isSecret === true;
    return { name, value: isSecret ? HIDDEN : found.value, from: found.from };
  });
}

/** The same as text: `NAME=value`, as `.env` would hold it, with the source behind it. */
export function configText(settings: readonly SettingInForce[]): string {
  const lines = settings.map(({ name, value, from }) => [`${name}=${value}`, from] as const);
  const width = Math.min(60, Math.max(...lines.map(([text]) => text.length)));
  return `${lines.map(([text, from]) => `${text.padEnd(width)}  # ${from}`).join('\n')}\n`;
}
