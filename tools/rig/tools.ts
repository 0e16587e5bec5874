import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requiredVersion } from './versions.ts';

/** A Go module from which the rig builds one or more commands; `binaries/<folder>/go.mod` pins it. */
export interface GoTool {
  readonly folder: string;
  /** The cache folder's name, where one module is built in two parts that are not needed together. */
  readonly cachedAs?: string;
  readonly module: string;
  /** Command name -> Go package. The name may differ from the package's last element (etcd is `server/v3`). */
  readonly commands: Readonly<Record<string, string>>;
  readonly tags?: string;
  /** The oldest version that may come from the machine, where that is not the pinned minor. */
  readonly oldest?: string;
  /** The argument that makes a command print its version; kubectl's would ask a server without `--client`. */
  readonly versionArgs: Readonly<Record<string, readonly string[]>>;
}

const K8S = 'k8s.io/kubernetes';
const CONTAINERD = 'github.com/containerd/containerd/v2';

export const TOOLS = {
  etcd: {
    folder: 'etcd',
    module: 'go.etcd.io/etcd/server/v3',
    commands: { etcd: 'go.etcd.io/etcd/server/v3' },
    versionArgs: {},
    oldest: 'v3.5.0', // what the API server needs; kubebuilder's assets bring an older one than ours
  },
  kubernetes: {
    folder: 'kubernetes',
    module: K8S,
    commands: {
      'kube-apiserver': `${K8S}/cmd/kube-apiserver`,
      'kube-controller-manager': `${K8S}/cmd/kube-controller-manager`,
      'kube-scheduler': `${K8S}/cmd/kube-scheduler`,
      kubectl: `${K8S}/cmd/kubectl`,
    },
    versionArgs: { kubectl: ['version', '--client'] },
  },
  /** What a real node runs besides: apart, since a simulated cluster must not wait for it. */
  node: {
    folder: 'kubernetes',
    cachedAs: 'kubernetes-node',
    module: K8S,
    commands: { kubelet: `${K8S}/cmd/kubelet`, 'kube-proxy': `${K8S}/cmd/kube-proxy` },
    versionArgs: {},
  },
  containerd: {
    folder: 'containerd',
    module: CONTAINERD,
    commands: {
      containerd: `${CONTAINERD}/cmd/containerd`,
      'containerd-shim-runc-v2': `${CONTAINERD}/cmd/containerd-shim-runc-v2`,
      ctr: `${CONTAINERD}/cmd/ctr`,
    },
    tags: 'no_btrfs,no_zfs,no_devmapper',
    versionArgs: { 'containerd-shim-runc-v2': ['-v'] },
  },
  kwok: {
    folder: 'kwok',
    module: 'sigs.k8s.io/kwok',
    commands: { kwok: 'sigs.k8s.io/kwok/cmd/kwok' },
    versionArgs: {},
  },
  prometheus: {
    folder: 'prometheus',
    module: 'github.com/prometheus/prometheus',
    commands: { prometheus: 'github.com/prometheus/prometheus/cmd/prometheus' },
    tags: 'remove_all_sd,enable_kubernetes_sd',
    versionArgs: {},
  },
  helm: {
    folder: 'helm',
    module: 'helm.sh/helm/v4',
    commands: { helm: 'helm.sh/helm/v4/cmd/helm' },
    versionArgs: { helm: ['version', '--short'] },
  },
} as const satisfies Record<string, GoTool>;

export const BINARIES_DIR = join(import.meta.dirname, 'binaries');

/** The pinned version of a tool's module, for instance `v1.36.3`. */
export function pinnedVersion(tool: GoTool): string {
  const path = join(BINARIES_DIR, tool.folder, 'go.mod');
  const version = requiredVersion(readFileSync(path, 'utf8'), tool.module);
  if (version === undefined) throw new Error(`${path} requires no ${tool.module}`);
  return version;
}
