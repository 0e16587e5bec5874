/**
 * A whole simulated Kubernetes in a temporary folder:
 *
 *   etcd <- kube-apiserver <- controller-manager, scheduler, kwok (nodes and pods)
 *                    ^------- fake exporter (pods that exist -> their metrics) <- Prometheus
 *
 * All ports are chosen at run time, so rigs run side by side. Nothing survives the process that started it (reaper.ts).
 */
import { join } from 'node:path';
import { ensureBinaries, type Binaries } from './binaries.ts';
import { startApiServer, startControllers, type ControlPlane } from './control-plane.ts';
import { answersOk } from './daemon-handle.ts';
import type { RigFacts } from './facts.ts';
import { connectRig, type RigHandle } from './handle.ts';
import { startKwok } from './kwok.ts';
import { freePorts } from './ports.ts';
import { endRig, startDaemon, type DaemonRecord } from './processes.ts';
import { startPrometheus } from './prometheus.ts';
import { startReaper } from './start-reaper.ts';
import { makeStateDir, writeFacts } from './state-dir.ts';
import { waitForDaemon } from './wait.ts';

/** In the rig's folder, with `audit`. */
export const AUDIT_FILE = 'audit.log';

export interface RigOptions {
  /** Simulated nodes at the start; 3 when not given. */
  readonly nodes?: number;
  /** 1 when not given: tests must not wait for metrics. */
  readonly scrapeIntervalSeconds?: number;
  /** The API server writes each write of a service account to `audit.log` of the rig's folder, one JSON object a line. */
  readonly audit?: boolean;
  /** Leaves the rig running when this process ends; `npm run rig -- down` ends it. */
  readonly keep?: boolean;
  /** Progress lines; standard error when not given. */
  readonly log?: (line: string) => void;
}

/** A rig that this process started. */
export interface Rig extends RigHandle {
  /** Ends every process of the rig and removes its folder. Safe to call twice. */
  stop(): Promise<void>;
}

export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const log = options.log ?? ((line: string) => process.stderr.write(`rig: ${line}\n`));
  const bin = await ensureBinaries(log);
  const stateDir = makeStateDir();
  const reaper = startReaper(stateDir);
  const stop = async (): Promise<void> => {
    await endRig(stateDir);
    reaper.stdin?.destroy(); // it finds no folder and ends
  };
  try {
    const facts = await startAll(stateDir, bin, { options, reaperPid: reaper.pid ?? 0 });
    writeFacts(facts);
    const rig = connectRig(facts);
    await rig.addNodes(options.nodes ?? 3);
    if (options.keep === true) reaper.stdin?.end('keep');
    return { ...rig, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startAll(
  stateDir: string,
  bin: Binaries,
  { options, reaperPid }: { readonly options: RigOptions; readonly reaperPid: number },
): Promise<RigFacts> {
  const ports = await freePorts(6);
  const [etcd = 0, etcdPeer = 0, apiServer = 0, kwok = 0, exporterPort = 0, prometheusPort = 0] = ports;
  // Prometheus needs nothing of the cluster: it starts while the API server does.
  const scrapeIntervalSeconds = options.scrapeIntervalSeconds ?? 1;
  const prometheus = startPrometheus(stateDir, {
    ...{ command: bin.prometheus, port: prometheusPort, exporterPort, scrapeIntervalSeconds },
  });
  const audit = options.audit === true ? { auditFile: join(stateDir, AUDIT_FILE) } : {};
  const plane = await startApiServer(stateDir, bin, { etcd, etcdPeer, apiServer, ...audit });
  startControllers(stateDir, bin, plane);
  startKwok(stateDir, bin, plane, kwok);
  const exporter = startExporter(stateDir, plane, exporterPort);
  const exporterUrl = `http://127.0.0.1:${exporterPort}`;
  const prometheusUrl = `http://127.0.0.1:${prometheusPort}`;
  await Promise.all([
    waitForDaemon(stateDir, exporter, () => answersOk(`${exporterUrl}/metrics`)),
    waitForDaemon(stateDir, prometheus, () => answersOk(`${prometheusUrl}/-/ready`)),
  ]);
  return {
    ...{ kind: 'rig', stateDir, exporterUrl, prometheusUrl, kubectlPath: bin.kubectl },
    ...{
      kubeconfigPath: plane.kubeconfigPath,
      apiServerUrl: plane.apiServerUrl,
      caFile: plane.caFile,
      token: plane.token,
    },
    ...{ ownerPid: process.pid, reaperPid, isKept: options.keep === true },
  };
}

function startExporter(stateDir: string, plane: ControlPlane, port: number): DaemonRecord {
  return startDaemon(stateDir, {
    name: 'exporter',
    command: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'exporter', 'main.ts')],
    env: {
      AEGIS_RIG_API: plane.apiServerUrl,
      AEGIS_RIG_TOKEN: plane.token,
      AEGIS_RIG_PORT: String(port),
      NODE_EXTRA_CA_CERTS: plane.caFile,
    },
  });
}
