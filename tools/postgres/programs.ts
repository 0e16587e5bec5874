import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const DEBIAN = '/usr/lib/postgresql';
const INSTALL_LIMIT_MS = 10 * 60_000;

/** The folder of `initdb` and `postgres`, the newest of several; `undefined`: there is no server on this machine. */
export function findServerPrograms(): string | undefined {
  const debian = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...debian.map((version) => join(DEBIAN, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== ''),
  ];
  return folders.find((folder) => ['initdb', 'postgres'].every((program) => existsSync(join(folder, program))));
}

/**
 * Finds them, or installs Debian's package where this process may (as root, with apt). No cluster of the package is
 * started. The error says what to install by hand.
 */
export async function ensureServerPrograms(log: (line: string) => void): Promise<string> {
  const found = findServerPrograms();
  if (found !== undefined) return found;
  const byHand = 'install a PostgreSQL server (initdb and postgres in /usr/lib/postgresql/*/bin or in PATH)';
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) throw new Error(byHand);
  log('installing postgresql with apt-get');
  // Run level 1: Debian's own scripts then start no service.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const limits = { env, timeout: INSTALL_LIMIT_MS, maxBuffer: 1 << 26 };
  await run('apt-get', ['update', '-q'], limits);
  await run('apt-get', ['install', '-q', '-y', '--no-install-recommends', 'postgresql'], limits);
  const installed = findServerPrograms();
  if (installed === undefined) throw new Error(`apt-get installed none; ${byHand}`);
  return installed;
}
