import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { imageCache } from '../image/base-image.ts';
import { buildFolder, buildImage, exportImage } from '../image/build-image.ts';
import { findBuilder } from '../image/builder.ts';
import { SANDBOX_IMAGE } from '../real-rig/containerd.ts';

export const AEGIS_IMAGE = { repository: 'docker.io/local/aegis', tag: 'e2e' } as const;
export const APP_IMAGE = 'docker.io/local/sample:e2e';

/**
 * Builds Aegis's own image from the repository's Dockerfile, the sample application's and the sandbox's, and returns the
 * archives of all three. The first time takes about three minutes, later ones as long as `npm ci` in the image does.
 */
export async function buildImages(log: (line: string) => void): Promise<readonly string[]> {
  const state = join(imageCache(), 'storage');
  const builder = await findBuilder(state);
  if (builder === undefined) throw new Error('no image builder: install buildah (apt-get install buildah mmdebstrap)');
  const aegis = `${AEGIS_IMAGE.repository}:${AEGIS_IMAGE.tag}`;
  log(`building ${aegis} with ${builder.kind} ...`);
  await buildImage(builder, aegis, state);
  log('building the sample application ...');
  await buildFolder(builder, { tag: APP_IMAGE, folder: join(import.meta.dirname, 'app') }, state);
  await buildFolder(builder, { tag: SANDBOX_IMAGE, folder: join(import.meta.dirname, 'pause') }, state);
  const folder = join(imageCache(), 'archives');
  await mkdir(folder, { recursive: true });
  const archives: string[] = [];
  for (const [name, tag] of Object.entries({ aegis, sample: APP_IMAGE, pause: SANDBOX_IMAGE })) {
    const archive = join(folder, `${name}.tar`);
    await exportImage(builder, tag, archive);
    archives.push(archive);
  }
  // Images of the run before lost their names to these.
  if (builder.kind === 'buildah') await builder.call(['rmi', '--prune', '--force']).catch(() => '');
  return archives;
}

/** Debian packages that `buildImages` needs and this machine lacks; none where a docker daemon answers. */
export function missingForImages(): readonly string[] {
  const answers = (command: string, args: readonly string[]): boolean =>
    spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0;
  if (answers('docker', ['info'])) return [];
  return ['buildah', 'mmdebstrap'].filter((command) => !answers(command, ['--version']));
}
