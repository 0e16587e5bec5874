import { join } from 'node:path';
import { freePorts } from '../../tools/rig/ports.ts';
import { answered, startProgram } from './started-program.ts';

const ROOT = join(import.meta.dirname, '../..');

export interface BuiltServer {
  readonly url: string;
  output(): string;
  stop(): Promise<void>;
}

/** Builds the release into a folder and starts its API there, alone and on a free port. */
export async function startBuiltServer(
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<BuiltServer> {
  const app = join(folder, 'app');
  const build = startProgram(process.execPath, [join(ROOT, 'tools/build.ts'), '--out', app], { cwd: ROOT });
  const { code } = await build.ended(120_000);
  if (code !== 0) throw new Error(build.output());
  const [port] = await freePorts(1);
  const program = startProgram(process.execPath, [join(app, 'main.js'), `--port=${port}`], {
    cwd: folder,
    env: { AEGIS_CLUSTER: 'off', DATA_DIR: join(folder, 'data'), ...env },
  });
  const url = `http://127.0.0.1:${port}`;
  await answered(`${url}/ping`, 30_000, program);
  return { url, output: () => program.output(), stop: () => program.stop() };
}
