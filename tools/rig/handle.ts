import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { isApiServerReady } from './api-server-ready.ts';
import { answersOk, daemonHandle, type DaemonHandle } from './daemon-handle.ts';
import { exporterClient, type ExporterClient } from './exporter/client.ts';
import type { ClusterFacts, RigFacts } from './facts.ts';
import { kubectlFor, type Kubectl } from './kubectl.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { nodeManifest, resetPodLogs, writePodLog } from './kwok.ts';
import { addScrapeTarget } from './prometheus.ts';
import { waitUntil } from './wait.ts';

/** Any cluster that tests or the demo can use. */
export interface Cluster extends ClusterFacts {
  readonly kubectl: Kubectl;
  /** Creates a namespace with a random suffix and returns its name once pods may be made in it. */
  freshNamespace(prefix?: string): Promise<string>;
  /** A kubeconfig that holds only a token of this service account: the operator runs with its own RBAC, not ours. */
  serviceAccountKubeconfig(namespace: string, name: string): Promise<string>;
}

/** The daemons that a test may stop, start, kill and pause. */
type Breakable = 'prometheus' | 'kube-apiserver' | 'etcd' | 'kwok' | 'exporter' | 'kube-controller-manager';

/** A running rig, seen from any process that has its facts. */
export interface RigHandle extends Cluster, RigFacts {
  readonly kind: 'rig';
  /** Steers what the simulated pods' metrics show. */
  readonly metrics: ExporterClient;
  readonly prometheus: DaemonHandle & { addTarget(name: string, hostAndPort: string): void };
  readonly apiServer: DaemonHandle;
  daemon(name: Breakable): DaemonHandle;
  /** Replaces what `kubectl logs` (or `--previous`) shows, for all simulated pods alike. */
  writePodLog(lines: readonly string[], which?: 'current' | 'previous'): void;
  /** Every test shares the rig: whoever wrote a log puts back what stood there. */
  resetPodLogs(): void;
  /** Adds simulated nodes and waits until they are Ready. */
  addNodes(count: number): Promise<void>;
}

export function clusterHandle<F extends ClusterFacts>(facts: F, kubectl: Kubectl): F & Cluster {
  return {
    ...facts,
    kubectl,
    async freshNamespace(prefix = 'test') {
      const name = `${prefix}-${randomBytes(3).toString('hex')}`;
      await kubectl(['create', 'namespace', name]);
      await waitUntil(`service account of ${name}`, 20_000, async () => {
        await kubectl(['get', 'serviceaccount', 'default', '-n', name]);
        return true;
      });
      return name;
    },
    async serviceAccountKubeconfig(namespace, name) {
      const token = await kubectl(['create', 'token', name, '-n', namespace, '--duration', '24h']);
      const path = join(facts.stateDir, `kubeconfig-${namespace}-${name}`);
      const admin = JSON.parse(await kubectl(['config', 'view', '--raw', '-o', 'json'])) as AdminConfig;
      const [cluster] = admin.clusters;
      if (cluster === undefined) throw new Error('the kubeconfig names no cluster');
      writeKubeconfig(path, { cluster: cluster.cluster, user: `${namespace}-${name}`, token: token.trim(), namespace });
      return path;
    },
  };
}

interface AdminConfig {
  readonly clusters: readonly { readonly cluster: Readonly<Record<string, unknown>> }[];
}

export function connectRig(facts: RigFacts): RigHandle {
  const { stateDir } = facts;
  const kubectl = kubectlFor(facts.kubectlPath, { kubeconfigPath: facts.kubeconfigPath, home: stateDir });
  const probes: Readonly<Record<Breakable, () => Promise<boolean>>> = {
    prometheus: () => answersOk(`${facts.prometheusUrl}/-/ready`),
    'kube-apiserver': () => isApiServerReady(facts.apiServerUrl, facts.caFile, facts.token),
    exporter: () => answersOk(`${facts.exporterUrl}/metrics`),
    // These answer nobody; whoever waits for them waits for their work.
    etcd: () => Promise.resolve(true),
    kwok: () => Promise.resolve(true),
    'kube-controller-manager': () => Promise.resolve(true),
  };
  const daemon = (name: Breakable): DaemonHandle => daemonHandle(stateDir, name, probes[name]);
  return {
    ...clusterHandle(facts, kubectl),
    metrics: exporterClient(facts.exporterUrl),
    prometheus: {
      ...daemon('prometheus'),
      addTarget: (name, hostAndPort) => addScrapeTarget(stateDir, name, hostAndPort),
    },
    apiServer: daemon('kube-apiserver'),
    daemon,
    writePodLog: (lines, which) => writePodLog(stateDir, lines, which),
    resetPodLogs: () => resetPodLogs(stateDir),
    addNodes: (count) => addNodes(kubectl, count),
  };
}

async function addNodes(kubectl: Kubectl, count: number): Promise<void> {
  const existing = (await kubectl(['get', 'nodes', '-o', 'name'])).split('\n').filter((line) => line !== '').length;
  const numbers = Array.from({ length: count }, (_, i) => existing + i + 1);
  const names = numbers.map((n) => `node-${String(n).padStart(3, '0')}`);
  const items = names.map((name, i) => nodeManifest(name, `zone-${'abc'[i % 3] ?? 'a'}`));
  await kubectl(['create', '-f', '-'], { stdin: { apiVersion: 'v1', kind: 'List', items } });
  const wait = ['wait', '--for=condition=Ready', '--timeout=60s', ...names.map((name) => `node/${name}`)];
  await kubectl(wait, { timeoutMs: 70_000 });
}
