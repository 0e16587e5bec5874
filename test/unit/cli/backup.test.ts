import { describe, expect, test } from '@jest/globals';
import { openDatabase } from '../../../src/cli/adapters/database.ts';
import { backupCommand } from '../../../src/cli/commands/backup.ts';
import { restoreCommand } from '../../../src/cli/commands/restore.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { aTerminal } from '../../support/builders/cli.ts';
import { aFile } from '../../support/builders/store.ts';
import { aBackupFile, fill, NOW, openOn } from '../../support/suites/backup.ts';
import { aSqliteDatabase } from '../../support/suites/sqlite-database.ts';
import { dirname } from 'node:path';

/** Runs the command line with the real adapter, on the database in that folder. */
async function aegis(
  dataDir: string,
  ...argv: readonly string[]
): Promise<{ readonly code: number; readonly said: string }> {
  const { services, output } = aTerminal(
    {},
    { openDatabase: (where) => Promise.resolve(openDatabase({ DATA_DIR: dataDir }, where.dataDir, () => NOW)) },
  );
  const code = await runProgram(argv, services, [backupCommand, restoreCommand]);
  return { code, said: output() };
}

describe('aegis backup and restore', () => {
  test('say what was copied and its head, and end with 0', async () => {
    const source = await aSqliteDatabase();
    if (source.place.kind !== 'sqlite') throw new Error('no file');
    const store = await openOn(source);
    await fill(store, 5);
    const { head } = (await store.verifyHistory()) as { readonly head: string };
    const file = aBackupFile();
    const made = await aegis(dirname(source.place.file), 'backup', file);
    expect(made.code).toBe(0);
    expect(made.said).toContain(`${file} holds 3 history entries, 5 predictions, schema 1`);
    expect(made.said).toContain(head);
    await store.close();

    const elsewhere = dirname(aFile());
    expect(await aegis('/nowhere', 'restore', file, '--data-dir', elsewhere)).toMatchObject({ code: 0 });
    const again = await aegis(elsewhere, 'restore', file);
    expect(again).toMatchObject({ code: 1, said: expect.stringContaining('would be given up') });
    expect(await aegis(elsewhere, 'restore', file, '--replace')).toMatchObject({ code: 0 });
  });

  test.each([
    ['no file is named', ['backup'], 2, 'missing required argument'],
    ['there is no folder for it', ['backup', '/nowhere/file'], 1, 'no backup was made'],
    ['there is no backup', ['restore', '/nowhere/file'], 1, 'there is no file /nowhere/file'],
  ])('%s: says so', async (_what, argv, code, says) => {
    expect(await aegis(dirname(aFile()), ...argv)).toMatchObject({ code, said: expect.stringContaining(says) });
  });
});
