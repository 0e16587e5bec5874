import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { arch, homedir, platform } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { buildGoTool } from './go-build.ts';
import { unpackPrometheusPackage } from './prometheus-package.ts';
import { TOOLS, pinnedVersion, type GoTool } from './tools.ts';
import { isAcceptable, parseVersion } from './versions.ts';

export { BinaryUnavailable } from './go-build.ts';

const run = promisify(execFile);

/** Absolute paths of everything that the rig starts or calls. */
export interface Binaries {
  readonly etcd: string;
  readonly 'kube-apiserver': string;
  readonly 'kube-controller-manager': string;
  readonly 'kube-scheduler': string;
  readonly kubectl: string;
  readonly kwok: string;
  readonly prometheus: string;
}

/** `${XDG_CACHE_HOME:-~/.cache}/aegis/bin/<tool>-<version>-<os>-<arch>` */
function cacheDir(name: string, version: string): string {
  const cacheHome = process.env['XDG_CACHE_HOME'];
  const base = cacheHome !== undefined && cacheHome !== '' ? cacheHome : join(homedir(), '.cache');
  return join(base, 'aegis', 'bin', `${name}-${version}-${platform()}-${arch() === 'x64' ? 'amd64' : arch()}`);
}

/** Finds or builds all that a rig needs. Only the first call on a machine is slow (about eight minutes on two cores). */
export async function ensureBinaries(log: (line: string) => void): Promise<Binaries> {
  const etcd = await ensureTool(TOOLS.etcd, log);
  const kubernetes = await ensureTool(TOOLS.kubernetes, log);
  const kwok = await ensureTool(TOOLS.kwok, log);
  return { ...etcd, ...kubernetes, ...kwok, prometheus: await ensurePrometheus(log) };
}

/** Helm is apart: only the chart's tests need it, and a rig must not wait for its build. */
export async function ensureHelm(log: (line: string) => void): Promise<string> {
  return (await ensureTool(TOOLS.helm, log)).helm;
}

/** Absolute paths of what a real node runs besides the control plane. */
export type NodeBinaries = CommandsOf<(typeof TOOLS)['node']> & CommandsOf<(typeof TOOLS)['containerd']>;

/** Apart as well: only the run on real containers needs them (three minutes to build on two cores). */
export async function ensureNodeBinaries(log: (line: string) => void): Promise<NodeBinaries> {
  return { ...(await ensureTool(TOOLS.node, log)), ...(await ensureTool(TOOLS.containerd, log)) };
}

/** kubectl alone, for clusters that somebody else runs. */
export async function ensureKubectl(log: (line: string) => void): Promise<string> {
  const found = await findOnMachine('kubectl', TOOLS.kubernetes);
  return found ?? (await ensureTool(TOOLS.kubernetes, log)).kubectl;
}

type CommandsOf<T extends GoTool> = Record<Extract<keyof T['commands'], string>, string>;

/** Where each command of a tool is. When even one is missing everywhere, the whole module is built: versions stay equal. */
async function ensureTool<T extends GoTool>(tool: T, log: (line: string) => void): Promise<CommandsOf<T>> {
  const names = Object.keys(tool.commands);
  const found: Record<string, string> = {};
  for (const name of names) {
    const path = await findOnMachine(name, tool);
    if (path !== undefined) found[name] = path;
  }
  if (names.some((name) => found[name] === undefined)) {
    const dir = cacheDir(tool.cachedAs ?? tool.folder, pinnedVersion(tool));
    if (!existsSync(dir)) await buildGoTool(tool, dir, log);
    for (const name of names) found[name] = join(dir, name);
  }
  return found as CommandsOf<T>;
}

/**
 * Any scrape-capable Prometheus will do, since the rig discovers nothing through Kubernetes: PATH, then the distribution's
 * package unpacked into the cache (seconds), then a build (ten minutes).
 */
async function ensurePrometheus(log: (line: string) => void): Promise<string> {
  for (const dir of searchDirs()) {
    const path = join(dir, 'prometheus');
    const version = isExecutable(path) ? await versionOf(path, ['--version']) : undefined;
    if (version !== undefined && version.major >= 2) return path;
  }
  const built = join(cacheDir('prometheus', pinnedVersion(TOOLS.prometheus)), 'prometheus');
  if (existsSync(built)) return built;
  const unpacked = await unpackPrometheusPackage(cacheDir('prometheus', 'package'), log);
  return unpacked ?? (await ensureTool(TOOLS.prometheus, log)).prometheus;
}

async function findOnMachine(name: string, tool: GoTool): Promise<string | undefined> {
  const pinned = parseVersion(tool.oldest ?? pinnedVersion(tool));
  for (const dir of searchDirs()) {
    const path = join(dir, name);
    if (!isExecutable(path)) continue;
    const version = await versionOf(path, tool.versionArgs[name] ?? ['--version']);
    if (version !== undefined && pinned !== undefined && isAcceptable(version, pinned)) return path;
  }
  return undefined;
}

/** `KUBEBUILDER_ASSETS` first: who sets it means it. */
function searchDirs(): readonly string[] {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((dir) => dir !== '');
  return assets !== undefined && assets !== '' ? [assets, ...path] : path;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function versionOf(path: string, args: readonly string[]): Promise<ReturnType<typeof parseVersion>> {
  try {
    const { stdout, stderr } = await run(path, args, { timeout: 10_000 });
    return parseVersion(stdout === '' ? stderr : stdout);
  } catch {
    return undefined;
  }
}
