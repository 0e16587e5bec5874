import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { SETTINGS } from '../../../src/config/schema.ts';

const SOURCES = join(import.meta.dirname, '../../../src');
const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const textOf = (isMeant: (name: string) => boolean): string =>
  files
    .filter(isMeant)
    .map((name) => readFileSync(join(SOURCES, name), 'utf8'))
    .join('\n');

/** Who reads a setting, and who reads what became of it: a setting that nobody reads only looks as if it did something. */
const config = textOf((name) => name.startsWith('config') && !name.endsWith('schema.ts'));
const program = textOf((name) => !name.startsWith('config'));
const shape = readFileSync(join(SOURCES, 'config/config.ts'), 'utf8');
const fields = [...new Set([...shape.matchAll(/readonly (\w+)\??:/g)].map(([, name]) => name ?? ''))];

describe('every setting', () => {
  test.each(Object.keys(SETTINGS).map((name) => [name]))('%s is read', (name) => {
    expect(config).toMatch(new RegExp(`\\b${name}\\b`));
  });

  test.each(fields.map((name) => [name]))('what becomes of it is used: %s', (name) => {
    expect(program).toMatch(new RegExp(`\\b${name}\\b`));
  });
});
