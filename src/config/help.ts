import { SETTINGS, SETTING_NAMES, type SettingName } from './schema.ts';
import { helpOf } from './setting.ts';
import { flagOf } from './sources.ts';

/** One setting, for people. */
export interface SettingRow {
  readonly name: SettingName;
  readonly flag: string;
  readonly defaultText: string;
  readonly description: string;
}

/** The default as the environment would hold it; empty where the setting is simply left out. */
function defaultOf(name: SettingName): string {
  const schema = SETTINGS[name];
  const { defaultText } = helpOf(schema);
  if (defaultText !== undefined) return defaultText;
  const parsed = schema.safeParse(undefined);
  if (!parsed.success || parsed.data === undefined) return '';
  // Whatever has a shape of its own says its default in its help.
  if (Array.isArray(parsed.data)) return parsed.data.map(String).join(',');
  return typeof parsed.data === 'object' ? '' : String(parsed.data);
}

/** Every setting in the order of the schema: source of `--help` and of the reference page. */
export function settingRows(): readonly SettingRow[] {
  return SETTING_NAMES.map((name) => ({
    name,
    flag: `--${flagOf(name)}`,
    defaultText: defaultOf(name),
    description: helpOf(SETTINGS[name]).description,
  }));
}

/** The text of `--help`. */
export function helpText(): string {
  const lines = settingRows().map(({ name, flag, defaultText, description }) => {
    const shown = defaultText === '' ? '' : ` (default ${defaultText})`;
    return `  ${flag}\n      ${description}${shown}\n      ${name}`;
  });
  return `Settings: flags before environment before the file .env.\n\n${lines.join('\n')}\n`;
}
