import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePorts } from '../tools/rig/ports.ts';
import { KEY } from './rest-calls.ts';
import { allocatorSettings, apiOptions } from './release.ts';

/** A server as a process. */
export interface Server {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

const START_LIMIT_MS = 60_000;

/** The release with the options of the compose file, on a store in `folder`, with a key; only its rate limits are raised. */
export async function startRelease(main: string, folder: string): Promise<Server> {
  const [port = 0] = await freePorts(1);
  const environment = {
    ...{
      HOST: '127.0.0.1',
      PORT: String(port),
      API_KEY: KEY,
      DATA_DIR: folder,
      AEGIS_CLUSTER: 'off',
      NODE_ENV: 'production',
    },
    // The limit itself is not what is measured; its counting stays on.
    ...{ RATE_LIMIT_PER_KEY: '1000000', RATE_LIMIT_PER_ADDRESS: '1000000' },
    ...allocatorSettings(),
  };
  return startProgram({
    name: 'aegis',
    program: process.execPath,
    args: [...apiOptions(), main],
    folder,
    environment,
    port,
  });
}

/** A program that serves `/ping` on its port; its output goes to a file in its folder. */
export async function startProgram(start: {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly port: number;
}): Promise<Server> {
  const { name, program, args, folder, environment, port } = start;
  const logFile = join(folder, `${name}.log`);
  const output = openSync(logFile, 'a');
  const env = { PATH: process.env['PATH'] ?? '', ...environment };
  const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', output, output] });
  closeSync(output);
  const ended = once(child, 'close');
  const deadlineMs = performance.now() + START_LIMIT_MS;
  while (!(await answers(port))) {
    if (child.exitCode === null && performance.now() < deadlineMs) await wait(50);
    else {
      child.kill('SIGKILL');
      throw new Error(`${name} did not start:\n${readFileSync(logFile, 'utf8').slice(-4_000)}`);
    }
  }
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  return { name, pid: child.pid ?? 0, port, stop };
}

const answers = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/ping`).then(
    ({ ok }) => ok,
    () => false,
  );

/** A bare echo route, with Node's own options unless others are given. */
export async function startPeer(name: 'express' | 'fastify', options: readonly string[] = []): Promise<Server> {
  const child = fork(join(import.meta.dirname, 'rest-peer.ts'), [name], { execArgv: [...options] });
  const [{ port }] = (await once(child, 'message')) as [{ readonly port: number }];
  const stop = async (): Promise<void> => {
    // Not `close`: that never comes once this side has closed the channel.
    const ended = once(child, 'exit');
    child.disconnect();
    await ended;
  };
  return { name, pid: child.pid ?? 0, port, stop };
}
