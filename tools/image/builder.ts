import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A program that builds images from a Dockerfile, with its flags. */
export interface ImageBuilder {
  readonly kind: 'docker' | 'buildah';
  /** Flags that come before every command. */
  readonly flags: readonly string[];
  /** Runs it; rejects with what it wrote. */
  readonly call: (args: readonly string[], timeoutMs?: number) => Promise<string>;
}

/** Docker whose daemon answers, else buildah as root; `undefined` where there is neither. */
export async function findBuilder(stateDir: string): Promise<ImageBuilder | undefined> {
  const answers = (command: string, args: readonly string[]): Promise<boolean> =>
    run(command, args, { timeout: 20_000 }).then(
      () => true,
      () => false,
    );
  if (await answers('docker', ['info'])) return builder('docker', []);
  if (process.getuid?.() !== 0 || !(await answers('buildah', ['--version']))) return undefined;
  await mkdir(stateDir, { recursive: true });
  const storage = ['--root', join(stateDir, 'root'), '--runroot', join(stateDir, 'run')];
  return builder('buildah', [...storage, '--storage-driver', 'overlay']);
}

function builder(kind: ImageBuilder['kind'], flags: readonly string[]): ImageBuilder {
  return {
    kind,
    flags,
    call: async (args, timeoutMs = 60_000) => {
      const { stdout } = await run(kind, [...flags, ...args], { timeout: timeoutMs, maxBuffer: 64 << 20 });
      return stdout.trim();
    },
  };
}
