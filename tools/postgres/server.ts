/** A PostgreSQL server of our own: a scratch folder, a free port on loopback, never root, ended with its owner. */
import { execFile, execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePorts } from '../rig/ports.ts';
import { endDaemon, endRig, signalDaemon, startDaemon, type DaemonRecord } from '../rig/processes.ts';
import { startReaper } from '../rig/start-reaper.ts';
import { waitForDaemon } from '../rig/wait.ts';

export interface PostgresServer {
  /** Address of a new, empty database. */
  createDatabase(): Promise<string>;
  /** Kills the server as a crash of its machine does; what was committed is there after `start`. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and data. */
  start(): Promise<void>;
  /** Ends it and removes everything. */
  stop(): Promise<void>;
}

interface User {
  readonly uid: number;
  readonly gid: number;
}

const run = promisify(execFile);
const SUPERUSER = 'aegis';
const READY_LIMIT_MS = 60_000;

/** `programs`: the folder of `initdb` and `postgres`. */
export async function startPostgresServer(programs: string): Promise<PostgresServer> {
  const stateDir = mkdtempSync(join(tmpdir(), 'aegis-postgres-'));
  chmodSync(stateDir, 0o700);
  const reaper = startReaper(stateDir);
  const password = randomUUID();
  const [port = 0] = await freePorts(1);
  const address = (database: string): string => `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${database}`;
  const user = ordinaryUser();
  if (user !== undefined) chownSync(stateDir, user.uid, user.gid);
  let daemon: DaemonRecord | undefined;

  const start = async (): Promise<void> => {
    const options = [
      ...['-D', join(stateDir, 'data'), '-p', String(port), '-c', 'listen_addresses=127.0.0.1'],
      ...['-c', 'unix_socket_directories=', '-c', 'max_connections=200', '-c', 'shared_buffers=32MB'],
      // Processes are killed here, not machines: what the kernel was given is there.
      ...['-c', 'fsync=off'],
    ];
    const [command = '', ...args] = as(user, [join(programs, 'postgres'), ...options]);
    daemon = startDaemon(stateDir, { name: 'postgres', command, args, env: { LC_ALL: 'C' } });
    await waitForDaemon(stateDir, daemon, () => answers(address('postgres')), READY_LIMIT_MS);
  };

  const stop = async (): Promise<void> => {
    if (daemon !== undefined) await endDaemon(daemon, 'SIGKILL');
    await endRig(stateDir);
    reaper.stdin?.destroy();
  };

  try {
    await initialise({ stateDir, programs, password, user });
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    createDatabase: async () => {
      const name = `test_${randomUUID().replaceAll('-', '')}`;
      await statement(address('postgres'), `create database ${name}`);
      return address(name);
    },
    kill: async () => {
      if (daemon !== undefined) await endDaemon(daemon, 'SIGKILL');
      // Its children notice within moments; until then they hold the memory that the next one needs.
      await sleep(200);
    },
    start: async () => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await start();
        } catch (error) {
          if (attempt === 5) throw error;
          if (daemon !== undefined) signalDaemon(daemon, 'SIGKILL');
          await sleep(500);
        }
      }
    },
    stop,
  };
}

async function initialise(of: {
  readonly stateDir: string;
  readonly programs: string;
  readonly password: string;
  readonly user: User | undefined;
}): Promise<void> {
  const { stateDir, programs, password, user } = of;
  const passwordFile = join(stateDir, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  mkdirSync(join(stateDir, 'data'), { mode: 0o700 });
  if (user !== undefined) for (const path of ['password', 'data']) chownSync(join(stateDir, path), user.uid, user.gid);
  const [command = '', ...args] = as(user, [
    ...[join(programs, 'initdb'), '-D', join(stateDir, 'data'), '-U', SUPERUSER, '--pwfile', passwordFile],
    ...['-A', 'scram-sha-256', '-E', 'UTF8', '--no-locale', '--no-sync'],
  ]);
  await run(command, args, { cwd: stateDir, env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' } });
}

/** PostgreSQL refuses to run as root; the package's own user, or nobody, takes its place. */
function ordinaryUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = ['-u', '-g'].map((what) => Number(execFileSync('id', [what, name], { stdio: 'pipe' })));
      if (uid !== undefined && gid !== undefined) return { uid, gid };
    } catch {
      // There is no such user; the next one.
    }
  }
  throw new Error('PostgreSQL does not run as root, and there is neither a user postgres nor nobody');
}

const as = (user: User | undefined, command: readonly string[]): readonly string[] =>
  user === undefined
    ? command
    : ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', ...command];

async function answers(url: string): Promise<boolean> {
  await statement(url, 'select 1');
  return true;
}

async function statement(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
