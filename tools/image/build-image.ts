import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
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
  if (builder.kind === 'docker') return buildFolder(builder, { tag, folder: ROOT }, stateDir);
  const npmrc = join(stateDir, 'npmrc.build');
  await mkdir(stateDir, { recursive: true });
  await writeFile(npmrc, await npmSettings());
  // Both mounts are for `npm ci` alone and do not enter the image: the machine's own certificates and registry.
  const mounts = ['--volume', `${CERTIFICATES}:${CERTIFICATES}:ro`, '--volume', `${npmrc}:/root/.npmrc:ro`];
  await buildFolder(builder, { tag, folder: ROOT, flags: [...mounts, '--network', 'host'] }, stateDir);
}

/** Builds the Dockerfile of a folder, which starts `FROM` its argument BASE_IMAGE. */
export async function buildFolder(
  builder: ImageBuilder,
  what: { readonly tag: string; readonly folder: string; readonly flags?: readonly string[] },
  stateDir: string,
): Promise<void> {
  const { tag, folder, flags = [] } = what;
  if (builder.kind === 'docker') {
    await builder.call(['build', '--tag', tag, folder], 10 * MINUTES);
    return;
  }
  const base = await makeBaseImage(builder, stateDir);
  const own = ['--isolation', 'chroot', '--pull-never', '--build-arg', `BASE_IMAGE=${base}`];
  await builder.call(['build', ...own, ...flags, '--tag', tag, folder], 10 * MINUTES);
}

/** Writes an image to an archive that containerd can import under the same name. */
export async function exportImage(builder: ImageBuilder, tag: string, archive: string): Promise<void> {
  await rm(archive, { force: true });
  if (builder.kind === 'docker') await builder.call(['save', '--output', archive, tag], 5 * MINUTES);
  else await builder.call(['push', tag, `oci-archive:${archive}:${tag}`], 5 * MINUTES);
}

async function npmSettings(): Promise<string> {
  const { stdout } = await run('npm', ['config', 'get', 'registry'], { timeout: 30_000 });
  const bundle = join(CERTIFICATES, 'ca-certificates.crt');
  return `registry=${stdout.trim()}\n${existsSync(bundle) ? `cafile=${bundle}\n` : ''}`;
}
