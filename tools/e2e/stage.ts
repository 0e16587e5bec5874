import { observe, type Seen } from '../demo/observer.ts';
import type { Cluster } from '../rig/handle.ts';
import { waitUntil } from '../rig/wait.ts';
import type { AlertReceiver } from './alerts.ts';
import { Load } from './load/load.ts';
import { workloadManifests } from './manifests.ts';
import type { Chapter, Rollback } from './record.ts';
import { Watch } from './watch.ts';
import { NAMESPACE, WORKLOADS } from './workloads.ts';

const READY_LIMIT_MS = 180_000;

const TRAFFIC_LIMIT_MS = 60_000;

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The cluster with its sample workloads, their traffic, and what is seen of them. */
export class Stage {
  readonly cluster: Cluster;
  readonly load: Load;
  readonly watch: Watch;
  readonly alerts: AlertReceiver;
  readonly withAegis: boolean;
  readonly chapters: Chapter[] = [];
  readonly say: (line: string) => void;
  rollback: Rollback | undefined;
  leakPeakShare: number | undefined;

  private constructor(parts: Pick<Stage, 'cluster' | 'load' | 'watch' | 'alerts' | 'withAegis' | 'say'>) {
    ({
      cluster: this.cluster,
      load: this.load,
      watch: this.watch,
      alerts: this.alerts,
      withAegis: this.withAegis,
      say: this.say,
    } = parts);
  }

  /** Workloads ready, traffic flowing. */
  static async open(
    cluster: Cluster,
    options: { readonly withAegis: boolean; readonly alerts: AlertReceiver; readonly say: (line: string) => void },
  ): Promise<Stage> {
    const { kubectl } = cluster;
    await kubectl(['apply', '-f', '-'], { stdin: workloadManifests() });
    const watch = new Watch(kubectl);
    await waitUntil('all workloads ready', READY_LIMIT_MS, async () => {
      await watch.look();
      return WORKLOADS.every(({ name, replicas }) => watch.latest(name)?.ready === replicas);
    });
    watch.start();
    const load = new Load(await addresses(cluster));
    load.start(WORKLOADS);
    await waitUntil('traffic that is answered', TRAFFIC_LIMIT_MS, () => isAnswered(load));
    return new Stage({ cluster, load, watch, ...options });
  }

  /** What Aegis says of itself; nothing where it is not installed. */
  async seen(): Promise<Seen | undefined> {
    return this.withAegis ? observe(this.cluster.kubectl, NAMESPACE) : undefined;
  }

  /** Waits until `isDone` or the limit; true if it is done. */
  async until(what: string, limitMs: number, isDone: () => boolean | Promise<boolean>): Promise<boolean> {
    const deadline = Date.now() + limitMs;
    while (Date.now() < deadline) {
      if (await isDone()) return true;
      await pause(1_000);
    }
    this.say(`${what}: not within ${Math.round(limitMs / 1000)} s`);
    return false;
  }

  async close(): Promise<void> {
    await this.load.stop();
    await this.watch.stop();
  }
}

/** The services' cluster addresses, by workload. */
async function addresses({ kubectl }: Cluster): Promise<ReadonlyMap<string, string>> {
  const text = await kubectl(['get', 'services', '-n', NAMESPACE, '-o', 'json']);
  const { items } = JSON.parse(text) as {
    readonly items: readonly {
      readonly metadata: { readonly name: string };
      readonly spec: { readonly clusterIP: string };
    }[];
  };
  return new Map(items.map(({ metadata, spec }) => [metadata.name, `http://${spec.clusterIP}/`]));
}

/** Has each workload had a second in which everything was answered? */
function isAnswered({ seconds }: Load): boolean {
  return WORKLOADS.every(({ name }) => seconds.some((each) => each.workload === name && each.failed === 0));
}
