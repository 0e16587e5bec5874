import type { MetricVerdict, WorkloadVerdict } from '../detection/verdict.ts';

/** One value of a series. */
export interface Point {
  readonly atMs: number;
  readonly value: number;
}

/** A series and its last values, oldest first. */
export interface RememberedSeries {
  readonly metric: string;
  /** Absent: the workload as a whole. */
  readonly pod?: string;
  readonly points: readonly Point[];
}

/** Polls that a diagnosis looks back over; a series that was silent for as many is forgotten. */
export const KEPT = 64;

/** A ring of times and values in turn: 1 KiB, where the verdicts that they stood in would take a hundred. */
interface Packed {
  readonly metric: string;
  readonly pod?: string;
  readonly ring: Float64Array;
  /** Points ever taken; the newest stands before `taken % KEPT`. */
  taken: number;
  newestMs: number;
  seenAtPoll: number;
}

/** The values that the last polls of one workload showed. A poll that shows the same sample again adds nothing. */
export class SeriesMemory {
  readonly #series = new Map<string, Packed>();
  #poll = 0;
  /** Series that the present poll showed. */
  #seen = 0;

  remember(verdict: WorkloadVerdict): void {
    this.#poll += 1;
    this.#seen = 0;
    for (const { pod, metrics } of verdict.pods) for (const each of metrics) this.#take(each, pod.name);
    for (const each of verdict.workloadMetrics) this.#take(each);
    if (this.#seen === this.#series.size) return; // all spoke: none can be forgotten, and most polls are such
    for (const [key, { seenAtPoll }] of this.#series) {
      if (this.#poll - seenAtPoll >= KEPT) this.#series.delete(key);
    }
  }

  /** The clock that its times are told by was set by so much. */
  move(byMs: number): void {
    for (const packed of this.#series.values()) {
      packed.newestMs += byMs;
      for (let i = 0; i < Math.min(packed.taken, KEPT); i++) packed.ring[2 * i] = (packed.ring[2 * i] ?? NaN) + byMs;
    }
  }

  /** Every series that is remembered, those without any value included. */
  all(): readonly RememberedSeries[] {
    return [...this.#series.values()].map(({ metric, pod, ring, taken }) => ({
      metric,
      ...(pod !== undefined && { pod }),
      points: Array.from({ length: Math.min(taken, KEPT) }, (_, i): Point => {
        const at = 2 * ((Math.max(0, taken - KEPT) + i) % KEPT);
        return { atMs: ring[at] ?? NaN, value: ring[at + 1] ?? NaN };
      }),
    }));
  }

  #take({ metric, value, atMs }: MetricVerdict, pod?: string): void {
    const packed = this.#packed(metric, pod);
    if (packed.seenAtPoll !== this.#poll) this.#seen += 1;
    packed.seenAtPoll = this.#poll;
    if (value === undefined || atMs === undefined || !Number.isFinite(value) || atMs <= packed.newestMs) return;
    const at = 2 * (packed.taken % KEPT);
    packed.ring[at] = atMs;
    packed.ring[at + 1] = value;
    packed.taken += 1;
    packed.newestMs = atMs;
  }

  #packed(metric: string, pod: string | undefined): Packed {
    const key = `${metric}\u0000${pod ?? ''}`;
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const ring = new Float64Array(2 * KEPT);
    const fresh = { metric, ...(pod !== undefined && { pod }), ring, taken: 0, newestMs: -Infinity, seenAtPoll: 0 };
    this.#series.set(key, fresh);
    return fresh;
  }
}
