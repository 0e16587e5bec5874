/**
 * Runs a program as root of a small world of its own: network, mounts and processes are its own, the machine's files and cgroups
 * are not.
 *
 *   this process --- pipe --- unshare --- init (a shell that collects the dead) --- the program and its daemons
 *
 * When init ends, the kernel ends every process in there, and its mounts, bridge, network namespaces and iptables rules with
 * them: what a crash would leave behind elsewhere cannot outlive it. Traffic in there reaches nothing outside. What remains to
 * be put back are the cgroups and a few settings of the kernel that a kubelet changes (`cgroups.ts`, `tunables.ts`).
 */
import { spawn, spawnSync } from 'node:child_process';
import { platform } from 'node:os';
import { delimiter, join } from 'node:path';
import { accessSync, constants } from 'node:fs';
import { CNI_PLUGINS } from './network.ts';

/** Commands of Debian that a node needs, with the package of each. */
const NEEDED: Readonly<Record<string, string>> = {
  unshare: 'util-linux',
  ip: 'iproute2',
  iptables: 'iptables',
  conntrack: 'conntrack',
  runc: 'runc',
};

/** Why this machine cannot run real containers, as a sentence; undefined: it can. */
export function whyNotHere(): string | undefined {
  if (platform() !== 'linux') return `real containers need Linux, and this is ${platform()}`;
  if (process.getuid?.() !== 0) return 'real containers need root (namespaces, mounts and cgroups are made)';
  const probe = spawnSync('unshare', [...NAMESPACES, 'true'], { encoding: 'utf8' });
  if (probe.error === undefined && probe.status !== 0) {
    return `root may not make namespaces here, as in a container without CAP_SYS_ADMIN: ${probe.stderr.trim()}`;
  }
  return undefined;
}

const NAMESPACES = ['--net', '--mount', '--pid', '--mount-proc', '--fork', '--kill-child'];

/** Packages that are missing, by Debian's names. */
export function missingPackages(): readonly string[] {
  const missing = Object.entries(NEEDED).filter(([command]) => !isOnPath(command));
  const plugins = isThere(join(CNI_PLUGINS, 'bridge')) ? [] : ['containernetworking-plugins'];
  return [...missing.map(([, debianPackage]) => debianPackage), ...plugins];
}

function isOnPath(command: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((dir) => isThere(join(dir, command)));
}

function isThere(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Runs `script` with these arguments in a world of its own and resolves with its exit code. SIGINT and SIGTERM of this process
 * end the program, not this process, which has to tidy up after it.
 */
export function runIsolated(script: string, args: readonly string[]): Promise<number> {
  // The shell is process 1 in there: it collects orphans, which Node would leave as zombies.
  const init = ['sh', '-c', '"$@"; exit $?', 'init', process.execPath, '--disable-warning=ExperimentalWarning'];
  // Before the machine's other work: what is measured in there shall not depend on it.
  const command = ['-n', '-10', 'unshare', ...NAMESPACES, ...init, script, ...args];
  const child = spawn('nice', command, { stdio: ['pipe', 'inherit', 'inherit'] });
  // The program ends when its standard input does: however this process goes, the kernel closes it.
  const end = (): void => void child.stdin.end();
  process.on('SIGINT', end).on('SIGTERM', end);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      process.off('SIGINT', end).off('SIGTERM', end);
      resolve(code ?? 130);
    });
  });
}

/** In the isolated program: ends it once the process outside is gone or wants it to end. */
export function endWithOwner(): void {
  process.stdin.on('close', () => process.exit(130));
  process.stdin.resume();
  process.stdin.unref?.();
}
