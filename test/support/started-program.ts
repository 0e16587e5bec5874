import { spawn, type ChildProcess } from 'node:child_process';

/** A program that was started, and what it has written so far. */
export interface StartedProgram {
  readonly child: ChildProcess;
  output(): string;
  /** Resolves with the exit code, and how long it took; kills it after the limit. */
  ended(limitMs: number): Promise<{ readonly code: number | null; readonly tookMs: number }>;
  stop(): Promise<void>;
}

export interface ProgramOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a program with nothing of this process's environment but PATH. */
export function startProgram(command: string, args: readonly string[], { cwd, env }: ProgramOptions): StartedProgram {
  const startedAt = performance.now();
  let text = '';
  const child = spawn(command, [...args], {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const exit = new Promise<number | null>((resolve) => {
    child.on('close', (code) => resolve(code));
    child.on('error', (error) => {
      text += String(error);
      resolve(null);
    });
  });
  return {
    child,
    output: () => text,
    async ended(limitMs) {
      const killer = setTimeout(() => child.kill('SIGKILL'), limitMs);
      const code = await exit;
      clearTimeout(killer);
      return { code, tookMs: performance.now() - startedAt };
    },
    async stop() {
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await exit;
      clearTimeout(killer);
    },
  };
}

/** The status of a GET, as soon as anybody answers. */
export async function answered(url: string, limitMs: number, program: StartedProgram): Promise<number> {
  const until = performance.now() + limitMs;
  for (;;) {
    const status = await fetch(url).then(
      (reply) => reply.status,
      () => 0,
    );
    if (status !== 0) return status;
    if (performance.now() > until || program.child.exitCode !== null) {
      throw new Error(`no answer from ${url}: ${program.output()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
