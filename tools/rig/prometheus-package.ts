import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from './lock.ts';

const run = promisify(execFile);

/**
 * Takes Prometheus out of Debian's package without installing it: nothing of the machine changes, no service is started
 * that would have to be stopped again, and where package lists exist it needs no root. Debian's build has Kubernetes
 * discovery compiled out, which is why the rig names its scrape targets in files.
 *
 * Returns the path of the binary, or undefined where there is no apt or the package cannot be had.
 */
export async function unpackPrometheusPackage(
  outDir: string,
  log: (line: string) => void,
): Promise<string | undefined> {
  const binary = join(outDir, 'usr', 'bin', 'prometheus');
  if (existsSync(binary)) return binary;
  if (!isInstalled('apt-get') || !isInstalled('dpkg-deb')) return undefined;
  await mkdir(dirname(outDir), { recursive: true });
  return withLock(`${outDir}.lock`, log, async () => {
    if (existsSync(binary)) return binary;
    log("fetching the distribution's prometheus package ...");
    const work = await mkdtemp(`${outDir}.tmp-`);
    try {
      await download(work);
      const deb = (await readdir(work)).find((name) => name.endsWith('.deb'));
      if (deb === undefined) return undefined;
      await run('dpkg-deb', ['--extract', join(work, deb), join(work, 'root')]);
      await rm(outDir, { recursive: true, force: true });
      await rename(join(work, 'root'), outDir);
      await run(binary, ['--version'], { timeout: 10_000 });
      return binary;
    } catch (error) {
      log(`no prometheus package: ${String(error).split('\n')[0] ?? ''}`);
      await rm(outDir, { recursive: true, force: true });
      return undefined;
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
}

/** With the lists that are there; where they are missing or stale, only root may refresh them. */
async function download(cwd: string): Promise<void> {
  const get = (): Promise<unknown> => run('apt-get', ['download', 'prometheus'], { cwd, timeout: 300_000 });
  try {
    await get();
  } catch (error) {
    if (process.getuid?.() !== 0) throw error;
    await run('apt-get', ['update', '-qq'], { timeout: 300_000, maxBuffer: 16 << 20 });
    await get();
  }
}

function isInstalled(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}
