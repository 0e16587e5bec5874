import { spawn, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { withLock } from './lock.ts';
import { BINARIES_DIR, pinnedVersion, type GoTool } from './tools.ts';

/** A binary that this machine neither has nor can build: callers may skip what needs it, loudly. */
export class BinaryUnavailable extends Error {
  override readonly name = 'BinaryUnavailable';
}

/** How long one Go build may take before it counts as hung: six times the slowest one measured on two cores. */
const BUILD_TIMEOUT_MS = 45 * 60_000;
const PROGRESS_EVERY_MS = 10_000;

/**
 * Builds all commands of one Go module into `outDir`. They appear there all at once or not at all: the build writes to a
 * temporary neighbour and renames. A lock keeps two processes from building the same module side by side.
 */
export async function buildGoTool(tool: GoTool, outDir: string, log: (line: string) => void): Promise<void> {
  await mkdir(dirname(outDir), { recursive: true });
  await withLock(`${outDir}.lock`, log, async () => {
    if (existsSync(outDir)) return; // another process built it while this one waited
    requireGo(tool);
    await removeLeftovers(outDir);
    const temporary = await mkdtemp(`${outDir}.tmp-`);
    try {
      for (const [command, goPackage] of Object.entries(tool.commands)) {
        await goBuild(tool, command, goPackage, { temporary, log });
      }
      await rename(temporary, outDir);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  });
}

/** Half a build of a process that was killed. The lock is held: nobody is building this one now. */
async function removeLeftovers(outDir: string): Promise<void> {
  const prefix = `${basename(outDir)}.tmp-`;
  for (const name of await readdir(dirname(outDir))) {
    if (name.startsWith(prefix)) await rm(join(dirname(outDir), name), { recursive: true, force: true });
  }
}

function requireGo(tool: GoTool): void {
  if (spawnSync('go', ['version'], { stdio: 'ignore' }).status === 0) return;
  throw new BinaryUnavailable(
    `${Object.keys(tool.commands).join(', ')}: not found in KUBEBUILDER_ASSETS, PATH or the cache, ` +
      `and Go, which would build it from ${tool.module}, is not installed`,
  );
}

async function goBuild(
  tool: GoTool,
  command: string,
  goPackage: string,
  { temporary, log }: { readonly temporary: string; readonly log: (line: string) => void },
): Promise<void> {
  const what = `building ${command} (${tool.module} ${pinnedVersion(tool)})`;
  const started = Date.now();
  const seconds = (): number => Math.round((Date.now() - started) / 1000);
  log(`${what} ...`);
  const progress = setInterval(() => log(`${what}, ${seconds()} s ...`), PROGRESS_EVERY_MS);
  const args = ['build', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w', '-o', join(temporary, command)];
  if (tool.tags !== undefined) args.push('-tags', tool.tags);
  try {
    await runGo([...args, goPackage], join(BINARIES_DIR, tool.folder));
    log(`${what}: done in ${seconds()} s`);
  } catch (error) {
    throw new BinaryUnavailable(`${command} did not build: ${String(error)}`);
  } finally {
    clearInterval(progress);
  }
}

function runGo(args: readonly string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('go', args, {
      cwd,
      // CGO off: the binaries then run wherever the cache is shared, whatever its C library.
      env: { ...process.env, CGO_ENABLED: '0' },
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: BUILD_TIMEOUT_MS,
    });
    let tail = '';
    child.stderr.on('data', (chunk: Buffer) => {
      tail = (tail + chunk.toString()).slice(-2000);
    });
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`go build ended with ${code}: ${tail}`))));
  });
}
