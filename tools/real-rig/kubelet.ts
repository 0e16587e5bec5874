import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeBinaries } from '../rig/binaries.ts';
import { startDaemon, type DaemonRecord } from '../rig/processes.ts';
import { CONTAINERD_SOCKET } from './containerd.ts';
import { NODE_ADDRESS, POD_NETWORK } from './network.ts';

export const NODE_NAME = 'real-1';
export const KUBELET_PORT = 10_250;

/** The API server's client certificate for kubelets; it is its own authority, which the kubelet is told. */
export interface KubeletClient {
  readonly certFile: string;
  readonly keyFile: string;
}

export function makeKubeletClient(stateDir: string): KubeletClient {
  const certFile = join(stateDir, 'kubelet-client.crt');
  const keyFile = join(stateDir, 'kubelet-client.key');
  const subject = ['-subj', '/O=system:masters/CN=kube-apiserver-kubelet-client'];
  const extensions = ['-addext', 'extendedKeyUsage=clientAuth'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile, '-out', certFile];
  execFileSync('openssl', ['req', '-x509', '-days', '2', ...key, ...subject, ...extensions], { stdio: 'pipe' });
  return { certFile, keyFile };
}

export interface NodeSetup {
  readonly kubeconfigPath: string;
  readonly client: KubeletClient;
}

/** Starts the kubelet; the caller waits for the node to become Ready. */
export function startKubelet(stateDir: string, bin: NodeBinaries, setup: NodeSetup): DaemonRecord {
  const config = join(stateDir, 'kubelet.json');
  mkdirSync(join(stateDir, 'pod-logs'), { recursive: true });
  writeFileSync(config, JSON.stringify(kubeletConfiguration(stateDir, setup.client)));
  return startDaemon(stateDir, {
    name: 'kubelet',
    command: bin.kubelet,
    args: [
      ...['--config', config, '--kubeconfig', setup.kubeconfigPath, '--root-dir', join(stateDir, 'kubelet')],
      ...['--cert-dir', join(stateDir, 'kubelet-tls'), '--hostname-override', NODE_NAME, '--node-ip', NODE_ADDRESS],
      // How often cAdvisor reads the cgroups. The default of 10 s is for nodes with a hundred pods.
      ...['--housekeeping-interval', '2s'],
    ],
  });
}

function kubeletConfiguration(stateDir: string, client: KubeletClient): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: NODE_ADDRESS,
    port: KUBELET_PORT,
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: client.certFile },
    },
    authorization: { mode: 'Webhook' },
    cgroupDriver: 'cgroupfs',
    failCgroupV1: false,
    failSwapOn: false,
    podLogsDir: join(stateDir, 'pod-logs'),
    // Nobody answers there: without an address each pod gets the event MissingClusterDNS again and again.
    clusterDNS: [NODE_ADDRESS],
    clusterDomain: 'cluster.local',
    resolvConf: '',
    // The machine's disk is not ours to judge.
    evictionHard: { 'memory.available': '50Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
    maxPods: 110,
    logging: { verbosity: 1 },
  };
}

export function startKubeProxy(stateDir: string, bin: NodeBinaries, kubeconfigPath: string): DaemonRecord {
  // The machine's connection tracking is left as it is.
  const untouched = ['--conntrack-max-per-core', '0', '--conntrack-tcp-timeout-established', '0'];
  const untouchedToo = ['--conntrack-tcp-timeout-close-wait', '0', '--conntrack-min', '0'];
  return startDaemon(stateDir, {
    name: 'kube-proxy',
    command: bin['kube-proxy'],
    args: [
      ...['--kubeconfig', kubeconfigPath, '--proxy-mode', 'iptables', '--cluster-cidr', POD_NETWORK],
      ...['--hostname-override', NODE_NAME, '--healthz-bind-address', '127.0.0.1:10256'],
      ...['--metrics-bind-address', '127.0.0.1:10249', ...untouched, ...untouchedToo],
    ],
  });
}
