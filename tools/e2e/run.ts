/**
 * One run, with Aegis or without: the isolated program that `main.ts` starts. Argument: `RunOptions` as JSON.
 * Writes a `RunRecord` to `recordFile`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endWithOwner } from '../real-rig/isolation.ts';
import { NODE_ADDRESS } from '../real-rig/network.ts';
import { startRealRig } from '../real-rig/real-rig.ts';
import { freePorts } from '../rig/ports.ts';
import { aegisLog, installAegis } from './aegis.ts';
import { AlertReceiver } from './alerts.ts';
import { CHAPTERS } from './chapters.ts';
import { policyManifests } from './manifests.ts';
import type { FaultName, RunRecord } from './record.ts';
import { pause, Stage } from './stage.ts';
import { WORKLOADS } from './workloads.ts';

export interface RunOptions {
  readonly stateDir: string;
  readonly imageArchives: readonly string[];
  readonly withAegis: boolean;
  readonly faults: readonly FaultName[];
  readonly recordFile: string;
  /** Stays up afterwards until the owner ends it, and says where everything is. */
  readonly keep: boolean;
}

/** Traffic before Aegis comes. */
const WARM_UP_MS = 60_000;
/**
 * How long it then watches a shop in which nothing happens. Two models of different age must agree before it acts; at a poll each
 * 5 seconds the older one speaks after 120 samples, ten minutes.
 */
const WATCH_MS = 645_000;
const LEARN_LIMIT_MS = 120_000;
const BETWEEN_MS = 30_000;

const started = Date.now();
const say = (line: string): void =>
  void process.stdout.write(`${String(Math.round((Date.now() - started) / 1000)).padStart(5)} s  ${line}\n`);

async function play(options: RunOptions): Promise<void> {
  const { withAegis, stateDir } = options;
  const cluster = await startRealRig({ ...options, log: say });
  say('node ready');
  const [alertPort = 0] = await freePorts(1);
  const alerts = new AlertReceiver();
  await alerts.listen(NODE_ADDRESS, alertPort);
  const stage = await Stage.open(cluster, { withAegis, alerts, say });
  say(`${WORKLOADS.length} workloads ready, traffic flows`);
  try {
    if (withAegis) await prepareAegis(stage, `http://${NODE_ADDRESS}:${alertPort}`);
    else await pause(BETWEEN_MS);
    for (const fault of options.faults) {
      await CHAPTERS[fault](stage);
      await pause(BETWEEN_MS);
    }
    writeFileSync(options.recordFile, JSON.stringify(await record(stage)));
  } finally {
    if (withAegis) writeFileSync(join(stateDir, 'aegis.log'), await aegisLog(cluster));
  }
  if (options.keep) await untilEnded(stage);
  await stage.close();
}

async function prepareAegis(stage: Stage, alertsUrl: string): Promise<void> {
  await pause(WARM_UP_MS);
  await installAegis(stage.cluster, alertsUrl);
  await stage.cluster.kubectl(['apply', '-f', '-'], { stdin: policyManifests() });
  say('Aegis is installed, one policy for each workload');
  await pause(WATCH_MS);
  const isLearned = await stage.until('learning', LEARN_LIMIT_MS, async () => {
    const seen = await stage.seen();
    return WORKLOADS.every(({ name }) => seen?.learned[name] === true);
  });
  if (isLearned) say('Aegis knows what is normal');
}

async function record(stage: Stage): Promise<RunRecord> {
  const { withAegis, chapters, watch, load, rollback, leakPeakShare } = stage;
  return {
    ...{ withAegis, chapters, seconds: load.seconds, pods: watch.pods, replicas: watch.replicas },
    ...{ actions: (await stage.seen())?.actions ?? [], alerts: stage.alerts.all() },
    ...(rollback !== undefined && { rollback }),
    ...(leakPeakShare !== undefined && { leakPeakShare }),
  };
}

async function untilEnded({ cluster }: Stage): Promise<void> {
  say(`export KUBECONFIG=${cluster.kubeconfigPath}; Prometheus ${cluster.prometheusUrl}`);
  say('enter with: nsenter -t $(pgrep -f e2e/run.ts -n) -n -m -p; Ctrl-C ends it');
  await new Promise((resolve) => setTimeout(resolve, 2 ** 31 - 1));
}

endWithOwner();
try {
  await play(JSON.parse(process.argv[2] ?? '{}') as RunOptions);
  process.exit(0);
} catch (error) {
  process.stderr.write(`e2e: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
}
