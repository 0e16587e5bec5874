import { spawn } from 'node:child_process';

interface KubectlOptions {
  /** Fed to standard input, for instance a manifest for `apply -f -`. Objects are written as JSON. */
  readonly stdin?: string | object;
  readonly timeoutMs?: number;
}

/** Runs kubectl and returns its standard output; rejects with its standard error. */
export type Kubectl = (args: readonly string[], options?: KubectlOptions) => Promise<string>;

export class KubectlError extends Error {
  override readonly name = 'KubectlError';
  readonly stderr: string;
  readonly exitCode: number | null;

  constructor(args: readonly string[], stderr: string, exitCode: number | null) {
    super(`kubectl ${args.join(' ')}: ${stderr.trim() || `exit code ${exitCode}`}`);
    this.stderr = stderr;
    this.exitCode = exitCode;
  }
}

/**
 * With a `home`, that folder is all that kubectl sees of the machine: the discovery cache goes when the rig goes, and the
 * user's settings play no part. Without, the user's environment is kept, since a cloud's login helper may need it.
 */
export function kubectlFor(
  command: string,
  { kubeconfigPath, home }: { readonly kubeconfigPath: string; readonly home?: string },
): Kubectl {
  const base = home === undefined ? process.env : { PATH: process.env['PATH'], HOME: home };
  const env = { ...base, KUBECONFIG: kubeconfigPath };
  return (args, { stdin, timeoutMs = 60_000 } = {}) =>
    new Promise((resolve, reject) => {
      const child = spawn(command, args, { env, timeout: timeoutMs, stdio: ['pipe', 'pipe', 'pipe'] });
      let out = '';
      let err = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
      child.stdin.on('error', () => undefined); // kubectl may refuse its arguments before it reads
      child.on('error', reject);
      child.on('close', (code, signal) => {
        if (code === 0) resolve(out);
        else
          reject(
            new KubectlError(
              args,
              signal === null ? err : `${err}ended by ${signal} (time limit ${timeoutMs} ms)`,
              code,
            ),
          );
      });
      child.stdin.end(typeof stdin === 'object' ? JSON.stringify(stdin) : (stdin ?? ''));
    });
}
