import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startOperator, type OperatorProcess } from '../../tools/demo/operator-process.ts';
import { freePorts } from '../../tools/rig/ports.ts';
import { CHART, helm, PROMETHEUS } from './helm.ts';
import type { RigHandle } from './rig.ts';

export interface Installation {
  /** Path of helm. */
  readonly helmBinary: string;
  /** Namespace of the chart, which is made for it. */
  readonly system: string;
  /** Further values, as `--set` takes them. */
  readonly values?: readonly string[];
  /** Further settings of the process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The whole operator, as a child process with the rights of the chart's own service account and no others. */
export interface InstalledOperator {
  /** Starts it, also anew after it has ended; resolves once it answers. */
  start(): Promise<OperatorProcess>;
  /** Stops it, and takes away the chart and these namespaces. */
  remove(...namespaces: readonly string[]): Promise<void>;
}

/** Installs the chart. Its own pods cannot run here: the operator runs beside the cluster, with their service account. */
export async function installOperator(cluster: RigHandle, installation: Installation): Promise<InstalledOperator> {
  const { helmBinary, system, values = [], env } = installation;
  const stateDir = mkdtempSync(join(tmpdir(), `${system}-`));
  const [port = 0] = await freePorts(1);
  await cluster.kubectl(['create', 'namespace', system]);
  const sets = ['persistence.enabled=false', PROMETHEUS, ...values].flatMap((value) => ['--set', value]);
  const install = ['upgrade', '--install', 'aegis', CHART, '-n', system, '--take-ownership', '--force-conflicts'];
  await helm(helmBinary, [...install, ...sets], cluster.kubeconfigPath);
  await cluster.kubectl(['scale', 'deployment', '--all', '--replicas=0', '-n', system]);
  const kubeconfigPath = await cluster.serviceAccountKubeconfig(system, 'aegis');
  let operator: OperatorProcess | undefined;
  return {
    async start() {
      operator = startOperator({
        ...{ kubeconfigPath, stateDir, port, prometheusUrl: cluster.prometheusUrl, rigStateDir: cluster.stateDir },
        env: { LEASE_NAMESPACE: system, ...env },
      });
      await operator.ready();
      return operator;
    },
    async remove(...namespaces) {
      await operator?.stop();
      await helm(helmBinary, ['uninstall', 'aegis', '-n', system, '--ignore-not-found'], cluster.kubeconfigPath);
      await cluster.kubectl(['delete', 'namespace', system, ...namespaces, '--wait=false']);
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}
