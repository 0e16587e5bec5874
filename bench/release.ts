import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';

const ROOT = join(import.meta.dirname, '..');

/** Bundles the release into a folder; returns the path of its program. */
export async function buildRelease(folder: string): Promise<string> {
  await promisify(execFile)(process.execPath, [join(ROOT, 'tools', 'build.ts'), '--out', folder]);
  return join(folder, 'main.js');
}

/** Node's options as the image sets them: what stands between `node` and the program. */
export function imageOptions(): readonly string[] {
  const entry = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile())?.[1];
  if (entry === undefined) throw new Error('the Dockerfile has no ENTRYPOINT in its list form');
  return (JSON.parse(entry) as string[]).slice(1, -1);
}

/** The same where the detection API is served alone, by the compose file. */
export function apiOptions(): readonly string[] {
  const { services } = parse(readFileSync(join(ROOT, 'docker-compose.yaml'), 'utf8')) as Compose;
  const [program, ...options] = services.aegis.entrypoint;
  if (program !== 'node' || options.pop() !== '/app/main.js')
    throw new Error('docker-compose.yaml has no entrypoint that starts /app/main.js with node');
  return options;
}

interface Compose {
  readonly services: { readonly aegis: { readonly entrypoint: readonly string[] } };
}

/** The image's settings of the C library, which the configuration does not know. */
export function allocatorSettings(): Readonly<Record<string, string>> {
  const settings = dockerfile().matchAll(/^ENV (MALLOC_\w+)=(\S+)$/gm);
  return Object.fromEntries([...settings].map(([, name = '', value = '']) => [name, value]));
}

const dockerfile = (): string => readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
