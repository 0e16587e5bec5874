import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, realpath, rename, rm, symlink } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { ImageBuilder } from './builder.ts';

const run = promisify(execFile);
const SUITE = 'bookworm';

/** Name of the base image that is made here. */
const LOCAL_BASE = `docker.io/local/node:${process.versions.node}-${SUITE}`;

/**
 * A stand-in for the public Node image where no image registry can be reached: a minimal Debian from its packages, the
 * Node that runs this file, and the npm of this machine. The Debian part is kept in the cache; it takes a minute or two.
 */
export async function makeBaseImage(buildah: ImageBuilder, stateDir: string): Promise<string> {
  const known = await buildah.call(['images', '--quiet', LOCAL_BASE]).catch(() => '');
  if (known !== '') return LOCAL_BASE;
  const debian = await debianTar();
  const node = await nodeTree(join(stateDir, 'node-tree'));
  const container = await buildah.call(['from', 'scratch']);
  await buildah.call(['add', container, debian, '/'], 180_000);
  await buildah.call(['copy', container, node, '/usr/local/'], 180_000);
  await buildah.call([
    'config',
    '--env',
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    container,
  ]);
  await buildah.call(['commit', '--rm', container, LOCAL_BASE], 300_000);
  return LOCAL_BASE;
}

/** Where parts of images are kept between runs. */
export function imageCache(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'aegis', 'image');
}

async function debianTar(): Promise<string> {
  const cache = imageCache();
  const file = join(cache, `debian-${SUITE}.tar`);
  if (existsSync(file)) return file;
  await mkdir(cache, { recursive: true });
  const part = `${file}.${process.pid}.tar`;
  const packages = '--include=ca-certificates,libstdc++6,libatomic1';
  // Device files cannot be made in every container, and the image needs none of its own.
  const withoutDevices = '--skip=output/dev';
  await run('mmdebstrap', ['--variant=minbase', packages, withoutDevices, SUITE, part], { timeout: 480_000 });
  await rename(part, file);
  return file;
}

async function nodeTree(tree: string): Promise<string> {
  await rm(tree, { recursive: true, force: true });
  await mkdir(join(tree, 'bin'), { recursive: true });
  await mkdir(join(tree, 'lib/node_modules'), { recursive: true });
  await copyFile(process.execPath, join(tree, 'bin/node'));
  await cp(await npmFolder(), join(tree, 'lib/node_modules/npm'), { recursive: true, verbatimSymlinks: true });
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(tree, 'bin/npm'));
  return tree;
}

/** npm's own folder, behind the command that is on the PATH. */
async function npmFolder(): Promise<string> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const command = await realpath(join(folder, 'npm')).catch(() => '');
    if (command.endsWith('/bin/npm-cli.js')) return dirname(dirname(command));
  }
  throw new Error('no npm on the PATH');
}
