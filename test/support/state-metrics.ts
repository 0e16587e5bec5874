import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseQuantity } from '../../tools/rig/exporter/pods.ts';
import type { RigHandle } from './rig.ts';

interface PodObject {
  readonly metadata: { readonly name: string; readonly creationTimestamp: string };
  readonly spec: {
    readonly containers: readonly {
      readonly name: string;
      readonly resources?: { readonly limits?: Readonly<Record<string, string>> };
    }[];
  };
  readonly status: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly name: string; readonly restartCount: number }[];
  };
}

const LOOK_EVERY_MS = 2_000;

/** The few series of kube-state-metrics that a backtest reads, from the pods of one namespace as they are. */
export class StateMetrics {
  readonly #cluster: RigHandle;
  readonly #namespace: string;
  readonly #server: Server;
  #page = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(cluster: RigHandle, namespace: string) {
    this.#cluster = cluster;
    this.#namespace = namespace;
    this.#server = createServer((_, response) => void response.end(this.#page));
  }

  /** Prometheus scrapes it from now on. */
  async start(): Promise<void> {
    await this.#look();
    this.#timer = setInterval(() => void this.#look().catch(() => undefined), LOOK_EVERY_MS);
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    this.#cluster.prometheus.addTarget(`state-${this.#namespace}`, `127.0.0.1:${port}`);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #look(): Promise<void> {
    const text = await this.#cluster.kubectl(['get', 'pods', '-n', this.#namespace, '-o', 'json']);
    const { items } = JSON.parse(text) as { readonly items: readonly PodObject[] };
    this.#page = `${items.flatMap((pod) => linesOf(pod, this.#namespace)).join('\n')}\n`;
  }
}

function linesOf({ metadata, spec, status }: PodObject, namespace: string): readonly string[] {
  const labels = `namespace="${namespace}",pod="${metadata.name}"`;
  const isReady = status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
  return [
    `kube_pod_created{${labels}} ${Date.parse(metadata.creationTimestamp) / 1000}`,
    `kube_pod_status_ready{${labels},condition="true"} ${isReady ? 1 : 0}`,
    ...(status.containerStatuses ?? []).map(
      ({ name, restartCount }) =>
        `kube_pod_container_status_restarts_total{${labels},container="${name}"} ${restartCount}`,
    ),
    ...spec.containers.flatMap(({ name, resources }) =>
      Object.entries(resources?.limits ?? {}).map(
        ([resource, quantity]) =>
          `kube_pod_container_resource_limits{${labels},container="${name}",resource="${resource}"} ${parseQuantity(quantity)}`,
      ),
    ),
  ];
}
