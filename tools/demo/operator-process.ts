import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { forgetDaemon, noteDaemon } from '../rig/processes.ts';

/** The operator as a child process of the demo or of a test; it is what `npm start` runs. */
export interface OperatorProcess {
  readonly url: string;
  readonly logFile: string;
  readonly pid: number;
  /** Resolves when the REST API answers; rejects with the end of its log if the process ends first. */
  ready(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  stop(): Promise<void>;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

export interface OperatorOptions {
  readonly kubeconfigPath: string;
  readonly prometheusUrl: string;
  /** Holds the store and the log. */
  readonly stateDir: string;
  readonly port: number;
  /** State folder of the rig that it works on: with the rig it ends, however this process ends. */
  readonly rigStateDir: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Node's own options and the program to run; default: the sources, as `npm start` runs them. */
  readonly command?: readonly string[];
}

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const START_LIMIT_MS = 30_000;

export function startOperator(options: OperatorOptions): OperatorProcess {
  const { stateDir, port } = options;
  const logFile = join(stateDir, 'operator.log');
  const log = openSync(logFile, 'a');
  const args = ['--disable-warning=ExperimentalWarning', ...(options.command ?? [MAIN])];
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: stateDir,
    KUBECONFIG: options.kubeconfigPath,
    AEGIS_CLUSTER: 'required',
    PROMETHEUS_URL: options.prometheusUrl,
    PROMETHEUS_SCRAPE_INTERVAL_SECONDS: '1',
    HOST: '127.0.0.1',
    PORT: String(port),
    DATA_DIR: join(stateDir, 'data'),
    LOG_LEVEL: 'info',
    ...options.env,
  };
  // The log is a file, not a pipe: with --keep the operator outlives this process.
  const child = spawn(process.execPath, args, { cwd: stateDir, env, stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  const spec = { name: `operator-${port}`, command: process.execPath, args, env };
  const record = child.pid === undefined ? undefined : noteDaemon(options.rigStateDir, spec, child.pid);
  if (record) child.once('close', () => forgetDaemon(options.rigStateDir, record));
  const ended = new Promise<number | NodeJS.Signals>((resolve) =>
    child.once('close', (code, signal) => resolve(signal ?? code ?? 0)),
  );
  const url = `http://127.0.0.1:${port}`;
  return {
    ...{ url, logFile, ended, pid: child.pid ?? 0 },
    ready: () => untilReady(url, child, () => readFileSync(logFile, 'utf8').slice(-4_000)),
    signal: (signal) => void child.kill(signal),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), 15_000);
      await ended;
      clearTimeout(force);
    },
  };
}

async function untilReady(url: string, child: ChildProcess, tail: () => string): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) break;
    const isUp = await fetch(`${url}/ping`, { signal: AbortSignal.timeout(1_000) }).then(
      (r) => r.ok,
      () => false,
    );
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the operator did not start:\n${tail()}`);
}
