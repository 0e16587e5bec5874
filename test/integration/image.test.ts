import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { imageCache } from '../../tools/image/base-image.ts';
import { buildImage } from '../../tools/image/build-image.ts';
import { findBuilder } from '../../tools/image/builder.ts';
import { freePorts } from '../../tools/rig/ports.ts';
import { answered, startProgram, type StartedProgram } from '../support/started-program.ts';

const TAG = 'docker.io/local/aegis:test';
const MINUTES = 60_000;
const state = join(imageCache(), 'storage');
const builder = await findBuilder(state);
if (builder === undefined) {
  process.stderr.write('\n!!! THE IMAGE IS NOT BUILT: there is neither a docker daemon nor buildah for root\n\n');
}

(builder === undefined ? describe.skip : describe)('the image', () => {
  /** Buildah's working container; docker makes a new one for each run. */
  let container = '';

  const start = (command: readonly string[], env: Readonly<Record<string, string>> = {}): StartedProgram => {
    const { kind, flags } = builder as NonNullable<typeof builder>;
    const settings = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    const [first = '', ...rest] = command;
    const args =
      kind === 'docker'
        ? [
            'run',
            '--rm',
            '--network',
            'host',
            '--read-only',
            '--tmpfs',
            '/data:uid=1001',
            ...settings,
            '--entrypoint',
            first,
            TAG,
            ...rest,
          ]
        : [...flags, 'run', '--isolation', 'chroot', '--network', 'host', ...settings, container, '--', ...command];
    return startProgram(kind, args, { cwd: state });
  };
  const shell = async (script: string): Promise<string> => {
    const program = start(['sh', '-c', script]);
    await program.ended(MINUTES);
    return program.output().trim();
  };

  beforeAll(async () => {
    if (builder === undefined) return;
    await buildImage(builder, TAG, state);
    if (builder.kind === 'buildah') container = await builder.call(['from', '--pull-never', TAG]);
  }, 10 * MINUTES);

  afterAll(async () => {
    if (builder?.kind !== 'buildah') return;
    if (container !== '') await builder.call(['rm', container]);
    // The image of the run before lost its name to this one.
    await builder.call(['rmi', '--prune', '--force']);
  }, MINUTES);

  test('[S23] runs as UID 1001, which can write its data and not its program', async () => {
    expect(await shell('id -u; id -g')).toBe('1001\n1001');
    expect(await shell('test -w /data && echo data; test -w /app || echo no program')).toBe('data\nno program');
  });

  test('holds no package manager, no node_modules and no source', async () => {
    expect(
      await shell(
        'command -v npm npx corepack yarn; ls -d /usr/local/lib/node_modules /app/node_modules /src 2>/dev/null; echo end',
      ),
    ).toBe('end');
  });

  test('refuses to be open to everybody: without a key it does not start', async () => {
    const program = start(['node', '/app/main.js']);
    const { code } = await program.ended(20_000);
    expect(code).not.toBe(0);
    expect(program.output()).toMatch(/^aegis: HOST is not loopback and no key is set/m);
  }, 30_000);

  test('serves the API with a key', async () => {
    const [port] = await freePorts(1);
    const program = start(['node', '/app/main.js'], {
      PORT: String(port),
      API_KEY: 'a-key-of-the-test',
      AEGIS_CLUSTER: 'off',
    });
    try {
      expect(await answered(`http://127.0.0.1:${port}/ping`, 30_000, program)).toBe(200);
      const stats = `http://127.0.0.1:${port}/api/v1/metrics/stats`;
      expect((await fetch(stats)).status).toBe(401);
      expect((await fetch(stats, { headers: { 'x-api-key': 'a-key-of-the-test' } })).status).toBe(200);
    } finally {
      await program.stop();
    }
  }, 60_000);
});
