import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { rm, writeFile } from 'node:fs/promises';
import { ensureKubectl } from './binaries.ts';
import type { ClusterFacts } from './facts.ts';
import { clusterHandle, type Cluster } from './handle.ts';
import { kubectlFor } from './kubectl.ts';
import { makeStateDir } from './state-dir.ts';

const run = promisify(execFile);

export interface ExternalOptions {
  /** A context of the user's kubeconfig (KUBECONFIG or ~/.kube/config). */
  readonly context: string;
  /** A Prometheus that scrapes that cluster; nothing here can guess it. */
  readonly prometheusUrl: string;
  readonly log?: (line: string) => void;
}

export interface ExternalCluster extends Cluster {
  readonly kind: 'external';
  /** Forgets the credentials copied from the kubeconfig. The cluster itself is not touched. */
  stop(): Promise<void>;
}

interface MinifiedConfig {
  readonly clusters?: readonly { readonly cluster: { readonly server: string } }[];
}

/**
 * A cluster that somebody else runs. Nothing is started and nothing is simulated: there is no exporter, no daemon to break and
 * no sick pod on demand. Only that context goes into the run's own kubeconfig, so a later `kubectl config use-context` of the
 * user cannot turn the run towards another cluster.
 */
export async function connectContext(options: ExternalOptions): Promise<ExternalCluster> {
  const log = options.log ?? ((line: string) => process.stderr.write(`rig: ${line}\n`));
  if (options.prometheusUrl === '') throw new Error('--context needs a Prometheus: --prometheus-url or PROMETHEUS_URL');
  const kubectlPath = await ensureKubectl(log);
  const stateDir = makeStateDir();
  const kubeconfigPath = join(stateDir, 'kubeconfig');
  const stop = (): Promise<void> => rm(stateDir, { recursive: true, force: true });
  try {
    const view = ['config', 'view', '--raw', '--minify', '--flatten', '--context', options.context, '-o', 'json'];
    const { stdout } = await run(kubectlPath, view, { env: process.env });
    const server = (JSON.parse(stdout) as MinifiedConfig).clusters?.[0]?.cluster.server;
    if (server === undefined) throw new Error(`context ${options.context} names no cluster`);
    await writeFile(kubeconfigPath, stdout, { mode: 0o600 });
    const kubectl = kubectlFor(kubectlPath, { kubeconfigPath });
    await kubectl(['get', '--raw', '/readyz'], { timeoutMs: 15_000 });
    const facts: ClusterFacts & { readonly kind: 'external' } = {
      ...{ kind: 'external', kubeconfigPath, stateDir, kubectlPath },
      ...{ apiServerUrl: server, prometheusUrl: options.prometheusUrl },
    };
    return { ...clusterHandle(facts, kubectl), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Creates a kind cluster where Docker answers; returns its context for connectContext. `kind delete cluster` ends it. */
export async function createKindCluster(name: string): Promise<string> {
  await run('docker', ['info'], { timeout: 20_000 }).catch(() => {
    throw new Error('kind needs a running Docker: `docker info` failed');
  });
  await new Promise<void>((resolve, reject) => {
    const child = spawn('kind', ['create', 'cluster', '--name', name, '--wait', '120s'], { stdio: 'inherit' });
    child.on('error', () => reject(new Error('kind is not installed')));
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`kind ended with ${code}`))));
  });
  return `kind-${name}`;
}
