import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../config/load.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import { backup } from '../../store/backup/backup.ts';
import type { Place } from '../../store/backup/place.ts';
import { restore } from '../../store/backup/restore.ts';
import { DATABASE_FILE } from '../../store/store.ts';
import type { DatabaseCopies } from '../services.ts';

const SETTINGS = ['DATA_DIR', 'DATABASE_URL', 'DATABASE_URL_FILE'];

/** The database that the operator's own settings name; `dataDir` wins over them. */
export function openDatabase(
  env: Readonly<Record<string, string | undefined>>,
  dataDir: string | undefined,
  nowMs: () => number,
): Result<DatabaseCopies, string> {
  const known = Object.entries(env).filter(([name]) => SETTINGS.includes(name));
  const given = dataDir === undefined ? Object.fromEntries(known) : { DATA_DIR: dataDir };
  // Only the settings of the database: a file .env beside may hold what is of no concern here.
  const config = loadConfig({ env: given, argv: [], readFile: (path) => (path === '.env' ? undefined : text(path)) });
  if (!config.ok) return err(config.error.map(({ path, message }) => `${path} ${message}`).join('\n'));
  const { store } = config.value;
  const place: Place =
    store.kind === 'postgres'
      ? { kind: 'postgres', url: store.url.reveal() }
      : { kind: 'sqlite', file: join(store.dataDir, DATABASE_FILE) };
  return ok({
    where: place.kind === 'sqlite' ? place.file : `PostgreSQL at ${new URL(place.url).host}`,
    backup: (file) => backup(place, file, nowMs()),
    restore: (file, replaces) => restore(file, place, { nowMs: nowMs(), replaces }),
  });
}

function text(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
