import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { apiOptions, imageOptions } from '../../../bench/release.ts';

describe('Node’s options', () => {
  test.each([
    ['the image', imageOptions()],
    ['the compose file', apiOptions()],
  ])('of %s are known to the Node that runs them', (_, options) => {
    const { status, stderr } = spawnSync(process.execPath, [...options, '--eval', '0'], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(options).not.toHaveLength(0);
  });
});
