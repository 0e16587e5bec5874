import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePorts } from '../../tools/rig/ports.ts';
import { answered, startProgram } from '../support/started-program.ts';

const ROOT = join(import.meta.dirname, '../..');
const CANARY = 'canary-4711';

/** Row 95 of the bad inputs: what stops the start, and the settings that must be named. */
const BAD: readonly [sentence: string, env: Record<string, string>, named: readonly string[]][] = [
  ['a threshold of 0', { ANOMALY_THRESHOLD: '0' }, ['ANOMALY_THRESHOLD']],
  ['a threshold of 1.1', { ANOMALY_THRESHOLD: '1.1' }, ['ANOMALY_THRESHOLD']],
  [
    'four mistakes at once',
    { ANOMALY_THRESHOLD: 'high', PROMETHEUS_URL: 'file:', PORT: '70000', HOST: '0.0.0.0' },
    ['ANOMALY_THRESHOLD', 'PROMETHEUS_URL', 'PORT', 'HOST'],
  ],
  ['a password in an address', { PROMETHEUS_URL: `http://aegis:${CANARY}@prometheus` }, ['PROMETHEUS_URL']],
  ['a secret in the wrong place', { LOG_LEVEL: CANARY, API_KEY: CANARY }, ['LOG_LEVEL']],
];

describe.each([
  ['from its sources', 'source'],
  ['as one bundle, in a folder without node_modules', 'bundle'],
])('the program %s', (_, form) => {
  let folder: string;
  let entry: string;
  const times: number[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'aegis-bundle-'));
    entry = form === 'source' ? join(ROOT, 'src/main.ts') : join(folder, 'app/main.js');
    if (form === 'source') return;
    const building = startProgram(process.execPath, [join(ROOT, 'tools/build.ts'), '--out', join(folder, 'app')], {
      cwd: ROOT,
    });
    const { code } = await building.ended(60_000);
    if (code !== 0) throw new Error(building.output());
  }, 70_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('answers on its port, documents included, and ends when it is told to', async () => {
    const [port] = await freePorts(1);
    const env = { DATA_DIR: join(folder, 'data') };
    const program = startProgram(process.execPath, [entry, `--port=${port}`], { cwd: folder, env });
    try {
      const url = `http://127.0.0.1:${port}`;
      expect(await answered(`${url}/ping`, 15_000, program)).toBe(200);
      for (const path of ['/health', '/docs', '/docs/swagger-ui-bundle.js', '/docs/swagger-ui.css', '/openapi.json']) {
        expect([path, (await fetch(`${url}${path}`)).status]).toEqual([path, 200]);
      }
      expect(program.output()).toContain('No API key is set');
    } finally {
      await program.stop();
    }
    expect(program.child.exitCode).toBe(0);
    expect(await readdir(join(folder, 'data'))).toContain('aegis.db');
  }, 40_000);

  test.each(BAD)(
    '[95] %s stops the start, named and without its value',
    async (_sentence, env, named) => {
      const program = startProgram(process.execPath, [entry], { cwd: folder, env });
      const { code, tookMs } = await program.ended(20_000);
      times.push(tookMs);
      expect(code).toBeGreaterThan(0);
      for (const name of named) expect(program.output()).toMatch(new RegExp(`^aegis: ${name} `, 'm'));
      expect(program.output()).not.toContain(CANARY);
    },
    30_000,
  );

  test('sends traces to a collector that speaks plain http', async () => {
    const got: { path: string; text: string }[] = [];
    const collector = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      request.on('end', () => {
        got.push({ path: request.url ?? '', text });
        response.end('{}');
      });
    });
    const [port, collecting] = await freePorts(2);
    await new Promise<void>((resolve) => collector.listen(collecting, '127.0.0.1', resolve));
    const env = {
      DATA_DIR: join(folder, 'data'),
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collecting}`,
    };
    const program = startProgram(process.execPath, [entry, `--port=${port}`], { cwd: folder, env });
    try {
      expect(await answered(`http://127.0.0.1:${port}/ping`, 15_000, program)).toBe(200);
    } finally {
      await program.stop();
      collector.close();
    }
    expect(program.output()).not.toContain('traces cannot be sent');
    expect(got.map(({ path }) => path)).toContain('/v1/traces');
    expect(got.map(({ text }) => text).join('')).toContain('"GET /ping"');
  }, 40_000);

  // As installed: a link by the plugin's name to the file of the bundle, which starts itself.
  if (form === 'bundle') {
    test('the command-line tool is in it, also as a kubectl plugin', async () => {
      const plugin = join(folder, 'kubectl-aegis');
      await symlink(join(folder, 'app/cli.js'), plugin);
      const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` };
      const version = startProgram(plugin, ['version'], { cwd: folder, env });
      expect((await version.ended(20_000)).code).toBe(0);
      expect(version.output()).toMatch(/^aegis \d+\.\d+\.\d+$/m);
      const help = startProgram(plugin, ['--help'], { cwd: folder, env });
      await help.ended(20_000);
      expect(help.output()).toContain('Usage: kubectl aegis ');
    }, 50_000);
  }

  // What is released is measured: from its sources a program must first be read in hundreds of pieces.
  if (form === 'bundle') {
    test('loads no client of the web that it never uses: that is 14 MiB', async () => {
      const [port] = await freePorts(1);
      const look = 'process.on("exit",()=>console.log(process.moduleLoadList.join("\\n")))';
      const args = ['--import', `data:text/javascript,${encodeURIComponent(look)}`, entry, `--port=${port}`];
      const program = startProgram(process.execPath, args, { cwd: folder, env: { DATA_DIR: join(folder, 'data') } });
      expect(await answered(`http://127.0.0.1:${port}/ping`, 15_000, program)).toBe(200);
      await program.stop();
      expect(program.output()).toContain('NativeModule http');
      expect(program.output()).not.toContain('undici');
    }, 40_000);

    test('[95] that takes less than 2 s', () => {
      // The best of the five above: on a machine that does other work as well, the others measure that work.
      expect(Math.min(...times)).toBeLessThan(2000);
    });
  }
});
