/**
 * `npm run e2e`: Aegis on real containers. A real node (containerd, kubelet) runs a sample shop; one pod leaks, one deployment is
 * overloaded, one gets a bad release; first without Aegis, then with it, installed by its own chart from its own image.
 * Exits 0 only if every claim holds, 1 if one does not, 2 where this machine cannot run it.
 *
 *   npm run e2e -- --only leak,release   plays these faults only (leak, overload, release)
 *   npm run e2e -- --json FILE           writes claims, figures and all that was recorded
 *   npm run e2e -- --keep                leaves the run with Aegis up until Ctrl-C
 *
 * docs/how-to/running-on-real-containers.md
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { imageCache } from '../image/base-image.ts';
import { removePodCgroups } from '../real-rig/cgroups.ts';
import { missingPackages, runIsolated, whyNotHere } from '../real-rig/isolation.ts';
import { rememberTunables } from '../real-rig/tunables.ts';
import { ensureBinaries, ensureHelm, ensureNodeBinaries } from '../rig/binaries.ts';
import { withLock } from '../rig/lock.ts';
import { makeStateDir } from '../rig/state-dir.ts';
import { figuresOf, type Figures } from './figures.ts';
import { buildImages, missingForImages } from './images.ts';
import { judge } from './judge.ts';
import type { FaultName, RunRecord } from './record.ts';
import { report } from './report.ts';
import type { RunOptions } from './run.ts';

const FAULTS: readonly FaultName[] = ['leak', 'overload', 'release'];
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', default: FAULTS.join(',') },
    json: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});

async function main(): Promise<number> {
  const why = whyNotHere();
  if (why !== undefined) {
    say(`e2e: not run: ${why}`);
    return 2;
  }
  const faults = FAULTS.filter((fault) => flags.only.split(',').includes(fault));
  if (faults.length === 0) throw new Error(`--only takes ${FAULTS.join(', ')}, not ${flags.only}`);
  installPackages([...missingPackages(), ...missingForImages()]);
  await ensureBinaries(say);
  await ensureNodeBinaries(say);
  await ensureHelm(say);
  const imageArchives = await buildImages(say);
  // The kubelet's cgroups have one name on a machine: one run at a time.
  return withLock(join(tmpdir(), 'aegis-e2e.lock'), say, async () => {
    const play = (withAegis: boolean): Promise<RunRecord> =>
      playOnce({ imageArchives, faults, withAegis, keep: flags.keep && withAegis });
    say('\nwithout Aegis:');
    const without = await play(false);
    say('\nwith Aegis:');
    const withAegis = await play(true);
    return conclude(without, withAegis);
  });
}

/** Debian's packages that a node or a build of images needs; only root gets here. */
function installPackages(missing: readonly string[]): void {
  if (missing.length === 0) return;
  const names = [...new Set(missing)];
  say(`installing ${names.join(', ')} ...`);
  try {
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'pipe', timeout: 300_000 });
    const args = ['install', '-y', '-qq', '--no-install-recommends', ...names];
    execFileSync('apt-get', args, {
      stdio: 'pipe',
      timeout: 600_000,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  } catch (error) {
    throw new Error(`${names.join(', ')} cannot be installed by apt-get; install what holds these commands yourself`, {
      cause: error,
    });
  }
}

async function playOnce(options: Omit<RunOptions, 'stateDir' | 'recordFile'>): Promise<RunRecord> {
  const stateDir = makeStateDir();
  const recordFile = join(stateDir, 'record.json');
  const restoreTunables = rememberTunables();
  try {
    const run: RunOptions = { ...options, stateDir, recordFile };
    const code = await runIsolated(join(import.meta.dirname, 'run.ts'), [JSON.stringify(run)]);
    if (!existsSync(recordFile))
      throw new Error(`the run ended with ${code} and left no record; logs: ${keepLogs(stateDir)}`);
    if (options.withAegis) say(`Aegis's log: ${keepLogs(stateDir)}`);
    return JSON.parse(readFileSync(recordFile, 'utf8')) as RunRecord;
  } finally {
    restoreTunables();
    const stubborn = await removePodCgroups();
    if (stubborn.length > 0) say(`not removed: ${stubborn.join(', ')}`);
    rmSync(stateDir, { recursive: true, force: true });
  }
}

/** Copies the logs to where the next run does not remove them: only the last run's are kept. */
function keepLogs(stateDir: string): string {
  const folder = join(imageCache(), '..', 'e2e-logs');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of ['aegis.log', ...DAEMONS.map((daemon) => `logs/${daemon}.log`)]) {
    const from = join(stateDir, name);
    if (existsSync(from)) copyFileSync(from, join(folder, name.replace('logs/', '')));
  }
  return folder;
}

const DAEMONS = ['kubelet', 'containerd', 'kube-proxy', 'kube-apiserver', 'prometheus', 'scrape-targets'];

function conclude(without: RunRecord, withAegis: RunRecord): number {
  const figures: readonly [Figures, Figures] = [figuresOf(without), figuresOf(withAegis)];
  const checks = judge(...figures);
  const isGood = checks.every(({ holds }) => holds);
  say(`\n${report(...figures, checks)}\n`);
  say(isGood ? `e2e: all ${checks.length} claims hold` : 'e2e: FAILED');
  if (flags.json !== undefined) {
    const [first, second] = figures;
    const content = { isGood, checks, figures: { without: first, withAegis: second }, records: { without, withAegis } };
    writeFileSync(flags.json, `${JSON.stringify(content)}\n`);
  }
  return isGood ? 0 : 1;
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`\ne2e: ${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
});
