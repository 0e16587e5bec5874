import type { Kubectl } from '../rig/kubectl.ts';
import type { PodRecord, ReplicaRecord } from './record.ts';
import { NAMESPACE } from './workloads.ts';

const EVERY_MS = 2_000;

interface ContainerStatus {
  readonly restartCount: number;
  readonly state?: { readonly terminated?: Terminated };
  readonly lastState?: { readonly terminated?: Terminated };
}

interface Terminated {
  readonly reason?: string;
  readonly finishedAt?: string;
}

interface Item {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly replicas?: number };
  readonly status: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly readyReplicas?: number;
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

/** A pod that runs and does not leave. */
export interface LivePod {
  readonly name: string;
  readonly uid: string;
  readonly ip: string;
}

/** Follows the pods and replicas of the namespace with kubectl, as a user would, and remembers those that went. */
export class Watch {
  readonly #kubectl: Kubectl;
  readonly #pods = new Map<string, PodRecord>();
  readonly #replicas: ReplicaRecord[] = [];
  #live: readonly (LivePod & { readonly workload: string })[] = [];
  #isStopped = false;
  #running: Promise<void> | undefined;

  constructor(kubectl: Kubectl) {
    this.#kubectl = kubectl;
  }

  get pods(): readonly PodRecord[] {
    return [...this.#pods.values()];
  }

  get replicas(): readonly ReplicaRecord[] {
    return this.#replicas;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  live(workload: string): readonly LivePod[] {
    return this.#live.filter((pod) => pod.workload === workload);
  }

  latest(workload: string): ReplicaRecord | undefined {
    return this.#replicas.findLast((each) => each.workload === workload);
  }

  async look(): Promise<void> {
    const text = await this.#kubectl(['get', 'pods,deployments', '-n', NAMESPACE, '-o', 'json']);
    const { items } = JSON.parse(text) as { readonly items: readonly Item[] };
    const nowMs = Date.now();
    const pods = items.filter(({ kind }) => kind === 'Pod');
    for (const pod of pods) this.#seePod(pod, nowMs);
    for (const item of items) if (item.kind === 'Deployment') this.#seeReplicas(item, nowMs);
    this.#live = pods.flatMap(({ metadata, status }) => {
      if (metadata.deletionTimestamp !== undefined || status.phase !== 'Running' || !status.podIP) return [];
      const { name, uid, labels } = metadata;
      return [{ name, uid, ip: status.podIP, workload: labels?.['app'] ?? '' }];
    });
    // One that is gone between two looks was leaving at the latest now.
    const present = new Set(pods.map(({ metadata }) => metadata.uid));
    for (const [uid, pod] of this.#pods) {
      if (!present.has(uid) && pod.leavingMs === undefined) this.#pods.set(uid, { ...pod, leavingMs: nowMs });
    }
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      await this.look().catch((error: unknown) => void process.stderr.write(`watch: ${String(error)}\n`));
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  }

  #seePod({ metadata, status }: Item, nowMs: number): void {
    const { uid, name, labels, deletionTimestamp } = metadata;
    const before = this.#pods.get(uid);
    const containers = status.containerStatuses ?? [];
    const ends = containers.flatMap(({ state, lastState }) => [state?.terminated, lastState?.terminated]);
    const killed = ends.find((end) => end?.reason === 'OOMKilled');
    const oomKilledMs = killed === undefined ? before?.oomKilledMs : Date.parse(killed.finishedAt ?? '');
    const leavingMs = before?.leavingMs ?? (deletionTimestamp === undefined ? undefined : nowMs);
    this.#pods.set(uid, {
      ...{ uid, name, workload: labels?.['app'] ?? '', firstSeenMs: before?.firstSeenMs ?? nowMs },
      restarts: containers.reduce((sum, { restartCount }) => sum + restartCount, 0),
      ...(oomKilledMs !== undefined && { oomKilledMs }),
      ...(leavingMs !== undefined && { leavingMs }),
    });
  }

  #seeReplicas({ metadata, spec, status }: Item, atMs: number): void {
    const record = { workload: metadata.name, desired: spec.replicas ?? 0, ready: status.readyReplicas ?? 0 };
    const last = this.latest(metadata.name);
    if (last?.desired !== record.desired || last.ready !== record.ready) this.#replicas.push({ ...record, atMs });
  }
}
