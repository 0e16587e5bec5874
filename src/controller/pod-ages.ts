import type { Clock } from '../lib/clock.ts';
import type { PodSnapshot, WorkloadSnapshot } from '../lib/workload.ts';
import { movedPod, movedWorkload, StatusTimes } from './status-times.ts';
import { jumpSince, wallLead } from './steady-times.ts';

/** How old a pod was when it was first seen, when that was by the clock that never jumps, and what its status says since. */
interface Sighting {
  readonly ageMs: number;
  readonly atMonotonicMs: number;
  readonly status: StatusTimes<PodSnapshot>;
}

/** What is known of a workload's times, and of its pods'. */
interface Seen {
  readonly status: StatusTimes<WorkloadSnapshot>;
  readonly pods: ReadonlyMap<string, Sighting>;
}

/**
 * How old pods are and since when their status is as it is, whatever the wall clock says meanwhile: one that is set forward lets
 * no young pod pass for an old one, one that is set back makes no old pod young and no old kill fresh again (I31). Without
 * a jump the times of the API server stand as they are.
 */
export class PodAges {
  readonly #clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  /** By how much the wall clock led when this process began. */
  readonly #firstLead: number;
  readonly #seen = new Map<string, Seen>();

  constructor(clock: Pick<Clock, 'nowMs' | 'monotonicMs'>) {
    this.#clock = clock;
    this.#firstLead = wallLead(clock);
  }

  /** Looks at the workload and its pods; to be called at every poll, so that each is seen while it is young. */
  look(workload: WorkloadSnapshot): void {
    const { ref, pods } = workload;
    const [nowMs, lead] = [this.#clock.nowMs(), wallLead(this.#clock)];
    const before = this.#seen.get(ref.uid);
    const seen: Seen = {
      status: before?.status ?? new StatusTimes(movedWorkload),
      pods: new Map(pods.map((pod) => [pod.uid, before?.pods.get(pod.uid) ?? this.#first(pod)])),
    };
    this.#seen.set(ref.uid, seen);
    seen.status.look(workload, nowMs, lead);
    for (const pod of pods) seen.pods.get(pod.uid)?.status.look(pod, nowMs, lead);
  }

  /** The workload with its times as the wall clock of now would have them; the very same where none moves. */
  steady(workload: WorkloadSnapshot): WorkloadSnapshot {
    const seen = this.#seen.get(workload.ref.uid);
    const lead = wallLead(this.#clock);
    const own = seen?.status.steady(workload, lead) ?? workload;
    const pods = own.pods.map((pod) => this.#steadyPod(pod, seen?.pods.get(pod.uid), lead));
    return pods.every((pod, index) => pod === own.pods[index]) ? own : { ...own, pods };
  }

  #steadyPod(pod: PodSnapshot, seen: Sighting | undefined, lead: number): PodSnapshot {
    const { ageMs, atMonotonicMs, status } = seen ?? this.#first(pod);
    const createdAtMs = this.#clock.nowMs() - ageMs - (this.#clock.monotonicMs() - atMonotonicMs);
    const own = status.steady(pod, lead);
    return jumpSince(pod.createdAtMs, createdAtMs) === 0 ? own : { ...own, createdAtMs };
  }

  /** Which of two wall clocks was right nobody can tell: the pod is as young as either says. What is in the future is new. */
  #first({ createdAtMs }: PodSnapshot): Sighting {
    const jumped = jumpSince(this.#firstLead, wallLead(this.#clock));
    const ageMs = this.#clock.nowMs() - createdAtMs;
    return {
      ageMs: Math.max(Math.min(ageMs, ageMs - jumped), 0),
      atMonotonicMs: this.#clock.monotonicMs(),
      status: new StatusTimes(movedPod),
    };
  }

  /** Workloads that are gone are dropped. */
  forget(isKnown: (workloadUid: string) => boolean): void {
    for (const uid of this.#seen.keys()) if (!isKnown(uid)) this.#seen.delete(uid);
  }
}
