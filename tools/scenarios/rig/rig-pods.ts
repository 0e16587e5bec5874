import { RESOURCES } from '../../../src/kubernetes/resources.ts';
import type { PodSnapshot, WorkloadSnapshot } from '../../../src/lib/workload.ts';
import { chosenPods, type Place, type Where } from '../shared-events.ts';
import type { Administrator } from './administrator.ts';
import { rawStatus } from './raw-pod.ts';

/** The rig's own stages let a pod or a node with it alone. */
export const FROZEN = { metadata: { labels: { 'aegis.test/frozen': 'true' } } };

/** The pods of one scenario on the rig: what they are called in it, and what is made of them. */
export class RigPods {
  readonly #place: Pick<Place, 'find' | 'nowMs'> & { workloads(): readonly WorkloadSnapshot[] };
  readonly #administrator: Administrator;
  readonly #seen = new Set<string>();
  /** What pods of a workload are made into once they have started. */
  readonly #newborns = new Map<string, (pod: PodSnapshot) => PodSnapshot>();

  constructor(
    place: Pick<Place, 'find' | 'nowMs'> & { workloads(): readonly WorkloadSnapshot[] },
    administrator: Administrator,
  ) {
    this.#place = place;
    this.#administrator = administrator;
  }

  /** The oldest first, as they were noticed. */
  inOrder(pods: readonly PodSnapshot[]): readonly PodSnapshot[] {
    const order = [...this.#seen];
    const place = ({ uid }: PodSnapshot): number => (order.includes(uid) ? order.indexOf(uid) : Infinity);
    return pods.toSorted((a, b) => Math.sign(place(a) - place(b)) || 0);
  }

  /** Gives every pod that is new its name in the scenario. */
  notice(): void {
    for (const { ref, pods } of this.#place.workloads()) {
      const fresh = pods.filter(({ uid }) => !this.#seen.has(uid));
      for (const { uid, name } of fresh.toSorted(
        (a, b) => a.createdAtMs - b.createdAtMs || (a.name < b.name ? -1 : 1),
      )) {
        this.#seen.add(uid);
        this.#names.set(name, `${ref.name}-${this.#seen.size}`);
      }
    }
  }

  /** Pods that are to be made into something else, once the simulated kubelet has started them: before, it would go on. */
  born(): readonly { readonly pod: PodSnapshot; readonly change: (pod: PodSnapshot) => PodSnapshot }[] {
    return this.#place.workloads().flatMap(({ ref, pods }) => {
      const change = this.#newborns.get(ref.name);
      if (change === undefined) return [];
      const started = pods.filter(
        ({ uid, containers }) => !this.#made.has(uid) && containers.some(({ state }) => state === 'running'),
      );
      for (const { uid } of started) this.#made.add(uid);
      return started.map((pod) => ({ pod, change }));
    });
  }

  /** Only pods that come later are newborn. */
  setNewborn(workload: string, change: (pod: PodSnapshot) => PodSnapshot): void {
    for (const { pods } of this.#place.workloads()) for (const { uid } of pods) this.#made.add(uid);
    this.#newborns.set(workload, change);
  }

  readonly #made = new Set<string>();
  readonly #names = new Map<string, string>();

  /** `evict checkout-7d9-x2k` with the pod's name in the scenario. */
  inScenario(write: string): string {
    const [verb = '', what = '', ...rest] = write.split(' ');
    return [verb, this.#names.get(what) ?? what, ...rest].join(' ');
  }

  /** Makes these pods what the change makes of them, and keeps the simulated kubelet from changing it back. */
  async edit(where: Where, change: (pod: PodSnapshot) => PodSnapshot): Promise<void> {
    for (const pod of chosenPods(this.#place, where)) await this.write(pod, change(pod));
  }

  async write(before: PodSnapshot, after: PodSnapshot): Promise<void> {
    const target = { resource: RESOURCES.pods, namespace: before.namespace, name: before.name };
    const { labels, annotations } = after;
    await this.#administrator.patch(target, {
      metadata: { labels: { ...labels, ...FROZEN.metadata.labels }, annotations },
    });
    await this.#administrator.patch(target, { status: rawStatus(after, this.#place.nowMs) }, 'status');
  }

  /** The simulated kubelet looks after these pods again: they are well. */
  async thaw(where: Where): Promise<void> {
    await this.edit(where, (pod) => ({
      ...pod,
      ...{
        phase: 'Running',
        ready: true,
        conditions: [{ type: 'Ready', status: 'True', changedAtMs: this.#place.nowMs }],
      },
      containers: pod.containers.map(({ name, image, init, restartCount, ...limits }) => ({
        ...{ name, image, init, restartCount, ready: true, state: 'running', startedAtMs: this.#place.nowMs },
        ...(limits.lastTermination !== undefined && { lastTermination: limits.lastTermination }),
      })),
    }));
    for (const { namespace, name } of chosenPods(this.#place, where)) {
      await this.#administrator.patch(
        { resource: RESOURCES.pods, namespace, name },
        { metadata: { labels: { 'aegis.test/frozen': null } } },
      );
    }
  }
}
