import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createSecretFile } from '../../../src/prometheus/secret-file.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'secret-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** As the kubelet does it: a new file takes the old one's place. */
const replace = (path: string, text: string): void => {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
};

test('blanks around the secret are none of it', async () => {
  const path = join(dir, 'token');
  replace(path, ' abc\n');
  expect(await createSecretFile(path).read()).toBe('abc');
});

test('a replaced file is read again, looked at no more often than asked', async () => {
  const path = join(dir, 'token');
  replace(path, 'first');
  const watched = createSecretFile(path, 0);
  const rarely = createSecretFile(path, 3_600_000);
  expect([await watched.read(), await rarely.read()]).toEqual(['first', 'first']);
  replace(path, 'other');
  expect([await watched.read(), await rarely.read()]).toEqual(['other', 'first']);
  rarely.forget();
  expect(await rarely.read()).toBe('other');
});

test('a missing file is an error, not an empty secret', async () => {
  await expect(createSecretFile(join(dir, 'missing')).read()).rejects.toThrow('ENOENT');
});
