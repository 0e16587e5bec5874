/**
 * One real node under a real control plane, inside of the world that `isolation.ts` makes:
 *
 *   etcd <- kube-apiserver <- controller-manager, scheduler, kubelet, kube-proxy
 *                                                      |
 *                            containerd -> runc -> pods on a bridge
 *                                 ^
 *   Prometheus -> cAdvisor (kubelet), and each pod's own page
 *
 * Nothing here ends what it started: the kernel does when the isolated program ends.
 */
import { join } from 'node:path';
import { ensureBinaries, ensureNodeBinaries, type Binaries, type NodeBinaries } from '../rig/binaries.ts';
import { startApiServer, startControllers, type ControlPlane } from '../rig/control-plane.ts';
import { answersOk } from '../rig/daemon-handle.ts';
import type { ClusterFacts } from '../rig/facts.ts';
import { clusterHandle, type Cluster } from '../rig/handle.ts';
import { kubectlFor } from '../rig/kubectl.ts';
import { freePorts } from '../rig/ports.ts';
import { startDaemon } from '../rig/processes.ts';
import { launchPrometheus, targetsInFiles } from '../rig/prometheus.ts';
import { waitForDaemon, waitUntil } from '../rig/wait.ts';
import { preferPods } from './cgroups.ts';
import { importImages, startContainerd } from './containerd.ts';
import { KUBELET_PORT, makeKubeletClient, NODE_NAME, startKubelet, startKubeProxy } from './kubelet.ts';
import { makeNetwork, NODE_ADDRESS } from './network.ts';
import { coverMachineFolders } from './private-folders.ts';

/** How often pages are scraped. cAdvisor's samples bear its own time and come every 2 to 4 seconds. */
const SCRAPE_INTERVAL_SECONDS = 2;
const NODE_READY_LIMIT_MS = 120_000;

export interface RealRigOptions {
  /** Of this run, mode 700. */
  readonly stateDir: string;
  /** Archives of images that pods may use; nothing is pulled. */
  readonly imageArchives: readonly string[];
  readonly log: (line: string) => void;
}

/** Returns once the node is Ready and Prometheus has read it. */
export async function startRealRig({ stateDir, imageArchives, log }: RealRigOptions): Promise<Cluster> {
  const bin = await ensureBinaries(log);
  const nodeBin = await ensureNodeBinaries(log);
  coverMachineFolders();
  const cniFolder = makeNetwork(stateDir);
  const client = makeKubeletClient(stateDir);
  const [etcd = 0, etcdPeer = 0, apiServer = 0, prometheusPort = 0] = await freePorts(4);
  const exposure = { address: NODE_ADDRESS, kubeletCertFile: client.certFile, kubeletKeyFile: client.keyFile };
  const [plane] = await Promise.all([
    startApiServer(stateDir, bin, { etcd, etcdPeer, apiServer, exposure }),
    startContainerd(stateDir, nodeBin, cniFolder).then(() => importAll(nodeBin, imageArchives)),
  ]);
  startControllers(stateDir, bin, plane);
  const { kubeconfigPath } = plane;
  const kubelet = startKubelet(stateDir, nodeBin, { kubeconfigPath, client });
  startKubeProxy(stateDir, nodeBin, kubeconfigPath);
  const prometheusUrl = await startMetrics(stateDir, bin, { plane, port: prometheusPort });
  const kubectl = kubectlFor(bin.kubectl, { kubeconfigPath, home: stateDir });
  const isReady = ['get', 'node', NODE_NAME, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'];
  await waitForDaemon(stateDir, kubelet, async () => (await kubectl(isReady)) === 'True', NODE_READY_LIMIT_MS);
  preferPods();
  await waitUntil('samples of cAdvisor in Prometheus', 60_000, () => hasNodeSamples(prometheusUrl), 500);
  const facts: ClusterFacts = {
    ...{ kind: 'rig' as const, stateDir, kubeconfigPath, prometheusUrl },
    ...{ kubectlPath: bin.kubectl, apiServerUrl: plane.apiServerUrl },
  };
  return clusterHandle(facts, kubectl);
}

/** One after the other: they share layers. */
async function importAll(bin: NodeBinaries, archives: readonly string[]): Promise<void> {
  for (const archive of archives) await importImages(bin, archive);
}

async function startMetrics(
  stateDir: string,
  bin: Binaries,
  { plane, port }: { readonly plane: ControlPlane; readonly port: number },
): Promise<string> {
  const listenAddress = `${NODE_ADDRESS}:${port}`; // pods reach it there as well
  const prometheus = launchPrometheus(stateDir, {
    ...{ command: bin.prometheus, listenAddress, scrapeIntervalSeconds: SCRAPE_INTERVAL_SECONDS },
    scrapeConfigs: [
      {
        job_name: 'cadvisor',
        honor_labels: true,
        scheme: 'https',
        metrics_path: '/metrics/cadvisor',
        authorization: { credentials: plane.token },
        // The kubelet signs its own certificate, as it does in most clusters.
        tls_config: { insecure_skip_verify: true },
        static_configs: [{ targets: [`${NODE_ADDRESS}:${KUBELET_PORT}`], labels: { node: NODE_NAME } }],
      },
      { job_name: 'pods', ...targetsInFiles(stateDir) },
    ],
  });
  startDaemon(stateDir, {
    name: 'scrape-targets',
    command: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'scrape-targets.ts')],
    env: {
      AEGIS_RIG_API: plane.apiServerUrl,
      AEGIS_RIG_TOKEN: plane.token,
      AEGIS_RIG_STATE: stateDir,
      NODE_EXTRA_CA_CERTS: plane.caFile,
    },
  });
  const url = `http://${listenAddress}`;
  await waitForDaemon(stateDir, prometheus, () => answersOk(`${url}/-/ready`));
  return url;
}

async function hasNodeSamples(prometheusUrl: string): Promise<boolean> {
  const query = new URLSearchParams({ query: 'count(container_memory_working_set_bytes)' });
  const response = await fetch(`${prometheusUrl}/api/v1/query?${query.toString()}`, {
    signal: AbortSignal.timeout(2_000),
  });
  const body = (await response.json()) as { readonly data?: { readonly result?: readonly unknown[] } };
  return (body.data?.result?.length ?? 0) > 0;
}
