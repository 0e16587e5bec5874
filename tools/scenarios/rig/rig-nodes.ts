import { list } from '../../../src/kubernetes/json.ts';
import { RESOURCES } from '../../../src/kubernetes/resources.ts';
import { nodeManifest } from '../../rig/kwok.ts';
import type { Rig } from '../../rig/rig.ts';
import type { Scenario } from '../schema.ts';
import type { Administrator } from './administrator.ts';
import { FROZEN } from './rig-pods.ts';

/** What belongs to the cluster as a whole, in a scenario that is played alone: its nodes, and the pods of DNS. */
export class RigNodes {
  readonly #rig: Rig;
  readonly #administrator: Administrator;
  readonly #scenario: Scenario;
  readonly #id: string;
  #dnsPods: readonly string[] = [];

  constructor(rig: Rig, administrator: Administrator, scenario: Scenario, id: string) {
    this.#rig = rig;
    this.#administrator = administrator;
    this.#scenario = scenario;
    this.#id = id;
  }

  /** The node that all pods of the scenario run on. */
  get first(): string {
    return this.real(this.#nodeNames()[0] ?? 'node-a');
  }

  async edit(name: string, set: Readonly<Record<string, unknown>>, nowMs: number): Promise<void> {
    const target = { resource: RESOURCES.nodes, name: this.real(name) };
    await this.#administrator.patch(target, { metadata: { labels: FROZEN.metadata.labels } });
    if (set['unschedulable'] !== undefined)
      await this.#administrator.patch(target, { spec: { unschedulable: set['unschedulable'] } });
    const lastTransitionTime = new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
    const pressures = list(set['pressures']).map(String);
    const conditions = ['MemoryPressure', 'DiskPressure', 'PIDPressure'].map((type) => ({
      ...{ type, status: pressures.includes(type) ? 'True' : 'False', reason: 'Scenario', message: '' },
      ...{ lastTransitionTime, lastHeartbeatTime: lastTransitionTime },
    }));
    const ready = { ...conditions[0], type: 'Ready', status: set['ready'] ?? 'True' };
    await this.#administrator.patch(target, { status: { conditions: [...conditions, ready] } }, 'status');
  }

  /** Pods where a cluster's DNS runs, so many of them ready. */
  async setDns(ready: number, total: number): Promise<void> {
    const labels = { 'k8s-app': 'kube-dns' };
    const pods = Array.from({ length: total }, (_, i) => ({
      ...{ apiVersion: 'v1', kind: 'Pod' },
      metadata: {
        ...{ name: `dns-${this.#id}-${i}`, namespace: 'kube-system' },
        labels: { ...labels, ...(i >= ready && { 'aegis.test/never-ready': 'true' }) },
      },
      spec: { nodeSelector: { type: 'kwok' }, containers: [{ name: 'dns', image: 'example.invalid/dns:1' }] },
    }));
    await this.#administrator.apply(...pods);
    this.#dnsPods = pods.map(({ metadata }) => metadata.name);
  }

  #nodeNames(): readonly string[] {
    const { nodes } = this.#scenario.cluster;
    return nodes.length === 0 ? ['node-a'] : nodes.map(({ name }) => (typeof name === 'string' ? name : 'node-a'));
  }

  real(name: string): string {
    return `${name}-${this.#id}`;
  }

  async make(): Promise<void> {
    const names = this.#nodeNames().map((name) => this.real(name));
    await this.#administrator.apply(...names.map((name) => nodeManifest(name, 'zone-a')));
    const wait = ['wait', '--for=condition=Ready', '--timeout=30s', ...names.map((name) => `node/${name}`)];
    await this.#rig.kubectl(wait, { timeoutMs: 40_000 });
  }

  async remove(): Promise<void> {
    if (this.#dnsPods.length > 0) {
      const own = ['delete', 'pod', '-n', 'kube-system', '--ignore-not-found', '--wait=false', ...this.#dnsPods];
      await this.#rig.kubectl(own);
    }
    const names = this.#nodeNames().map((name) => this.real(name));
    await this.#rig.kubectl(['delete', 'node', '--ignore-not-found', ...names]);
  }
}
