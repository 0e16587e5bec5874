import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, SqliteDialect } from 'kysely';
import { messageOf } from '../../lib/thrown.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import { verifyChain } from '../history.ts';
import { LATEST_SCHEMA, schemaVersion } from '../migrations.ts';
import { kyselyDatabase } from '../node-sqlite.ts';
import type { Tables } from '../tables.ts';
import type { Contents } from './place.ts';

/** Reads a whole database file that nobody else uses and says what is in it; the error is a sentence about the file. */
export async function inspect(file: string): Promise<Result<Contents, string>> {
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(file, { readOnly: true });
  } catch (fault) {
    return err(`${file} cannot be opened: ${messageOf(fault)}`);
  }
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: kyselyDatabase(database) }) });
  try {
    const damage = database.prepare('pragma integrity_check(1)').get()?.['integrity_check'];
    if (damage !== 'ok') return err(`${file} is damaged: ${String(damage)}`);
    const known = database.prepare("select count(*) as n from sqlite_master where name = 'schema_version'").get();
    if (known?.['n'] !== 1) return err(`${file} is no database of Aegis`);
    const schema = await schemaVersion(db);
    if (schema > LATEST_SCHEMA) {
      return err(`${file} has schema ${schema}, this program knows up to ${LATEST_SCHEMA}: use the newer program`);
    }
    const chain = await verifyChain(db);
    if (!chain.ok) return err(`the history in ${file} is broken at entry ${chain.seq}: ${chain.problem}`);
    const { n } = await db
      .selectFrom('prediction')
      .select((e) => e.fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow();
    return ok({
      ...{ schema, historyEntries: chain.entries, chainHead: chain.head },
      ...{ predictions: n, bytes: statSync(file).size },
    });
  } catch (fault) {
    return err(`${file} is no whole database of Aegis: ${messageOf(fault)}`);
  } finally {
    database.close();
  }
}
