import { describe, expect, test } from '@jest/globals';
import { copyFileSync, existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { backup } from '../../../src/store/backup/backup.ts';
import { restore } from '../../../src/store/backup/restore.ts';
import { COPIED } from '../../../src/store/backup/tables.ts';
import { aFile } from '../../support/builders/store.ts';
import { aBackupFile, backupSuite, contentsOf, fill, NOW, openOn, REPLACING } from '../../support/suites/backup.ts';
import { aSqliteDatabase } from '../../support/suites/sqlite-database.ts';
import type { TestDatabase } from '../../support/suites/store.ts';

backupSuite(aSqliteDatabase, aSqliteDatabase);

const fileOf = ({ place }: TestDatabase): string => (place.kind === 'sqlite' ? place.file : '');
const change = (file: string, statement: string): void => {
  const database = new DatabaseSync(file);
  database.exec(statement);
  database.close();
};

test('every table is copied', async () => {
  const database = await aSqliteDatabase();
  await (await openOn(database)).close();
  const raw = new DatabaseSync(fileOf(database));
  const tables = raw.prepare(`select name from sqlite_master where type = 'table' order by name`).all();
  raw.close();
  expect(tables.map(({ name }) => name)).toEqual([...Object.keys(COPIED), 'schema_version'].sort());
});

describe('a restore refuses', () => {
  const unfit: readonly (readonly [what: string, spoil: (file: string) => void, said: RegExp])[] = [
    ['a file that is no database', (file) => writeFileSync(file, 'no database '.repeat(1_000)), /not a database/],
    ['an empty file', (file) => writeFileSync(file, ''), /no database of Aegis/],
    ['a file that was cut off', (file) => truncateSync(file, 20_000), /damaged|malformed|no whole/],
    [
      'a file with a damaged page',
      (file) => {
        const bytes = readFileSync(file);
        bytes.fill(0xa5, bytes.length - 6_000, bytes.length - 2_500);
        writeFileSync(file, bytes);
      },
      /damaged|malformed|no whole|broken/,
    ],
    ['a database of something else', (file) => change(file, 'drop table schema_version'), /no database of Aegis/],
    [
      'a newer schema',
      (file) => change(file, `insert into schema_version values (999, 'from the future', 0)`),
      /schema 999.*newer program/,
    ],
    [
      'a history that was altered',
      (file) => change(file, `drop trigger history_no_update; update history set message = 'x' where seq = 1`),
      /broken at entry 1/,
    ],
  ];
  test.each(unfit)('%s, and changes nothing', async (_what, spoil, said) => {
    const [source, target, file] = [await aSqliteDatabase(), await aSqliteDatabase(), aBackupFile()];
    const store = await openOn(source);
    await fill(store, 300);
    await store.close();
    await backup(source.place, file, NOW);
    spoil(file);
    copyFileSync(fileOf(source), aFileOf(target));
    expect(await restore(file, target.place, REPLACING)).toMatchObject({
      ok: false,
      error: expect.stringMatching(said),
    });
    const [was, is] = [await openOn(source), await openOn(target)];
    expect(await contentsOf(is)).toEqual(await contentsOf(was));
    await Promise.all([was.close(), is.close()]);
  });

  test('a file that is not there', async () => {
    const target = await aSqliteDatabase();
    expect(await restore(aFile(), target.place, REPLACING)).toMatchObject({ ok: false });
    expect(existsSync(fileOf(target))).toBe(false);
  });
});

test('there is no backup of a database that is not there', async () => {
  const [source, file] = [await aSqliteDatabase(), aBackupFile()];
  expect(await backup(source.place, file, NOW)).toMatchObject({
    ok: false,
    error: expect.stringContaining('no database'),
  });
  expect([existsSync(file), existsSync(`${file}.partial`)]).toEqual([false, false]);
});

function aFileOf(database: TestDatabase): string {
  const file = fileOf(database);
  mkdirSync(dirname(file), { recursive: true });
  return file;
}
