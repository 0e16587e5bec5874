import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Binaries } from './binaries.ts';
import type { ControlPlane } from './control-plane.ts';
import { startDaemon, type DaemonRecord } from './processes.ts';

const STAGES = ['node.yaml', 'pod.yaml', 'faults.yaml'];

/** What `kubectl logs` and `kubectl logs --previous` show for every simulated pod until a test writes something else. */
const POD_LOG = ['listening on :8080', 'connected to the database', 'ready'];
const PREVIOUS_LOG = ['listening on :8080', 'fatal: cannot go on'];

/** Replaces the log of all simulated pods, or that of their container before its restart. */
export function writePodLog(
  stateDir: string,
  lines: readonly string[],
  which: 'current' | 'previous' = 'current',
): void {
  const now = new Date().toISOString(); // the container runtime's line format: time, stream, F for a full line
  writeFileSync(podLogPath(stateDir, which), lines.map((line) => `${now} stdout F ${line}\n`).join(''));
}

/** What they show when the rig starts. */
export function resetPodLogs(stateDir: string): void {
  writePodLog(stateDir, POD_LOG);
  writePodLog(stateDir, PREVIOUS_LOG, 'previous');
}

const podLogPath = (stateDir: string, which: string): string => join(stateDir, `pod-${which}.log`);

/**
 * Starts kwok, which plays the kubelet of every node that carries its annotation. The stages stand in its configuration
 * file, not in custom resources: nothing has to be applied first, and tests see only their own CRDs.
 */
export function startKwok(stateDir: string, bin: Binaries, plane: ControlPlane, port: number): DaemonRecord {
  resetPodLogs(stateDir);
  const logs = { logsFile: podLogPath(stateDir, 'current'), previousLogsFile: podLogPath(stateDir, 'previous') };
  const documents = [
    JSON.stringify(configuration(plane, port)),
    JSON.stringify({
      apiVersion: 'kwok.x-k8s.io/v1alpha1',
      kind: 'ClusterLogs',
      metadata: { name: 'all-pods' },
      spec: { logs: [logs] },
    }),
    ...STAGES.map((file) => readFileSync(join(import.meta.dirname, 'stages', file), 'utf8')),
  ];
  const config = join(stateDir, 'kwok.yaml');
  writeFileSync(config, documents.join('\n---\n'), { mode: 0o600 });
  return startDaemon(stateDir, {
    name: 'kwok',
    command: bin.kwok,
    args: ['--kubeconfig', plane.kubeconfigPath, '--config', config],
  });
}

function configuration(plane: ControlPlane, port: number): object {
  return {
    apiVersion: 'config.kwok.x-k8s.io/v1alpha1',
    kind: 'KwokConfiguration',
    options: {
      manageNodesWithAnnotationSelector: 'kwok.x-k8s.io/node=fake',
      cidr: '10.200.0.1/16',
      nodeIP: '127.0.0.1',
      nodePort: port,
      enableDebuggingHandlers: true, // without it there is no `kubectl logs`
      serverAddress: `127.0.0.1:${port}`,
      // The API server speaks TLS to a kubelet and checks no name: its own certificate serves here too.
      tlsCertFile: plane.caFile,
      tlsPrivateKeyFile: plane.keyFile,
      // Unset, these parallelisms are zero and nothing runs.
      nodePlayStageParallelism: 4,
      podPlayStageParallelism: 16,
      nodeLeaseParallelism: 4,
      podsOnNodeSyncParallelism: 4,
      nodeLeaseDurationSeconds: 40,
    },
  };
}

/** A simulated node with room for a thousand pods and no taint: manifests run on it as they are. */
export function nodeManifest(name: string, zone: string): object {
  const resources = { cpu: '64', memory: '256Gi', 'ephemeral-storage': '1Ti', pods: '1000' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      annotations: { 'kwok.x-k8s.io/node': 'fake' },
      labels: {
        type: 'kwok',
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'topology.kubernetes.io/zone': zone,
      },
    },
    status: { allocatable: resources, capacity: resources },
  };
}
