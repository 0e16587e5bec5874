import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { NodeBinaries } from '../rig/binaries.ts';
import { startDaemon } from '../rig/processes.ts';
import { waitForDaemon } from '../rig/wait.ts';
import { CNI_PLUGINS } from './network.ts';

const run = promisify(execFile);

/** The default: cAdvisor finds the labels of containers at no other. /run is a file system of our own in there. */
export const CONTAINERD_SOCKET = '/run/containerd/containerd.sock';

/** What holds a pod's network namespace; one of our own, since no image registry is asked. */
export const SANDBOX_IMAGE = 'docker.io/local/pause:1';

/** Starts containerd and waits until it answers. */
export async function startContainerd(stateDir: string, bin: NodeBinaries, cniFolder: string): Promise<void> {
  const { stdout } = await run('sh', ['-c', 'command -v runc']);
  const config = join(stateDir, 'containerd.toml');
  writeFileSync(config, configuration({ root: join(stateDir, 'containerd'), cniFolder, runc: stdout.trim() }));
  const daemon = startDaemon(stateDir, {
    name: 'containerd',
    command: bin.containerd,
    args: ['--config', config, '--log-level', 'warn'],
    // It looks for its shim on the PATH.
    env: { PATH: [dirname(bin.containerd), process.env['PATH'] ?? ''].join(delimiter) },
  });
  await waitForDaemon(stateDir, daemon, () => ctr(bin, ['version']).then(() => true));
}

/** Runs ctr in the kubelet's namespace of images and containers. */
export async function ctr(bin: NodeBinaries, args: readonly string[], timeoutMs = 10_000): Promise<string> {
  const all = ['--address', CONTAINERD_SOCKET, '--namespace', 'k8s.io', ...args];
  const { stdout } = await run(bin.ctr, all, { timeout: timeoutMs, maxBuffer: 16 << 20 });
  return stdout;
}

/** Makes the images of an archive (`docker save`, or OCI) known to the node. */
export async function importImages(bin: NodeBinaries, archive: string): Promise<void> {
  await ctr(bin, ['images', 'import', archive], 180_000);
}

function configuration(paths: { readonly root: string; readonly cniFolder: string; readonly runc: string }): string {
  const quoted = JSON.stringify; // a TOML basic string takes the same escapes
  return `version = 3
root = ${quoted(paths.root)}
state = "/run/containerd"

[grpc]
address = ${quoted(CONTAINERD_SOCKET)}

[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = ${quoted(SANDBOX_IMAGE)}

[plugins."io.containerd.cri.v1.runtime"]
# In a container of its own, root may not lower the score of a process (no CAP_SYS_RESOURCE).
restrict_oom_score_adj = true

[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = [${quoted(CNI_PLUGINS)}]
conf_dir = ${quoted(paths.cniFolder)}

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
BinaryName = ${quoted(paths.runc)}
SystemdCgroup = false
`;
}
