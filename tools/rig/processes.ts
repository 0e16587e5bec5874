import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf } from './process-identity.ts';

/** What is needed to end a daemon, or to start it again, from any process that knows the state folder. */
export interface DaemonRecord {
  readonly name: string;
  readonly pid: number;
  /** Tells this process from a later one that got the same number. */
  readonly identity: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface DaemonSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const recordPath = (stateDir: string, name: string): string => join(stateDir, 'pids', `${name}.json`);
export const logPath = (stateDir: string, name: string): string => join(stateDir, 'logs', `${name}.log`);

/**
 * Starts a daemon in its own process group: a Ctrl-C at the terminal reaches the rig's owner only, and the reaper ends the
 * daemons in its own order. The record is written in the same turn of the event loop as the start.
 */
export function startDaemon(stateDir: string, spec: DaemonSpec): DaemonRecord {
  mkdirSync(join(stateDir, 'pids'), { recursive: true });
  mkdirSync(join(stateDir, 'logs'), { recursive: true });
  const log = openSync(logPath(stateDir, spec.name), 'a');
  const env = { PATH: process.env['PATH'] ?? '', HOME: stateDir, TMPDIR: stateDir, ...spec.env };
  const child = spawn(spec.command, spec.args, { cwd: stateDir, env, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  child.on('error', () => undefined); // a start that failed is seen as a daemon without a pid, just below
  if (child.pid === undefined) throw new Error(`${spec.name} did not start: cannot run ${spec.command}`);
  child.unref();
  return noteDaemon(stateDir, { ...spec, env }, child.pid);
}

/** A process that somebody else started, in a group of its own, ends with the rig from now on. */
export function noteDaemon(stateDir: string, spec: Omit<DaemonRecord, 'pid' | 'identity'>, pid: number): DaemonRecord {
  const record = { ...spec, pid, identity: identityOf(pid) ?? '' };
  writeFileSync(recordPath(stateDir, spec.name), JSON.stringify(record), { mode: 0o600 });
  return record;
}

/** A noted process has ended as it should: whoever counts the rig's daemons must not find it dead. */
export function forgetDaemon(stateDir: string, record: DaemonRecord): void {
  const isStillNoted = readDaemons(stateDir).some((each) => each.name === record.name && each.pid === record.pid);
  if (isStillNoted) rmSync(recordPath(stateDir, record.name), { force: true });
}

export function readDaemon(stateDir: string, name: string): DaemonRecord {
  return JSON.parse(readFileSync(recordPath(stateDir, name), 'utf8')) as DaemonRecord;
}

export function readDaemons(stateDir: string): DaemonRecord[] {
  try {
    const files = readdirSync(join(stateDir, 'pids'));
    return files.map((file) => readDaemon(stateDir, file.replace(/\.json$/, '')));
  } catch {
    return []; // no daemon yet, or the folder is being removed by somebody else
  }
}

/** True while the very process that was started still runs; a zombie and a stranger with its number do not count. */
export function isAlive(record: DaemonRecord): boolean {
  const identity = identityOf(record.pid);
  return identity !== undefined && identity === record.identity;
}

export function signalDaemon(record: DaemonRecord, signal: NodeJS.Signals): void {
  if (!isAlive(record)) return;
  try {
    process.kill(-record.pid, signal); // the whole group: nothing that a daemon started survives it
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Ends one daemon: politely when it has data to keep, at once otherwise. */
export async function endDaemon(record: DaemonRecord, signal: 'SIGTERM' | 'SIGKILL', graceMs = 5_000): Promise<void> {
  signalDaemon(record, 'SIGCONT'); // a paused process would keep SIGTERM for later
  signalDaemon(record, signal);
  const deadline = Date.now() + graceMs;
  while (isAlive(record)) {
    if (Date.now() > deadline) signalDaemon(record, 'SIGKILL');
    await sleep(10);
  }
}

/** Ends every daemon of a rig and removes its folder. Killed, not asked: the API server alone takes a minute to say goodbye. */
export async function endRig(stateDir: string): Promise<void> {
  const daemons = readDaemons(stateDir);
  for (const daemon of daemons) signalDaemon(daemon, 'SIGKILL');
  for (const daemon of daemons) await endDaemon(daemon, 'SIGKILL');
  rmSync(stateDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}
