import { execFileSync } from 'node:child_process';

/**
 * Where containerd, runc, the CNI plugins and the kubelet write besides the folders that they are told: sockets and network
 * namespaces, their databases, links to the logs of containers.
 */
const WRITTEN = ['/run', '/var/lib', '/var/log'] as const;

/** Gives each a file system of this mount namespace's own, empty, so that the machine's are not touched. */
export function coverMachineFolders(): void {
  for (const folder of WRITTEN) execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', folder]);
}
