import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf } from '../../lib/thrown.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import { StoreFault } from '../backend.ts';
import { LATEST_SCHEMA, schemaVersion } from '../migrations.ts';
import { createSqliteBackend } from '../sqlite-backend.ts';
import { inspect } from './inspect.ts';
import type { Contents, Place } from './place.ts';
import { copyRows } from './tables.ts';

const BUSY_TIMEOUT_MS = 5_000;
const READ_LIMIT_MS = 600_000;

/**
 * Writes everything into a new file, of one moment, while the program goes on writing. The file is an SQLite database
 * whichever database it comes from, so that it can be restored into either. It is read and verified before it gets its
 * name: a file of that name is a whole backup. The error is a sentence for whoever asked.
 */
export async function backup(from: Place, file: string, nowMs: number): Promise<Result<Contents, string>> {
  if (existsSync(file)) return err(`${file} exists already: name a file that does not`);
  const partial = `${file}.partial`;
  try {
    // Held open by nobody: what an interrupted backup left.
    removeDatabase(partial);
    // Nobody else may read it, whatever the umask says.
    closeSync(openSync(partial, 'wx', 0o600));
    if (from.kind === 'sqlite') copyFile(from.file, partial);
    else await copyServer(from.url, partial, nowMs);
    const contents = await inspect(partial);
    if (!contents.ok) return contents;
    synced(partial);
    renameSync(partial, file);
    synced(dirname(file));
    return ok(contents.value);
  } catch (fault) {
    return err(`no backup was made: ${messageOf(fault)}`);
  } finally {
    removeDatabase(partial);
  }
}

function copyFile(from: string, to: string): void {
  if (!existsSync(from)) throw new StoreFault('unreachable', `there is no database at ${from}`);
  const database = new DatabaseSync(from, { readOnly: true });
  try {
    database.exec(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`);
    database.prepare('vacuum into ?').run(to);
  } finally {
    database.close();
  }
}

async function copyServer(url: string, to: string, nowMs: number): Promise<void> {
  const { connectPostgres } = await import('../postgres-connection.ts');
  const { consistently } = await import('../postgres-backend.ts');
  const { toPostgresFault } = await import('../postgres-faults.ts');
  const source = connectPostgres({ url, max: 1, answerTimeoutMs: READ_LIMIT_MS });
  const target = createSqliteBackend({ file: to, nowMs: () => nowMs });
  try {
    await consistently(source, READ_LIMIT_MS, async (from) => {
      const schema = await schemaVersion(from);
      if (schema !== LATEST_SCHEMA) {
        const told = `the database has schema ${schema}, this program makes ${LATEST_SCHEMA}: use the program that runs on it`;
        throw new StoreFault('other', told);
      }
      await target.open();
      await target.write('batched', (db) => copyRows(from, db));
    });
  } catch (fault) {
    throw toPostgresFault(fault);
  } finally {
    await target.close();
    await source.destroy();
  }
}

/** With what SQLite lays beside it. */
function removeDatabase(file: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${file}${suffix}`, { force: true });
}

function synced(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
