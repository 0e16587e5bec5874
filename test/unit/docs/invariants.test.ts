import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const DOCS = join(import.meta.dirname, '../../../docs');

interface Row {
  readonly id: string;
  readonly tests: readonly { readonly file: string; readonly title: string }[];
}

/** The table's rows; a line that is no row of it is none. */
function rowsOf(document: string): readonly Row[] {
  return [...document.matchAll(/^\| (I\d+) \|.*?\| (\[.*) \|$/gm)].map(([, id = '', tests = '']) => ({
    id,
    tests: [...tests.matchAll(/\[[^\]]+\]\(([^)]+)\): “(.*?)”(?:<br>|$)/g)].map(([, file = '', title = '']) => {
      return { file, title };
    }),
  }));
}

const rows = rowsOf(readFileSync(join(DOCS, 'invariants.md'), 'utf8'));

test('every invariant has a row with at least one test', () => {
  expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: 33 }, (_, index) => `I${index + 1}`));
  expect(rows.filter(({ tests }) => tests.length === 0)).toEqual([]);
});

test.each(rows)('the tests that are named for $id exist', ({ tests }) => {
  const missing = tests.filter(({ file, title }) => {
    const path = join(DOCS, file);
    return !existsSync(path) || !readFileSync(path, 'utf8').includes(title);
  });
  expect(missing).toEqual([]);
});
