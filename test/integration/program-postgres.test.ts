import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../tools/rig/ports.ts';
import { waitUntil } from '../../tools/rig/wait.ts';
import { hasPostgres, postgresServer } from '../support/postgres.ts';
import { answered, startProgram, type StartedProgram } from '../support/started-program.ts';
import { query } from '../support/suites/postgres-database.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const KEY = { 'x-api-key': 'dev_api_key', 'content-type': 'application/json' };
const LIMIT_MS = 60_000;

interface Health {
  readonly status: string;
  readonly database_connected: boolean;
}

(hasPostgres ? describe : describe.skip)('the program on PostgreSQL', () => {
  const server = postgresServer();
  const started: StartedProgram[] = [];
  let [url, urlFile, base] = ['', '', ''];

  const start = async (): Promise<StartedProgram> => {
    const [port = 0] = await freePorts(1);
    base = `http://127.0.0.1:${port}`;
    const program = startProgram(process.execPath, [join(ROOT, 'src/main.ts')], {
      cwd: mkdtempSync(join(tmpdir(), 'aegis-program-')),
      env: { AEGIS_CLUSTER: 'off', PORT: String(port), DATABASE_URL_FILE: urlFile },
    });
    started.push(program);
    await answered(`${base}/ping`, LIMIT_MS, program);
    return program;
  };
  const health = async (): Promise<Health> => (await (await fetch(`${base}/health`)).json()) as Health;
  const detect = async (value: number, atMs: number): Promise<Record<string, unknown>> => {
    const metric = {
      metric_type: 'response_time',
      value,
      timestamp: new Date(atMs).toISOString(),
      labels: { pod: 'a' },
    };
    const body = JSON.stringify({ metrics: [metric] });
    const reply = await fetch(`${base}/api/v1/detect-anomaly`, { method: 'POST', headers: KEY, body });
    expect(reply.status).toBe(200);
    const { timestamp: _, ...answer } = (await reply.json()) as Record<string, unknown>;
    return answer;
  };
  const stats = async () => (await fetch(`${base}/api/v1/metrics/stats`, { headers: KEY })).status;

  beforeEach(async () => {
    url = await server().createDatabase();
    urlFile = join(mkdtempSync(join(tmpdir(), 'aegis-url-')), 'url');
    writeFileSync(urlFile, `${url}\n`, { mode: 0o600 });
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((program) => program.stop()));
  });

  test('what it has learnt survives a restart: the same series gets the same answer', async () => {
    const [teacher, atMs] = [await start(), Date.now() - 3_600_000];
    for (let i = 0; i < 150; i += 1) await detect(100 + (i % 7), atMs + i * 15_000);
    await teacher.stop();
    const copy = await query(url, `select key, octet_length(bytes) as n from blob`);
    expect(copy).toEqual([{ key: 'engine/rest@2', n: expect.any(Number) }]);

    const asked: unknown[] = [];
    for (let restart = 0; restart < 2; restart += 1) {
      const program = await start();
      const answers = [400, 400, 400].map((value, i) => [value, atMs + (200 + i) * 15_000] as const);
      const given: unknown[] = [];
      for (const [value, at] of answers) given.push(await detect(value, at));
      asked.push(given);
      expect(given.at(-1)).toMatchObject({ is_anomaly: true });
      // Killed, it saves nothing: the next one begins where this one did.
      program.child.kill('SIGKILL');
      await program.ended(LIMIT_MS);
    }
    expect(asked[1]).toEqual(asked[0]);
  });

  test('without its database it answers on, degraded, and takes it up again when it comes', async () => {
    await server().kill();
    const program = await start();
    expect(await health()).toMatchObject({ status: 'degraded', database_connected: false });
    await detect(100, Date.now());
    expect(await stats()).toBe(503);
    await server().start();
    await waitUntil('healthy', LIMIT_MS, async () => (await health()).status === 'healthy');
    await waitUntil('stored', LIMIT_MS, async () => {
      const [row] = await query(url, 'select count(*)::int as n from prediction');
      return row?.['n'] === 1;
    });
    await server().kill();
    await waitUntil('degraded', LIMIT_MS, async () => (await health()).status === 'degraded');
    await detect(100, Date.now());
    await server().start();
    await waitUntil('healthy', LIMIT_MS, async () => (await health()).status === 'healthy');
    expect(await stats()).toBe(200);
    expect(program.output()).not.toContain(new URL(url).password);
  });

  test('SIGTERM stores what waits and ends with 0', async () => {
    const program = await start();
    for (let i = 0; i < 20; i += 1) await detect(100, Date.now());
    program.child.kill('SIGTERM');
    expect((await program.ended(LIMIT_MS)).code).toBe(0);
    expect(await query(url, 'select count(*)::int as n from prediction')).toEqual([{ n: 20 }]);
  });
});
