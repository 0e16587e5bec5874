import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeBaseImage } from './base-image.ts';
import type { ImageBuilder } from './builder.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const CERTIFICATES = '/etc/ssl/certs';
const MINUTES = 60_000;

/** Builds the Dockerfile under this tag. Buildah takes a base image that is made here, docker the public one. */
export async function buildImage(builder: ImageBuilder, tag: string, stateDir: string): Promise<void> {
  if (builder.kind === 'docker') {
    await builder.call(['build', '--tag', tag, ROOT], 10 * MINUTES);
    return;
  }
  const base = await makeBaseImage(builder, stateDir);
  const npmrc = join(stateDir, 'npmrc.build');
  await writeFile(npmrc, await npmSettings());
  // Both mounts are for `npm ci` alone and do not enter the image: the machine's own certificates and registry.
  const mounts = ['--volume', `${CERTIFICATES}:${CERTIFICATES}:ro`, '--volume', `${npmrc}:/root/.npmrc:ro`];
  const flags = ['--isolation', 'chroot', '--pull-never', '--network', 'host', '--build-arg', `BASE_IMAGE=${base}`];
  await builder.call(['build', ...flags, ...mounts, '--tag', tag, ROOT], 10 * MINUTES);
}

async function npmSettings(): Promise<string> {
  const { stdout } = await run('npm', ['config', 'get', 'registry'], { timeout: 30_000 });
  const bundle = join(CERTIFICATES, 'ca-certificates.crt');
  return `registry=${stdout.trim()}\n${existsSync(bundle) ? `cafile=${bundle}\n` : ''}`;
}
