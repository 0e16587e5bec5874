/** How to reach a cluster: plain data, so that it can be written to a file and read by another process. */
export interface ClusterFacts {
  /** `rig`: simulated and ours; `external`: somebody's cluster, reached through their kubeconfig. */
  readonly kind: 'rig' | 'external';
  readonly kubeconfigPath: string;
  readonly apiServerUrl: string;
  readonly prometheusUrl: string;
  /** A folder for this run, mode 700. */
  readonly stateDir: string;
  readonly kubectlPath: string;
}

export interface RigFacts extends ClusterFacts {
  readonly kind: 'rig';
  readonly caFile: string;
  /** The administrator's bearer token. */
  readonly token: string;
  readonly exporterUrl: string;
  /** The process that started it, and whether it shall outlive that process. */
  readonly ownerPid: number;
  readonly reaperPid: number;
  readonly isKept: boolean;
}
