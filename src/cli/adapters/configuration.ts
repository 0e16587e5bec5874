import { readFileSync } from 'node:fs';
import { loadConfig } from '../../config/load.ts';
import { configText, settingsInForce } from '../../config/print.ts';
import type { Configuration } from '../services.ts';

/** What the operator and the API would run with, from this environment and the file `.env` in this folder. */
export function readConfiguration(env: Readonly<Record<string, string | undefined>>): Configuration {
  const sources = { env, argv: [], readFile };
  const loaded = loadConfig(sources);
  return {
    text: configText(settingsInForce(sources)),
    problems: loaded.ok ? [] : loaded.error.map(({ path, message }) => `${path} ${message}`),
  };
}

function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
