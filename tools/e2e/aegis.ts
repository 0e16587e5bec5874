import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureHelm } from '../rig/binaries.ts';
import type { Cluster } from '../rig/handle.ts';
import { AEGIS_IMAGE } from './images.ts';
import { SINK } from './manifests.ts';

const run = promisify(execFile);
const CHART = join(import.meta.dirname, '../../charts/aegis');

/** Namespace of the release. */
export const SYSTEM = 'aegis-system';

/** Installs Aegis by its chart with the image that was built, and waits until its pod is ready. */
export async function installAegis(cluster: Cluster, alertsUrl: string): Promise<void> {
  const helm = await ensureHelm(() => undefined);
  const sinks = [{ name: SINK, type: 'Alertmanager', url: alertsUrl }];
  const values: Readonly<Record<string, unknown>> = {
    image: { ...AEGIS_IMAGE, pullPolicy: 'Never' },
    // The node has no volumes.
    persistence: { enabled: false },
    // cAdvisor's samples come every 2 to 4 seconds, with its own time.
    prometheus: { url: cluster.prometheusUrl, scrapeIntervalSeconds: 5 },
    sinks,
  };
  const sets = Object.entries(values).flatMap(([name, value]) => ['--set-json', `${name}=${JSON.stringify(value)}`]);
  await cluster.kubectl(['create', 'namespace', SYSTEM]);
  await cluster.kubectl(['label', 'namespace', SYSTEM, 'pod-security.kubernetes.io/enforce=restricted']);
  const args = ['install', 'aegis', CHART, '-n', SYSTEM, '--wait', '--timeout', '120s', ...sets];
  const env = { PATH: process.env['PATH'] ?? '', HOME: cluster.stateDir, KUBECONFIG: cluster.kubeconfigPath };
  await run(helm, args, { env, timeout: 180_000, maxBuffer: 16 << 20 }).catch(async (error: unknown) => {
    throw new Error(`${String(error)}\n${await aegisLog(cluster)}`);
  });
}

/** The end of Aegis's log; also of the container before it, where there was one. */
export async function aegisLog(cluster: Cluster): Promise<string> {
  const logs = ['logs', '-n', SYSTEM, 'deployment/aegis', '--tail=100000'];
  const describe = ['describe', 'pods', '-n', SYSTEM];
  return cluster.kubectl(logs).catch(() => cluster.kubectl(describe).catch(String));
}
