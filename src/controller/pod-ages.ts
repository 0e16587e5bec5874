import type { Clock } from '../lib/clock.ts';
import type { PodSnapshot, WorkloadSnapshot } from '../lib/workload.ts';
import { jumpSince, wallLead } from './steady-times.ts';

/** How old a pod was when it was first seen, and when that was by the clock that never jumps. */
interface Sighting {
  readonly ageMs: number;
  readonly atMonotonicMs: number;
}

/**
 * How old pods are, whatever the wall clock says meanwhile: one that is set forward lets no young pod pass for an old one,
 * one that is set back makes no old pod young again (I31). Without a jump the times of the API server stand as they are.
 */
export class PodAges {
  readonly #clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  /** By how much the wall clock led when this process began. */
  readonly #firstLead: number;
  readonly #sightings = new Map<string, ReadonlyMap<string, Sighting>>();

  constructor(clock: Pick<Clock, 'nowMs' | 'monotonicMs'>) {
    this.#clock = clock;
    this.#firstLead = wallLead(clock);
  }

  /** Looks at the workload's pods; to be called at every poll, so that each is seen while it is young. */
  look({ ref, pods }: Pick<WorkloadSnapshot, 'ref' | 'pods'>): void {
    const before = this.#sightings.get(ref.uid);
    this.#sightings.set(ref.uid, new Map(pods.map((pod) => [pod.uid, before?.get(pod.uid) ?? this.#first(pod)])));
  }

  /** The workload with the times at which its pods were made as the wall clock of now would have them. */
  steady(workload: WorkloadSnapshot): WorkloadSnapshot {
    const seen = this.#sightings.get(workload.ref.uid);
    const pods = workload.pods.map((pod) => {
      const { ageMs, atMonotonicMs } = seen?.get(pod.uid) ?? this.#first(pod);
      const createdAtMs = this.#clock.nowMs() - ageMs - (this.#clock.monotonicMs() - atMonotonicMs);
      return jumpSince(pod.createdAtMs, createdAtMs) === 0 ? pod : { ...pod, createdAtMs };
    });
    return pods.every((pod, index) => pod === workload.pods[index]) ? workload : { ...workload, pods };
  }

  /** Which of two wall clocks was right nobody can tell: the pod is as young as either says. What is in the future is new. */
  #first({ createdAtMs }: PodSnapshot): Sighting {
    const jumped = jumpSince(this.#firstLead, wallLead(this.#clock));
    const ageMs = this.#clock.nowMs() - createdAtMs;
    return { ageMs: Math.max(Math.min(ageMs, ageMs - jumped), 0), atMonotonicMs: this.#clock.monotonicMs() };
  }

  /** Workloads that are gone are dropped. */
  forget(isKnown: (workloadUid: string) => boolean): void {
    for (const uid of this.#sightings.keys()) if (!isKnown(uid)) this.#sightings.delete(uid);
  }
}
