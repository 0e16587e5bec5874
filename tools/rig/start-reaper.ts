import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { join } from 'node:path';

/** Holds the other end of the reaper's pipe until this process ends. Neither the pipe nor the child keeps node alive. */
export function startReaper(stateDir: string): ChildProcess {
  const script = join(import.meta.dirname, 'reaper.ts');
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, stateDir], {
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '' },
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.stdin.on('error', () => undefined);
  (child.stdin as Socket).unref();
  child.unref();
  return child;
}
