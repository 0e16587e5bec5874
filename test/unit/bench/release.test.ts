import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { apiOptions, imageOptions } from '../../../bench/release.ts';

const COMPOSE = join(import.meta.dirname, '../../../docker-compose.yaml');

describe('Node’s options', () => {
  test('of the compose file are read as a YAML parser reads them', () => {
    const { services } = parse(readFileSync(COMPOSE, 'utf8')) as { services: { aegis: { entrypoint: string[] } } };
    expect(['node', ...apiOptions(), '/app/main.js']).toEqual(services.aegis.entrypoint);
  });

  test.each([
    ['the image', imageOptions()],
    ['the compose file', apiOptions()],
  ])('of %s are known to the Node that runs them', (_, options) => {
    const { status, stderr } = spawnSync(process.execPath, [...options, '--eval', '0'], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(options).not.toHaveLength(0);
  });
});
