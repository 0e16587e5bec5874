import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { messageOf } from '../../lib/thrown.ts';
import { err, type Result } from '../../lib/result.ts';
import { StoreFault, type Backend, type Db } from '../backend.ts';
import type { Dialect } from '../migrations.ts';
import { createSqliteBackend } from '../sqlite-backend.ts';
import { inspect } from './inspect.ts';
import type { Contents, Place } from './place.ts';
import { copyRows, emptyTables, rowsIn } from './tables.ts';

/** A database that nobody else is writing to while `replace` runs, or a refusal. */
export interface Target {
  readonly dialect: Dialect;
  /** One transaction: all of it or nothing. */
  replace(run: (db: Db) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

export interface RestoreOptions {
  readonly nowMs: number;
  /** False: a database that holds anything is refused. */
  readonly replaces: boolean;
}

/**
 * Replaces everything in the database by what a backup holds, in one transaction: killed in the middle, nothing has
 * changed. Refused are a file that is damaged or has a newer schema, and a database that a running Aegis has open. A
 * backup of an older schema is brought up to date, in a copy of its own. The error is a sentence for whoever asked.
 */
export async function restore(file: string, to: Place, how: RestoreOptions): Promise<Result<Contents, string>> {
  const found = existsSync(file) ? await inspect(file) : err(`there is no file ${file}`);
  if (!found.ok) return found;
  let scratch: string | undefined;
  try {
    const folder = to.kind === 'sqlite' ? dirname(to.file) : tmpdir();
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    scratch = mkdtempSync(join(folder, 'aegis-restore-'));
    const copy = join(scratch, 'copy.db');
    copyFileSync(file, copy);
    await transfer(createSqliteBackend({ file: copy, nowMs: () => how.nowMs }), to, how);
    return found;
  } catch (fault) {
    return err(`nothing was restored: ${messageOf(fault)}`);
  } finally {
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  }
}

async function transfer(source: Backend, to: Place, how: RestoreOptions): Promise<void> {
  await source.open();
  try {
    const target = await openTarget(to, how.nowMs);
    try {
      await source.read((from) =>
        target.replace(async (db) => {
          if (!how.replaces) await refuseRows(db);
          await target.dialect.releaseHistory(db);
          await emptyTables(db);
          await copyRows(from, db);
          await target.dialect.protectHistory(db);
          await target.dialect.renumber(db);
        }),
      );
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function openTarget(to: Place, nowMs: number): Promise<Target> {
  if (to.kind === 'sqlite') return (await import('./sqlite-target.ts')).openSqliteTarget(to.file, nowMs);
  return (await import('./postgres-target.ts')).openPostgresTarget(to.url, nowMs);
}

async function refuseRows(db: Db): Promise<void> {
  const n = await rowsIn(db);
  if (n > 0) throw new StoreFault('constraint', `the database holds ${n} rows, which would be given up`);
}
