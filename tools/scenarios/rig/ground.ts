import { join } from 'node:path';
import { CachedClusterReader } from '../../../src/kubernetes/cluster-reader.ts';
import { createClient, type KubeClient } from '../../../src/kubernetes/client.ts';
import { systemClock } from '../../../src/system-clock.ts';
import { helmPath } from '../../../test/support/helm.ts';
import { definition } from '../../../test/support/manifests.ts';
import { recordedLog, recordedMetrics } from '../../../test/support/recorders.ts';
import { applyDefinitions } from '../../rig/definitions.ts';
import { untilEstablished } from '../../rig/established.ts';
import { AUDIT_FILE, startRig, type Rig } from '../../rig/rig.ts';
import { waitUntil } from '../../rig/wait.ts';
import { StandIns } from './stand-ins.ts';

const CRDS = join(import.meta.dirname, '..', '..', '..', 'crds');

/** Their projects ship no definitions that are small enough to fetch. */
const WITH_STATUS = { subresources: { status: {} } };

/** The rig, and what all scenarios of a run share on it. */
export interface Ground {
  readonly rig: Rig;
  readonly helmBinary: string;
  /** The administrator's. */
  readonly client: KubeClient;
  /** All workloads and pods as they are now. */
  readonly reader: CachedClusterReader;
  readonly standIns: StandIns;
  readonly auditFile: string;
  close(): Promise<void>;
}

/** Starts the rig with every kind that scenarios may speak of. */
export async function openGround(log: (line: string) => void): Promise<Ground> {
  const helmBinary = await helmPath();
  if (helmBinary === undefined)
    throw new Error('helm can neither be found nor built: npm run rig -- build --helm says why');
  const rig = await startRig({ audit: true, log });
  const standIns = new StandIns();
  let reader: CachedClusterReader | undefined;
  const close = async (): Promise<void> => {
    await reader?.stop();
    standIns.close();
    await rig.stop();
  };
  try {
    await standIns.listen();
    rig.prometheus.addTarget('scenarios', `127.0.0.1:${standIns.port}`);
    await rig.kubectl(['apply', '--server-side', '--force-conflicts', '-f', CRDS]);
    await applyDefinitions(rig.kubectl, ['gatewayApi', 'envoyGateway', 'istio'], log);
    const items = [
      definition({ group: 'cert-manager.io', version: 'v1', plural: 'certificates', kind: 'Certificate' }, WITH_STATUS),
      definition(
        { group: 'external-secrets.io', version: 'v1', plural: 'externalsecrets', kind: 'ExternalSecret' },
        WITH_STATUS,
      ),
    ];
    await rig.kubectl(['apply', '-f', '-'], { stdin: { apiVersion: 'v1', kind: 'List', items } });
    await untilEstablished(rig.kubectl);
    const made = await createClient({
      access: { kind: 'kubeconfig', path: rig.kubeconfigPath },
      ...{ clock: systemClock, log: recordedLog() },
    });
    if (!made.ok) throw new Error(made.error);
    const client = made.value;
    const watch = { log: recordedLog(), metrics: recordedMetrics(), random: () => 0.5 };
    const cached = new CachedClusterReader({ client, clock: systemClock, ...watch });
    reader = cached;
    cached.start();
    await waitUntil('the caches', 60_000, () => cached.synced());
    return { rig, helmBinary, client, reader: cached, standIns, auditFile: join(rig.stateDir, AUDIT_FILE), close };
  } catch (error) {
    await close();
    throw error;
  }
}
